//! How everything is now, from the samples of the last minutes.

use std::collections::BTreeMap;

use tweetfilter_core::post::Millis;
use tweetfilter_sql::{Database, Sample, SampleKind};
use tweetfilter_stream::buffer::Stats;
use tweetfilter_stream::store::StoreError;

use super::figures::{
    BufferFigures, HostFigures, PartFigures, PartState, ProcessFigures, ProcessState, Usage,
};
use super::outlook::{Outlook, outlook};
use super::part::State;

/// A process that has said nothing for so long is silent; it says something every 15 seconds.
const SILENT: Millis = 45_000;
/// For how long processes are shown that said that they end.
const ENDED: Millis = 3_600_000;
/// After this time a silent process is one that was taken out of service, if others do what it did.
const OUT_OF_SERVICE: Millis = 3_600_000;
/// The time over which rates are worked out.
pub(super) const RATES: Millis = 65_000;
/// The time over which samples are looked at, also where they came seldom.
const TREND: Millis = 300_000;

/// How everything is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    /// Processes that run parts, by host and name.
    pub processes: Vec<ProcessNow>,
    /// Hosts that run parts, by name.
    pub hosts: Vec<HostNow>,
    /// How full the buffer was when somebody noted it last, if that is not long ago.
    pub buffer: Option<BufferFigures>,
    /// The same over the last minutes, each with when it was so.
    pub trend: Vec<(Millis, BufferFigures)>,
    /// Where the buffer is going, if that can be told.
    pub outlook: Option<Outlook>,
}

/// How a process is.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessNow {
    /// Its host.
    pub host: String,
    /// Its name.
    pub name: String,
    /// What it said of itself last.
    pub state: ProcessState,
    /// When that was.
    pub seen: Millis,
    /// Whether it should have said something since.
    pub silent: bool,
    /// What it uses, if that was told lately.
    pub usage: Option<Usage>,
    /// Its parts.
    pub parts: Vec<PartNow>,
}

/// How a part is.
#[derive(Clone, Debug, PartialEq)]
pub struct PartNow {
    /// What it said of itself last.
    pub told: PartState,
    /// What it does a second, if that is known.
    pub rates: Option<Rates>,
    /// Live streams that are open.
    pub streams: u64,
    /// Milliseconds from receiving to storing a post, if any was stored lately.
    pub lag: Option<Millis>,
    /// Whether its process is silent and another does the same in its place: one that began since, one that reads its source
    /// now, or, after an hour, any.
    pub replaced: bool,
}

/// What a part does a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Lines.
    pub lines: f64,
    /// Those of them that can't be read.
    pub unreadable: f64,
    /// Entries that it appends.
    pub appended: f64,
    /// Posts that it stores.
    pub committed: f64,
    /// Matches that it stores.
    pub matches: f64,
    /// Requests.
    pub requests: f64,
}

/// How a host is.
#[derive(Clone, Debug, PartialEq)]
pub struct HostNow {
    /// Its name.
    pub name: String,
    /// When that was told.
    pub at: Millis,
    /// How it was.
    pub figures: HostFigures,
}

impl ProcessNow {
    /// How a part of it is: a part of a silent process is what nobody knows, unless it had come to its end.
    #[must_use]
    pub fn state_of(&self, part: &PartNow) -> Option<State> {
        match (self.silent, part.told.state) {
            _ if self.state.ended => Some(State::Ended),
            (true, State::Ended) => Some(State::Ended),
            (true, _) => None,
            (false, state) => Some(state),
        }
    }

    /// Whether a part of it does not do what it is there for, or nobody knows, and nobody else does it in its place.
    #[must_use]
    pub fn is_troubled(&self, part: &PartNow) -> bool {
        let lasted = self.seen - part.told.since;
        let is_well = self.state_of(part).is_some_and(|state| state.is_well(lasted));
        !is_well && !part.replaced
    }

    /// Whether it is known to do what a part is there for, or to try.
    pub(super) fn does(&self, part: &PartNow) -> bool {
        !matches!(self.state_of(part), None | Some(State::StandingBy | State::Ended))
    }

    /// Since when it does that at the earliest. A source is read by one at a time: who reads it, as it said last, has it from
    /// whoever did before, also if it stood by for long.
    fn does_since(&self, part: &PartNow) -> Millis {
        match (part.kind(), part.told.state) {
            ("ingest", State::Running | State::SourceAway) => self.seen,
            _ => self.state.started_at,
        }
    }
}

impl PartNow {
    /// `ingest`, `work`, `api` or `lookup`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.told.name.split(' ').next().unwrap_or_default()
    }
}

/// How everything is, at a time.
///
/// # Errors
/// See [`StoreError`].
pub async fn overview(database: &Database, now: Millis) -> Result<Overview, StoreError> {
    let rows = database.processes().await?;
    let mut samples = database.samples_since(now - TREND).await?;
    // What lies ahead was noted before the clock was set back, and is not how it is now; clocks of hosts differ a little.
    samples.retain(|sample| sample.at - now <= SILENT);
    let processes = rows.into_iter().filter_map(|row| {
        let state: ProcessState = serde_json::from_str(&row.body).unwrap_or_default();
        if state.ended && now - row.at > ENDED {
            return None;
        }
        let own = |sample: &&Sample| {
            sample.kind == SampleKind::Process && sample.host == row.host && sample.name == row.name
        };
        let figures: Vec<(Millis, ProcessFigures)> = parsed(samples.iter().filter(own));
        let last = figures.last().filter(|(at, _)| now - at <= SILENT);
        let rates = rates(&figures);
        let part = |told: &PartState| {
            let figures = last.and_then(|(_, figures)| figures.parts.get(&told.name));
            PartNow {
                told: told.clone(),
                rates: last.and_then(|_| rates.get(&told.name).copied()),
                streams: figures.map_or(0, |figures| figures.streams),
                lag: figures.and_then(|figures| figures.lag),
                replaced: false,
            }
        };
        Some(ProcessNow {
            silent: !state.ended && now - row.at > SILENT,
            seen: row.at,
            usage: last.map(|(_, figures)| figures.usage),
            parts: state.parts.iter().map(part).collect(),
            host: row.host,
            name: row.name,
            state,
        })
    });
    let mut processes: Vec<_> = processes.collect();
    mark_replaced(&mut processes, now);
    let mut hosts = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.kind == SampleKind::Host) {
        if let Ok(figures) = serde_json::from_str(&sample.body) {
            hosts.insert(&sample.host, HostNow { name: sample.host.clone(), at: sample.at, figures });
        }
    }
    let hosts = hosts.into_values().collect();
    let trend: Vec<(_, BufferFigures)> =
        parsed(samples.iter().filter(|sample| sample.kind == SampleKind::Buffer));
    // What nobody has noted since is not how it is now.
    let last = trend.last().filter(|(at, _)| now - at <= SILENT).map(|(_, figures)| figures.clone());
    let mut overview = Overview { processes, hosts, buffer: last, trend, outlook: None };
    overview.look_ahead();
    Ok(overview)
}

impl Overview {
    /// Takes in what is in the buffer at a time, as somebody has just counted it: what was noted before says where it came from.
    pub fn counted(&mut self, now: Millis, stats: &Stats) {
        let room = self.buffer.as_ref().and_then(|last| last.room);
        let figures = BufferFigures { room, ..BufferFigures::of(stats, now) };
        self.trend.push((now, figures.clone()));
        self.buffer = Some(figures);
        self.look_ahead();
    }

    /// Entries of a newer version, as workers say: each has some of them.
    #[must_use]
    pub fn newer(&self) -> u64 {
        let of = |process: &ProcessNow| -> u64 {
            let works = |part: &&PartNow| !matches!(process.state_of(part), None | Some(State::Ended));
            process.parts.iter().filter(works).map(|part| part.told.newer).sum()
        };
        self.processes.iter().map(of).sum()
    }

    fn look_ahead(&mut self) {
        let newer = self.newer();
        self.outlook = self.buffer.is_some().then(|| outlook(&self.trend, newer)).flatten();
    }
}

/// Finds the parts of silent processes that others do in their place. Who did the same before may have to do more than it
/// can, and is no replacement at first.
fn mark_replaced(processes: &mut [ProcessNow], now: Millis) {
    // Of each part by its name, since when the newest does it.
    let mut newest = BTreeMap::<String, Millis>::new();
    for process in processes.iter() {
        for part in process.parts.iter().filter(|part| process.does(part)) {
            let since = newest.entry(part.told.name.clone()).or_default();
            *since = process.does_since(part).max(*since);
        }
    }
    for process in processes.iter_mut().filter(|process| process.silent) {
        let is_out_of_service = now - process.seen > OUT_OF_SERVICE;
        for part in &mut process.parts {
            let done = newest.get(&part.told.name);
            part.replaced = done.is_some_and(|since| is_out_of_service || *since > process.seen);
        }
    }
}

fn parsed<'s, T: serde::de::DeserializeOwned>(samples: impl Iterator<Item = &'s Sample>) -> Vec<(Millis, T)> {
    samples.filter_map(|sample| Some((sample.at, serde_json::from_str(&sample.body).ok()?))).collect()
}

/// What each part does a second, over the last minute; since it began, if that is less.
fn rates(figures: &[(Millis, ProcessFigures)]) -> BTreeMap<String, Rates> {
    let Some((to, last)) = figures.last() else { return BTreeMap::new() };
    let same = |(at, one): &&(Millis, ProcessFigures)| one.began == last.began && to - at <= RATES && at < to;
    let (from, first) = match figures.iter().find(same) {
        Some((at, first)) => (*at, first.clone()),
        None => (last.began, ProcessFigures::default()),
    };
    let of = |(name, figures): (&String, &PartFigures)| {
        let before = first.parts.get(name).copied().unwrap_or_default();
        (name.clone(), Rates::between(&before, figures, to - from))
    };
    last.parts.iter().map(of).collect()
}

impl Rates {
    /// From what was counted so many milliseconds apart. Nobody knows any where the clock was set back in between.
    pub(super) fn between(before: &PartFigures, after: &PartFigures, millis: Millis) -> Self {
        if millis <= 0 {
            return Self::default();
        }
        let seconds = millis as f64 / 1_000.0;
        let rate = |before: u64, after: u64| after.saturating_sub(before) as f64 / seconds;
        Self {
            lines: rate(before.lines, after.lines),
            unreadable: rate(before.unreadable, after.unreadable),
            appended: rate(before.appended, after.appended),
            committed: rate(before.committed, after.committed),
            matches: rate(before.matches, after.matches),
            requests: rate(before.requests, after.requests),
        }
    }

    /// Those that are not 0, with what they count.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, f64)> {
        let all = [
            ("lines", self.lines),
            ("unreadable", self.unreadable),
            ("entries", self.appended),
            ("posts", self.committed),
            ("matches", self.matches),
            ("requests", self.requests),
        ];
        all.into_iter().filter(|(_, rate)| *rate > 0.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::test_store::TestStore;

    fn buffer(at: Millis, entries: u64, room: Option<u64>) -> (Millis, BufferFigures) {
        (at, BufferFigures { entries, bytes: entries * 100, room, ..BufferFigures::default() })
    }

    #[test]
    fn what_is_counted_now_says_where_the_buffer_is_going() {
        let stats =
            |entries| Stats { entries, bytes: entries * 100, oldest: Some(55_000), ..Stats::default() };
        // It grew while the store was away, and has been emptied since.
        let trend: Vec<_> =
            (0..4).map(|n| buffer(n * 15_000, 10 + n.cast_unsigned() * 5_000, Some(1_000_000_000))).collect();
        let last = trend.last().map(|last| last.1.clone());
        let mut overview = Overview { buffer: last, trend, ..Overview::default() };
        overview.look_ahead();
        assert!(matches!(overview.outlook, Some(Outlook::Full(_))), "{:?}", overview.outlook);
        overview.counted(57_000, &stats(7));
        assert_eq!(overview.outlook, Some(Outlook::Steady));
        let now = overview.buffer.unwrap();
        assert_eq!((now.entries, now.age, now.room), (7, Some(2_000), Some(1_000_000_000)));
    }

    #[tokio::test]
    async fn what_nobody_has_noted_for_long_is_not_how_full_the_buffer_is() {
        let (database, now) = (TestStore::open().await, crate::parts::now());
        let sample = |at, body: &str| {
            let (host, name) = (String::new(), String::new());
            Sample { at, kind: SampleKind::Buffer, host, name, body: body.to_owned() }
        };
        let samples = [sample(now - 61_000, r#"{"entries":9000}"#), sample(now - 46_000, r#"{"entries":7}"#)];
        database.keep_samples(&samples, None).await.unwrap();
        let found = overview(&database, now).await.unwrap();
        assert_eq!((found.buffer, found.outlook), (None, None));
        let before = overview(&database, now - 2_000).await.unwrap();
        assert_eq!(before.buffer.map(|buffer| buffer.entries), Some(7));
    }

    /// A process that began and was heard of last at a time, with parts.
    fn process(began: Millis, seen: Millis, silent: bool, parts: &[(&str, State)]) -> ProcessNow {
        let part = |(name, state): &(&str, State)| PartNow {
            told: PartState { name: (*name).to_owned(), state: *state, ..PartState::default() },
            rates: None,
            streams: 0,
            lag: None,
            replaced: false,
        };
        ProcessNow {
            host: "box".into(),
            name: "one".into(),
            state: ProcessState { started_at: began, ..ProcessState::default() },
            seen,
            silent,
            usage: None,
            parts: parts.iter().map(part).collect(),
        }
    }

    #[test]
    fn a_silent_part_is_trouble_until_another_does_the_same_in_its_place() {
        let both = [("work", State::Running), ("ingest a", State::Running)];
        let troubled = |others: &[ProcessNow], now: Millis| {
            let mut processes = vec![process(0, 1_000_000, true, &both)];
            processes.extend_from_slice(others);
            mark_replaced(&mut processes, now);
            let first = &processes[0];
            let troubled = first.parts.iter().filter(|part| first.is_troubled(part));
            troubled.map(|part| part.told.name.clone()).collect::<Vec<_>>()
        };
        let (soon, later) = (1_100_000, 1_000_001 + OUT_OF_SERVICE);
        // Where nobody does the same, that stays so.
        for now in [soon, later] {
            assert_eq!(troubled(&[], now), ["work", "ingest a"]);
            assert_eq!(troubled(&[process(1_050_000, now, true, &both)], now), ["work", "ingest a"]);
            let stands_by = process(1_050_000, now, false, &[("ingest a", State::StandingBy)]);
            assert_eq!(troubled(&[stands_by], now), ["work", "ingest a"]);
        }
        let new = process(1_050_000, soon, false, &both[..1]);
        assert_eq!(troubled(&[new], soon), ["ingest a"]);
        // Who did the same before has only more to do now, which is settled after an hour; a source it can have had from the
        // silent one alone, as who stood by.
        let old = |now| process(0, now, false, &both);
        assert_eq!(troubled(&[old(soon)], soon), ["work"]);
        assert_eq!(troubled(&[old(later)], later), [""; 0]);
        // Who tries to is not known to have it.
        let tries = process(0, soon, false, &[("ingest a", State::WaitingForBuffer)]);
        assert_eq!(troubled(&[tries], soon), ["work", "ingest a"]);
    }

    #[test]
    fn what_had_come_to_its_end_before_its_process_fell_silent_is_no_trouble() {
        let silent = process(0, 0, true, &[("ingest a", State::Ended), ("work", State::Running)]);
        let troubled: Vec<_> = silent.parts.iter().map(|part| silent.is_troubled(part)).collect();
        assert_eq!(troubled, [false, true]);
    }

    #[tokio::test]
    async fn what_was_noted_before_the_clock_was_set_back_is_not_how_it_is_now() {
        let (database, now) = (TestStore::open().await, crate::parts::now());
        let sample = |at, kind, body: &str| {
            let (host, name) = ("box".to_owned(), String::new());
            Sample { at, kind, host, name, body: body.to_owned() }
        };
        let samples = [
            sample(now, SampleKind::Host, r#"{"cpu":10}"#),
            sample(now, SampleKind::Buffer, r#"{"entries":5}"#),
            sample(now + 3_600_000, SampleKind::Host, r#"{"cpu":90}"#),
            sample(now + 3_600_000, SampleKind::Buffer, r#"{"entries":9000}"#),
        ];
        database.keep_samples(&samples, None).await.unwrap();
        let found = overview(&database, now).await.unwrap();
        let entries = found.buffer.map(|buffer| buffer.entries);
        assert_eq!((found.hosts.len(), found.hosts[0].figures.cpu, entries), (1, 10.0, Some(5)));
        assert_eq!(found.outlook, None);
    }

    #[test]
    fn rates_are_of_one_beginning() {
        let at = |at: Millis, began: Millis, lines: u64| {
            let part = PartFigures { lines, ..PartFigures::default() };
            let parts = [("ingest a".to_owned(), part)].into();
            (at, ProcessFigures { began, parts, ..ProcessFigures::default() })
        };
        let lines = |figures: &[_]| rates(figures).get("ingest a").map(|rates| rates.lines);
        assert_eq!(lines(&[]), None);
        assert_eq!(lines(&[at(20_000, 10_000, 50)]), Some(5.0));
        assert_eq!(lines(&[at(20_000, 10_000, 50), at(30_000, 10_000, 150)]), Some(10.0));
        // It began later than this, by a clock that was set back since.
        assert_eq!(lines(&[at(20_000, 3_620_000, 5_000)]), Some(0.0));
        // Started again: what was counted before is of no use.
        assert_eq!(lines(&[at(20_000, 10_000, 5_000), at(30_000, 25_000, 100)]), Some(20.0));
    }
}
