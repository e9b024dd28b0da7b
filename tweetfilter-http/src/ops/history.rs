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

/// The moments of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub from: Millis,
    /// The last.
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
    /// A value for each moment; none where nothing was noted.
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
        let to = (now - 2_000) / step * step;
        Self { from: to - time / step * step, to, step }
    }

    fn moments(self) -> Vec<Millis> {
        (0..=(self.to - self.from) / self.step).map(|n| self.from + n * self.step).collect()
    }
}

/// Reads a history. With `all`, it has a series for each host, process and part; without, only what says nothing of
/// anybody: totals, and the buffer.
///
/// # Errors
/// See [`StoreError`].
pub async fn history(database: &Database, span: Span, all: bool) -> Result<Vec<Series>, StoreError> {
    let mut moments = vec![span.from - span.step];
    moments.extend(span.moments());
    let samples = database.samples_at(&moments).await?;
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
    lines: BTreeMap<Key, Vec<Option<f64>>>,
}

impl Lines {
    fn add(
        &mut self,
        at: Millis,
        (name, unit): (&'static str, &'static str),
        host: &str,
        of: &str,
        value: f64,
    ) {
        if at < self.span.from {
            return;
        }
        let place = usize::try_from((at - self.span.from) / self.span.step).unwrap_or(usize::MAX);
        let count = usize::try_from((self.span.to - self.span.from) / self.span.step + 1).unwrap_or(0);
        let points = self.lines.entry((name, unit, host.to_owned(), of.to_owned()));
        if let Some(point) = points.or_insert_with(|| vec![None; count]).get_mut(place) {
            // What several processes do is added up.
            *point = Some(((point.unwrap_or(0.0) + value) * 1_000.0).round() / 1_000.0);
        }
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
                self.add(at, (what, "a second"), "", "", rate);
                if all {
                    self.add(at, (what, "a second"), host, &format!("{}, {name}", sample.name), rate);
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
        let series = self.lines.into_iter().map(|((name, unit, host, of), points)| Series {
            name,
            unit,
            host,
            of,
            points,
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
            assert!(
                span.moments().len() as i64 <= POINTS + 1 && span.to <= now && span.to > now - step - 2_000
            );
            // At these moments samples are taken, whatever the step.
            assert!(span.moments().iter().all(|moment| moment % 15_000 == 0));
        }
    }
}
