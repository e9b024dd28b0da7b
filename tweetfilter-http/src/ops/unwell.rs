//! What is not well, in words: the same for the API, the page and `status`.

use std::collections::BTreeMap;

use serde::Serialize;
use tweetfilter_core::post::Millis;
use tweetfilter_sql::{Room, Status};
use utoipa::ToSchema;

use super::figures::PartState;
use super::overview::{Overview, PartNow, ProcessNow};
use super::part::State;
use super::waiting::Waiting;
use crate::time::rfc3339;

/// For how long it is said that posts were forgotten: one that makes room step by step forgets only now and then. And that
/// the buffer was counted anew.
const LATELY: Millis = 600_000;

/// Something that is not well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Unwell {
    /// `store_takes_no_writes`, `store_busy`, `buffer_away`, `buffer_unfit`, `buffer_recounted`, `disk_full`, `disk_short`,
    /// `posts_forgotten`, `nobody_works`, `entries_wait`, `part`, `source_away`, `source_for_nobody`,
    /// `source_unreadable`, `watched`, `entries_of_newer_version`, `dead_letters` or `filters_unused`.
    pub code: &'static str,
    /// One sentence for a person.
    pub message: String,
}

/// All that is known of how it is.
#[derive(Clone, Debug)]
pub struct Look<'l> {
    /// When that was so.
    pub now: Millis,
    /// Parts and hosts.
    pub overview: &'l Overview,
    /// What the store has.
    pub status: &'l Status,
    /// The room on the store's disk, if that is known.
    pub room: Option<Room>,
    /// Why the store takes no write, if somebody tried: a code and a sentence.
    pub store: Option<Unwell>,
    /// Why the buffer does not answer.
    pub buffer: Option<&'l str>,
    /// What of the buffer can't be read.
    pub unfit: &'l [String],
    /// What waits in the buffer, if that is known.
    pub waiting: Option<Waiting>,
    /// Filters that are switched on and can't be used.
    pub unused: usize,
    /// Whether parts and hosts are named: for who runs them.
    pub names: bool,
}

impl Look<'_> {
    /// What is not well, gravest first; nothing: all is well.
    #[must_use]
    pub fn unwell(&self) -> Vec<Unwell> {
        let mut found: Vec<Unwell> = self.store.iter().cloned().collect();
        if let Some(reason) = self.buffer {
            found.push(of("buffer_away", format!("The buffer is away: {reason}")));
        }
        match self.unfit {
            [] => {}
            _ if !self.names => {
                found.push(of("buffer_unfit", "Something in the buffer can't be read".to_owned()));
            }
            all => found.extend(all.iter().map(|reason| of("buffer_unfit", format!("The buffer: {reason}")))),
        }
        // Whoever runs it may know who did that.
        if let Some(at) = self.status.recounted_at.filter(|at| self.names && self.is_lately(*at)) {
            let message = format!(
                "What was counted of the buffer was wrong, and was counted anew at {}: somebody else put entries in, or took \
                 some out, without counting them",
                rfc3339(at)
            );
            found.push(of("buffer_recounted", message));
        }
        self.disk(&mut found);
        self.waits(&mut found);
        self.parts(&mut found);
        self.nobodys(&mut found);
        self.unreadable(&mut found);
        self.watched(&mut found);
        self.newer(&mut found);
        match self.status.dead {
            0 => {}
            _ if !self.names => found.push(of("dead_letters", "Some posts could not be stored".to_owned())),
            1 => found.push(of("dead_letters", "1 dead letter waits to be tried again".to_owned())),
            count => found.push(of("dead_letters", format!("{count} dead letters wait to be tried again"))),
        }
        match self.unused {
            0 => {}
            1 => found.push(of("filters_unused", "1 filter is switched on, but can't be used".to_owned())),
            count => {
                found.push(of(
                    "filters_unused",
                    format!("{count} filters are switched on, but can't be used"),
                ));
            }
        }
        found
    }

    /// Whether something is not long ago. By a clock that was set back since, it may be yet to come.
    fn is_lately(&self, at: Millis) -> bool {
        (self.now - at).abs() < LATELY
    }

    fn disk(&self, found: &mut Vec<Unwell>) {
        let scarce = self.room.filter(|room| room.is_short() || room.is_full());
        if let Some(room) = scarce {
            let (code, message) = match room.is_full() {
                true => ("disk_full", "The disk is full: nothing is received until there is room"),
                false => ("disk_short", "The disk is short of room: the oldest posts are forgotten"),
            };
            let figures = if self.names { format!(". {room}") } else { String::new() };
            found.push(of(code, format!("{message}{figures}")));
        }
        let Status { forgotten_for_room: posts, forgotten_up_to, forgotten_at, .. } = self.status;
        let lately = forgotten_at.is_some_and(|at| self.is_lately(at));
        if let Some(last) = forgotten_up_to.filter(|_| lately) {
            let (were, last) = (if *posts == 1 { "post was" } else { "posts were" }, rfc3339(last));
            let message = format!("{posts} {were} forgotten for want of room, received until {last}");
            found.push(of("posts_forgotten", message));
        }
    }

    fn parts(&self, found: &mut Vec<Unwell>) {
        let (mut kinds, mut away) = (BTreeMap::<&str, usize>::new(), 0);
        for process in &self.overview.processes {
            for part in process.parts.iter().filter(|part| process.is_troubled(part)) {
                if process.state_of(part) == Some(State::SourceAway) {
                    away += 1;
                    if self.names {
                        found.push(of("source_away", without_connection(process, part)));
                    }
                    continue;
                }
                *kinds.entry(part.kind()).or_default() += 1;
                if self.names {
                    found.push(of("part", named(process, part)));
                }
            }
        }
        for (kind, count) in kinds.into_iter().filter(|_| !self.names) {
            found.push(of(
                "part",
                match count {
                    1 => {
                        format!("1 part of the kind {kind} waits, is started again, is refused or is silent")
                    }
                    _ => format!(
                        "{count} parts of the kind {kind} wait, are started again, are refused or are silent"
                    ),
                },
            ));
        }
        match away {
            0 => {}
            _ if self.names => {}
            1 => found.push(of("source_away", "1 source has no connection".to_owned())),
            count => found.push(of("source_away", format!("{count} sources have no connection"))),
        }
    }

    /// Sources that are for accounts that are not there, as whoever reads them says.
    fn nobodys(&self, found: &mut Vec<Unwell>) {
        let mut count = 0;
        for process in &self.overview.processes {
            for part in &process.parts {
                let Some(account) = &part.told.nobody else { continue };
                if matches!(process.state_of(part), None | Some(State::StandingBy | State::Ended)) {
                    continue;
                }
                count += 1;
                if self.names {
                    found.push(of("source_for_nobody", for_nobody(process, part, account)));
                }
            }
        }
        match count {
            0 => {}
            _ if self.names => {}
            1 => {
                found.push(of("source_for_nobody", "1 source is for an account that is not there".to_owned()))
            }
            _ => {
                let message = format!("{count} sources are for accounts that are not there");
                found.push(of("source_for_nobody", message));
            }
        }
    }

    /// Entries that no worker understands.
    fn newer(&self, found: &mut Vec<Unwell>) {
        let entries = match self.overview.newer() {
            0 => return,
            _ if !self.names => {
                let message = "Some of what was received waits for a newer version of the program";
                return found.push(of("entries_of_newer_version", message.to_owned()));
            }
            1 => "1 entry of a newer version stays".to_owned(),
            entries => format!("{entries} entries of a newer version stay"),
        };
        let message = format!(
            "{entries} in the buffer: a newer tweetfilter appends than works on them. Upgrade the workers (`work`, `serve`), which \
             do them then; nothing of them is lost"
        );
        found.push(of("entries_of_newer_version", message));
    }

    fn watched(&self, found: &mut Vec<Unwell>) {
        let hosts = self.overview.hosts.iter();
        let missing = hosts.flat_map(|host| host.figures.missing.iter().map(move |name| (name, &host.name)));
        let missing: Vec<_> = missing.collect();
        match missing.len() {
            0 => {}
            _ if self.names => {
                let message = |(name, host): (&String, &String)| {
                    of("watched", format!("{name} does not run on {host}"))
                };
                found.extend(missing.into_iter().map(message));
            }
            1 => found.push(of("watched", "1 watched process does not run".to_owned())),
            count => found.push(of("watched", format!("{count} watched processes do not run"))),
        }
    }
}

pub(super) fn of(code: &'static str, message: String) -> Unwell {
    Unwell { code, message }
}

/// Since when a part reads nothing, and what was said of that.
fn without_connection(process: &ProcessNow, part: &PartNow) -> String {
    let PartState { name, since, waits, .. } = &part.told;
    let reason = waits.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let since = rfc3339(*since);
    format!("{name} of {} on {} has no connection since {since}{reason}", process.name, process.host)
}

/// Whom the source of a part does not reach, and what is to be done about it.
fn for_nobody(process: &ProcessNow, part: &PartNow, account: &str) -> String {
    format!(
        "{} of {} on {} is for the account {account}, which is not there: `tweetfilter account add` makes it; until then \
         what the source gives reaches nobody",
        part.told.name, process.name, process.host
    )
}

/// How a part is that has trouble, and what was said of that.
fn named(process: &ProcessNow, part: &PartNow) -> String {
    let state = process.state_of(part);
    let is = state.map_or("silent", State::as_str);
    let reason = match state {
        Some(State::Refused) => part.told.refusal.as_ref().map(|refusal| &refusal.reason),
        Some(_) => part.told.waits.as_ref(),
        None => None,
    };
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{} of {} on {} is {is}{reason}", part.told.name, process.name, process.host)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ops::{HostFigures, HostNow, ProcessState};

    pub(in crate::ops) fn part(name: &str, state: State, waits: Option<&str>) -> PartNow {
        let waits = waits.map(str::to_owned);
        let told = PartState { name: name.to_owned(), state, waits, ..PartState::default() };
        PartNow { told, rates: None, streams: 0, lag: None, replaced: false }
    }

    /// Nothing more than this is known.
    pub(in crate::ops) fn look<'l>(overview: &'l Overview, status: &'l Status, names: bool) -> Look<'l> {
        Look {
            now: 0,
            overview,
            status,
            room: None,
            store: None,
            buffer: None,
            unfit: &[],
            waiting: None,
            unused: 0,
            names,
        }
    }

    pub(in crate::ops) fn trouble() -> (Overview, Status) {
        let process = ProcessNow {
            host: "box-1".into(),
            name: "serve 7".into(),
            state: ProcessState::default(),
            seen: 0,
            silent: false,
            usage: None,
            parts: vec![
                part("work", State::WaitingForStore, Some("read-only")),
                part("ingest of-ben", State::StandingBy, None),
                part("api", State::Running, None),
            ],
        };
        let figures = HostFigures { missing: vec!["caddy".into()], ..HostFigures::default() };
        let hosts = vec![HostNow { name: "box-1".into(), at: 0, figures }];
        let overview = Overview { processes: vec![process], hosts, ..Overview::default() };
        let status = Status {
            dead: 3,
            forgotten_for_room: 250,
            forgotten_up_to: Some(0),
            forgotten_at: Some(1_000),
            recounted_at: Some(1_000),
            ..Status::default()
        };
        (overview, status)
    }

    fn messages(overview: &Overview, status: &Status, now: Millis, names: bool) -> Vec<String> {
        let room = Some(Room { free: 60, reusable: 0, reserve: 100 });
        let store = Some(of("store_takes_no_writes", "Read-only".to_owned()));
        let unfit = &["the key k".to_owned()];
        let look = Look {
            now,
            room,
            store,
            buffer: Some("no route"),
            unfit,
            unused: 1,
            ..look(overview, status, names)
        };
        look.unwell().into_iter().map(|one| format!("{}: {}", one.code, one.message)).collect()
    }

    #[test]
    fn whoever_runs_it_is_told_all_that_is_not_well() {
        let (overview, status) = trouble();
        let found = messages(&overview, &status, 2_000, true);
        assert_eq!(
            found[..3],
            [
                "store_takes_no_writes: Read-only",
                "buffer_away: The buffer is away: no route",
                "buffer_unfit: The buffer: the key k",
            ]
        );
        assert!(
            found[3].starts_with("buffer_recounted: What was counted of the buffer was wrong, ")
                && found[3].contains(" at 1970-01-01T00:00:01Z: "),
            "{found:?}"
        );
        assert!(found[4].starts_with("disk_short: The disk is short of room: "), "{found:?}");
        assert_eq!(
            found[5..],
            [
                "posts_forgotten: 250 posts were forgotten for want of room, received until 1970-01-01T00:00:00Z",
                "part: work of serve 7 on box-1 is waiting for the store: read-only",
                "watched: caddy does not run on box-1",
                "dead_letters: 3 dead letters wait to be tried again",
                "filters_unused: 1 filter is switched on, but can't be used",
            ]
        );
    }

    #[test]
    fn others_are_told_so_without_names() {
        let (overview, status) = trouble();
        let found = messages(&overview, &status, 1_000 + LATELY, false);
        assert_eq!(
            found[2..],
            [
                "buffer_unfit: Something in the buffer can't be read",
                "disk_short: The disk is short of room: the oldest posts are forgotten",
                "part: 1 part of the kind work waits, is started again, is refused or is silent",
                "watched: 1 watched process does not run",
                "dead_letters: Some posts could not be stored",
                "filters_unused: 1 filter is switched on, but can't be used",
            ],
            "what was forgotten long ago is over"
        );
        let before = messages(&overview, &status, 1_000 - LATELY, false);
        assert_eq!(before, found, "and what was forgotten long before the clock was set back");
    }

    #[test]
    fn a_source_without_a_connection_is_named_after_a_minute() {
        let away = |seen| {
            let (mut overview, status) = (trouble().0, Status::default());
            let process = &mut overview.processes[0];
            process.seen = seen;
            process.parts = vec![part("ingest a", State::SourceAway, Some("x: 500"))];
            overview.hosts.clear();
            let found = |names| {
                let (overview, status) = (&overview, &status);
                let look = Look { now: seen, ..look(overview, status, names) };
                let found = look.unwell().into_iter();
                found.map(|one| format!("{}: {}", one.code, one.message)).collect::<Vec<_>>()
            };
            (found(true), found(false))
        };
        assert_eq!(away(59_999), (vec![], vec![]), "it may be back in a moment");
        let (named, unnamed) = away(60_000);
        let says = "ingest a of serve 7 on box-1 has no connection since 1970-01-01T00:00:00Z: x: 500";
        assert_eq!(named, [format!("source_away: {says}")]);
        assert_eq!(unnamed, ["source_away: 1 source has no connection"]);
    }

    #[test]
    fn a_source_for_nobody_is_named_by_whoever_reads_it() {
        let mut overview = trouble().0;
        overview.hosts.clear();
        let process = &mut overview.processes[0];
        process.parts = vec![
            part("ingest a", State::Running, None),
            part("ingest b", State::StandingBy, None),
            part("ingest c", State::Ended, None),
            part("ingest d", State::SourceAway, None),
            part("ingest e", State::Running, None),
        ];
        process.parts[..4].iter_mut().for_each(|part| part.told.nobody = Some("ben".to_owned()));
        let of_nobody = |names| {
            let all = messages(&overview, &Status::default(), 0, names).into_iter();
            all.filter_map(|one| one.strip_prefix("source_for_nobody: ").map(str::to_owned))
                .collect::<Vec<_>>()
        };
        let named = of_nobody(true);
        assert!(named[0].starts_with("ingest a of serve 7 on box-1 is for the account ben, "), "{named:?}");
        assert!(named[1].starts_with("ingest d of ") && named.len() == 2, "{named:?}");
        assert!(named[0].contains("`tweetfilter account add` makes it"), "{named:?}");
        assert_eq!(of_nobody(false), ["2 sources are for accounts that are not there"]);
    }

    #[test]
    fn entries_of_a_newer_version_are_said_to_stay_as_long_as_workers_have_some() {
        let mut overview = trouble().0;
        overview.hosts.clear();
        let process = &mut overview.processes[0];
        process.parts =
            [State::Running, State::Running, State::Ended].map(|state| part("work", state, None)).into();
        let said = |overview: &Overview, names| {
            let all = messages(overview, &Status::default(), 0, names).into_iter();
            all.filter_map(|one| one.strip_prefix("entries_of_newer_version: ").map(str::to_owned))
                .collect::<Vec<_>>()
        };
        process.parts[2].told.newer = 9;
        assert_eq!(said(&overview, true), [""; 0]);
        overview.processes[0].parts[0].told.newer = 1;
        assert!(said(&overview, true)[0].starts_with("1 entry of a newer version stays in the buffer: "));
        overview.processes[0].parts[1].told.newer = 2;
        let found = said(&overview, true);
        assert!(found[0].starts_with("3 entries of a newer version stay in the buffer: "), "{found:?}");
        assert!(found.len() == 1 && found[0].contains("Upgrade the workers"), "{found:?}");
        assert_eq!(
            said(&overview, false),
            ["Some of what was received waits for a newer version of the program"]
        );
    }

    #[test]
    fn where_nothing_is_wrong_all_is_well() {
        let (overview, status) = (Overview::default(), Status::default());
        let (room, store) = (Some(Room { free: 100, reusable: 0, reserve: 100 }), None);
        let look = Look { room, store, ..look(&overview, &status, true) };
        assert!(look.unwell().is_empty());
    }
}
