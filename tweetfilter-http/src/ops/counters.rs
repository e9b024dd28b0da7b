//! What a part counts.

use std::sync::atomic::{AtomicI64, Ordering};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use tweetfilter_core::post::Millis;

use super::figures::PartFigures;
use crate::parts::now;

/// Upper bounds of the time that things take, in seconds.
const SECONDS: [f64; 14] =
    [0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Names and values of labels.
pub(super) type Labels = Vec<(&'static str, String)>;

/// Makes histograms of times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times;

impl MetricConstructor<Histogram> for Times {
    fn new_metric(&self) -> Histogram {
        Histogram::new(SECONDS)
    }
}

/// What a part counted since its process began; a part that is started again goes on counting.
#[derive(Debug)]
pub struct Counters {
    /// Lines of sources that are safe in the buffer, or were found to be nothing.
    pub lines: Counter,
    /// Lines that carry a post.
    pub posts: Counter,
    /// Lines that can't be read.
    pub unreadable: Counter,
    /// Entries that were appended to the buffer.
    pub appended: Counter,
    /// Gaps that were recorded.
    pub gaps: Counter,
    /// Messages that gaps say are missing.
    pub missing: Counter,
    /// Entries that were leased.
    pub leased: Counter,
    /// Those of them that had been leased before.
    pub redelivered: Counter,
    /// Posts that are new in the store.
    pub committed: Counter,
    /// Deliveries that are new in the store.
    pub deliveries: Counter,
    /// Matches that are new in the store.
    pub matches: Counter,
    /// Entries that went to the dead letters.
    pub dead: Counter,
    /// How long a batch was evaluated, in seconds.
    pub evaluation: Histogram,
    /// How long a commit took, in seconds.
    pub commit: Histogram,
    /// Requests that were answered.
    pub requests: Counter,
    /// Live streams that are open.
    pub streams: Gauge,
    /// Requests by `method`, `route` and `status`.
    pub(super) answers: Family<Labels, Counter>,
    /// How long requests took by `method` and `route`, in seconds, streams until they began.
    pub(super) times: Family<Labels, Histogram, Times>,
    /// How old the oldest post of the last commit was, in milliseconds since it was received, and when that was.
    lag: AtomicI64,
    lag_at: AtomicI64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            lines: Counter::default(),
            posts: Counter::default(),
            unreadable: Counter::default(),
            appended: Counter::default(),
            gaps: Counter::default(),
            missing: Counter::default(),
            leased: Counter::default(),
            redelivered: Counter::default(),
            committed: Counter::default(),
            deliveries: Counter::default(),
            matches: Counter::default(),
            dead: Counter::default(),
            evaluation: Histogram::new(SECONDS),
            commit: Histogram::new(SECONDS),
            requests: Counter::default(),
            streams: Gauge::default(),
            answers: Family::default(),
            times: Family::new_with_constructor(Times),
            lag: AtomicI64::new(0),
            lag_at: AtomicI64::new(0),
        }
    }
}

impl Counters {
    /// One request was answered; `route` is the route's template, of which there are only so many.
    pub fn answered(&self, method: &str, route: &str, status: u16, seconds: f64) {
        self.requests.inc();
        let labels = vec![("method", method.to_owned()), ("route", route.to_owned())];
        self.times.get_or_create(&labels).observe(seconds);
        let labels = [labels, vec![("status", status.to_string())]].concat();
        self.answers.get_or_create(&labels).inc();
    }

    /// The oldest post of a commit was received so long before it was stored.
    pub(super) fn lagged(&self, millis: Millis) {
        self.lag.store(millis.max(0), Ordering::Relaxed);
        self.lag_at.store(now(), Ordering::Relaxed);
    }

    /// The lag of the last commit, if there was one lately.
    pub(super) fn lag(&self) -> Option<Millis> {
        // One that lies ahead is of before the clock was set back.
        let recent = (0..20_000).contains(&(now() - self.lag_at.load(Ordering::Relaxed)));
        recent.then(|| self.lag.load(Ordering::Relaxed))
    }

    pub(super) fn figures(&self) -> PartFigures {
        PartFigures {
            lines: self.lines.get(),
            unreadable: self.unreadable.get(),
            appended: self.appended.get(),
            leased: self.leased.get(),
            committed: self.committed.get(),
            matches: self.matches.get(),
            dead: self.dead.get(),
            requests: self.requests.get(),
            streams: self.streams.get().max(0).cast_unsigned(),
            lag: self.lag(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_is_known_for_a_while_and_not_by_a_clock_that_was_set_back() {
        let counters = Counters::default();
        assert_eq!(counters.lag(), None);
        counters.lagged(70);
        assert_eq!(counters.lag(), Some(70));
        for millis in [-60_000, 3_600_000] {
            counters.lag_at.store(now() + millis, Ordering::Relaxed);
            assert_eq!(counters.lag(), None, "{millis}");
        }
    }
}
