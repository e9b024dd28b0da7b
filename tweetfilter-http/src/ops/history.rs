//! How it was over time, as series of points at equal distances.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tweetfilter_core::post::Millis;
use tweetfilter_sql::{Database, KEPT, Sample, SampleKind};
use tweetfilter_stream::store::StoreError;

use super::figures::{BufferFigures, HostFigures, PartFigures, ProcessFigures};
use super::overview::Rates;
use super::recorder::EVERY;

/// Points of a series at most.
const POINTS: i64 = 240;
/// Samples of each that are looked at for a point, at most.
const LOOKS: i64 = 8;

/// The moments of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub from: Millis,
    /// The last, which may be yet to come: it has what there is up to now.
    pub to: Millis,
    /// Milliseconds between two.
    pub step: Millis,
}

/// How something was over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What: `cpu`, `memory`, `lines`, …
    pub name: &'static str,
    /// In what: `percent`, `bytes`, `bytes a second`, `a second`, `entries`, `seconds`.
    pub unit: &'static str,
    /// Of which host; empty where it is of all.
    pub host: String,
    /// Of which process, watched name or part; empty where it is of the host, or of all.
    pub of: String,
    /// A value for each moment, of the step that ends there: the average, or the most of what waits and how long; none where
    /// nothing was noted. Where a step is long, it is of up to eight samples of that time.
    pub points: Vec<Option<f64>>,
}

impl Span {
    /// The last so much, up to a time, in steps of whole samples.
    #[must_use]
    pub fn last(time: Duration, now: Millis) -> Self {
        let millis = |time: Duration| Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX);
        let (time, every) = (millis(time.clamp(EVERY, KEPT)), millis(EVERY));
        let step = (time / POINTS + every - 1) / every * every;
        let step = step.max(every);
        // Samples of this moment are on their way.
        let to = (now - 2_000).div_euclid(every) * every;
        let to = (to + step - 1).div_euclid(step) * step;
        Self { from: to - time / step * step, to, step }
    }

    /// Those of which samples are looked at, from the step of the first on.
    fn moments(self) -> Vec<Millis> {
        let every = Millis::try_from(EVERY.as_millis()).unwrap_or(Millis::MAX);
        let apart =
            (1..).map(|n| n * every).find(|apart| self.step % apart == 0 && apart * LOOKS >= self.step);
        let apart = apart.unwrap_or(self.step);
        // The one before it is where what is counted begins.
        let begin = self.from - self.step;
        (0..=(self.to - begin) / apart).map(|n| begin + n * apart).collect()
    }

    /// Which point a time belongs to.
    fn place(self, at: Millis) -> Option<usize> {
        usize::try_from((at - self.from + self.step - 1).div_euclid(self.step))
            .ok()
            .filter(|place| *place < self.count())
    }

    fn count(self) -> usize {
        usize::try_from((self.to - self.from) / self.step + 1).unwrap_or(0)
    }
}

/// Reads a history. With `all`, it has a series for each host, process and part; without, only what says nothing of
/// anybody: totals, and the buffer.
///
/// # Errors
/// See [`StoreError`].
pub async fn history(database: &Database, span: Span, all: bool) -> Result<Vec<Series>, StoreError> {
    let samples = database.samples_at(&span.moments()).await?;
    let mut lines = Lines { span, lines: BTreeMap::new() };
    // What was counted by each process, at the moment before.
    let mut before: HashMap<(&str, &str), (Millis, ProcessFigures)> = HashMap::new();
    for sample in &samples {
        match sample.kind {
            SampleKind::Process => {
                let Ok(figures) = serde_json::from_str::<ProcessFigures>(&sample.body) else { continue };
                let last = before.get(&(&sample.host[..], &sample.name[..]));
                lines.process(sample, last, &figures, all);
                before.insert((&sample.host, &sample.name), (sample.at, figures));
            }
            SampleKind::Host if all => lines.host(sample),
            SampleKind::Buffer => lines.buffer(sample),
            SampleKind::Host => {}
        }
    }
    Ok(lines.series())
}

/// Name, unit, host and whose, in the order in which they are shown.
type Key = (&'static str, &'static str, String, String);

struct Lines {
    span: Span,
    /// Of each that does it, for each point.
    lines: BTreeMap<Key, BTreeMap<String, Vec<Cell>>>,
}

/// What is known of a point.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    sum: f64,
    weight: f64,
    most: f64,
    /// From when to when that was.
    from: f64,
    to: f64,
}

/// In what is told what somebody did over time.
const RATE: &str = "a second";

/// What comes and goes: not how much there was on average matters, but how much at most.
const PEAKS: [&str; 3] = ["lag", "oldest", "waiting"];

impl Cell {
    /// What two did in the same step.
    fn beside(self, other: Self) -> Self {
        Self { sum: self.sum + other.sum, from: self.from.min(other.from), to: self.to.max(other.to), ..self }
    }

    fn value(self, name: &str) -> Option<f64> {
        let value = if PEAKS.contains(&name) { self.most } else { self.sum / self.weight };
        (self.weight > 0.0).then_some(value)
    }
}

impl Lines {
    /// Adds what something was at a time.
    fn add(
        &mut self,
        at: Millis,
        (name, unit): (&'static str, &'static str),
        host: &str,
        of: &str,
        value: f64,
    ) {
        self.add_of("", (at, 1.0), (name, unit), host, of, value);
    }

    /// Adds what somebody did over a time that ends there, in seconds.
    fn add_of(
        &mut self,
        who: &str,
        (at, weight): (Millis, f64),
        (name, unit): (&'static str, &'static str),
        host: &str,
        of: &str,
        value: f64,
    ) {
        let Some(place) = self.span.place(at) else { return };
        let count = self.span.count();
        let line = self.lines.entry((name, unit, host.to_owned(), of.to_owned())).or_default();
        let cells = line.entry(who.to_owned()).or_insert_with(|| vec![Cell::default(); count]);
        let cell = &mut cells[place];
        let (from, to) = (at as f64 / 1e3 - weight, at as f64 / 1e3);
        let is_first = cell.weight == 0.0;
        *cell = Cell {
            sum: cell.sum + value * weight,
            weight: cell.weight + weight,
            most: cell.most.max(value),
            from: if is_first { from } else { cell.from.min(from) },
            to: if is_first { to } else { cell.to.max(to) },
        };
    }

    fn process(
        &mut self,
        sample: &Sample,
        before: Option<&(Millis, ProcessFigures)>,
        figures: &ProcessFigures,
        all: bool,
    ) {
        let (at, host) = (sample.at, &sample.host[..]);
        if all {
            self.add(at, ("cpu", "percent"), host, &sample.name, figures.usage.cpu.into());
            self.add(at, ("memory", "bytes"), host, &sample.name, figures.usage.memory as f64);
        }
        for (name, part) in &figures.parts {
            if all && let Some(lag) = part.lag {
                self.add(at, ("lag", "seconds"), host, &format!("{}, {name}", sample.name), lag as f64 / 1e3);
            }
            let (from, before) = match before {
                Some((from, before)) if before.began == figures.began => {
                    (*from, before.parts.get(name).copied().unwrap_or_default())
                }
                // It began between two moments, and has counted since then.
                _ if figures.began > at - self.span.step => (figures.began, PartFigures::default()),
                _ => continue,
            };
            let rates = Rates::between(&before, part, at - from);
            for (what, rate, counts) in [
                ("lines", rates.lines, part.lines),
                ("posts", rates.committed, part.committed),
                ("matches", rates.matches, part.matches),
                ("requests", rates.requests, part.requests),
            ] {
                if counts == 0 {
                    continue;
                }
                let over = (at, (at - from).max(1) as f64 / 1e3);
                let who = format!("{host} {}, {name}", sample.name);
                self.add_of(&who, over, (what, RATE), "", "", rate);
                if all {
                    let of = format!("{}, {name}", sample.name);
                    self.add_of("", over, (what, RATE), host, &of, rate);
                }
            }
        }
    }

    fn host(&mut self, sample: &Sample) {
        let Ok(figures) = serde_json::from_str::<HostFigures>(&sample.body) else { return };
        let (at, host) = (sample.at, &sample.host[..]);
        self.add(at, ("cpu", "percent"), host, "", figures.cpu.into());
        self.add(at, ("load", "processes"), host, "", figures.load.into());
        self.add(at, ("memory", "bytes"), host, "", figures.memory as f64);
        self.add(at, ("disk", "bytes"), host, "", figures.disk as f64);
        self.add(at, ("received", "bytes a second"), host, "", figures.received as f64);
        self.add(at, ("sent", "bytes a second"), host, "", figures.sent as f64);
        for (name, usage) in &figures.watched {
            self.add(at, ("cpu", "percent"), host, name, usage.cpu.into());
            self.add(at, ("memory", "bytes"), host, name, usage.memory as f64);
        }
    }

    fn buffer(&mut self, sample: &Sample) {
        let Ok(figures) = serde_json::from_str::<BufferFigures>(&sample.body) else { return };
        self.add(sample.at, ("waiting", "entries"), "", "", figures.entries as f64);
        let age = figures.age.unwrap_or(0) as f64 / 1e3;
        self.add(sample.at, ("oldest", "seconds"), "", "", age);
    }

    fn series(self) -> Vec<Series> {
        let count = self.span.count();
        let series = self.lines.into_iter().map(|((name, unit, host, of), line)| {
            // What several do is added up.
            let point = |place: usize| {
                let cells = line.values().map(|cells| cells[place]).filter(|cell| cell.weight > 0.0);
                let value = match unit {
                    // One may have done it after the other.
                    RATE => cells.reduce(Cell::beside).map(|all| all.sum / (all.to - all.from)),
                    _ => cells.filter_map(|cell| cell.value(name)).reduce(|sum, value| sum + value),
                };
                value.map(|value| (value * 1_000.0).round() / 1_000.0)
            };
            let points = (0..count).map(point).collect();
            Series { name, unit, host, of, points }
        });
        series.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_has_no_more_points_than_an_hour() {
        let now = 1_700_000_007_000;
        for (hours, step) in [(1, 15_000), (24, 360_000), (168, 2_520_000), (10_000, 2_520_000)] {
            let span = Span::last(Duration::from_secs(hours * 3600), now);
            assert_eq!(span.step, step);
            assert!(span.count() as i64 <= POINTS + 1 && span.to > now - 17_000 && span.to < now + step);
            let moments = span.moments();
            assert!(moments.len() as i64 <= (POINTS + 2) * LOOKS, "{}", moments.len());
            // At these moments samples are taken, whatever the step.
            assert!(moments.iter().all(|moment| moment % 15_000 == 0));
            assert!(moments.first().is_some_and(|first| *first == span.from - step), "{span:?}");
            assert!(moments.last().is_some_and(|last| *last == span.to));
        }
    }

    #[test]
    fn a_point_is_of_all_that_was_noted_in_its_step() {
        let span = Span { from: 360_000, to: 1_080_000, step: 360_000 };
        let mut lines = Lines { span, lines: BTreeMap::new() };
        let buffer = |at: Millis, entries: u64, age: Millis| Sample {
            at,
            kind: SampleKind::Buffer,
            host: String::new(),
            name: String::new(),
            body: serde_json::json!({"entries": entries, "age": age}).to_string(),
        };
        for sample in [
            buffer(375_000, 9, 10),
            buffer(450_000, 900, 75_000),
            buffer(720_000, 3, 0),
            buffer(735_000, 4, 0),
        ] {
            lines.buffer(&sample);
        }
        for (at, host, cpu) in
            [(390_000, "a", 10.0), (420_000, "a", 30.0), (420_000, "b", 50.0), (2_000_000, "a", 9.0)]
        {
            lines.add(at, ("cpu", "percent"), host, "", cpu);
        }
        // Two do the same, one of them for half of the time; and one after the other.
        for (who, at, rate) in [
            ("a", 460_000, 10.0),
            ("a", 520_000, 20.0),
            ("b", 520_000, 4.0),
            ("b", 780_000, 20.0),
            ("c", 840_000, 20.0),
        ] {
            lines.add_of(who, (at, 60.0), ("lines", RATE), "", "", rate);
        }
        let series = lines.series();
        let points = |name: &str, host: &str| {
            series
                .iter()
                .find(|one| one.name == name && one.host == host)
                .map(|one| one.points.clone())
                .unwrap()
        };
        assert_eq!(points("waiting", ""), [None, Some(900.0), Some(4.0)]);
        assert_eq!(points("oldest", ""), [None, Some(75.0), Some(0.0)]);
        assert_eq!(
            (points("cpu", "a"), points("cpu", "b")),
            (vec![None, Some(20.0), None], vec![None, Some(50.0), None])
        );
        assert_eq!(points("lines", ""), [None, Some(17.0), Some(20.0)]);
    }
}
