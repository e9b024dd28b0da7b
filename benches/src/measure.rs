//! Timing several things against each other in interleaved rounds.
//!
//! Shared machines drift by up to a factor of two, so two figures mean something beside each other only when
//! their runs alternate. Every round runs every contestant once; what is reported is the median. Time is the
//! thread's own time on a processor, so that waiting for a busy machine does not count.

use cpu_time::ThreadTime;

/// Seconds of processor time that this thread has used, to the nanosecond where the system counts so finely.
///
/// # Panics
/// Where the system has no clock for threads.
#[must_use]
pub fn seconds() -> f64 {
    ThreadTime::now().as_duration().as_secs_f64()
}

/// One pass of a contestant over all its posts.
type Pass<'a> = Box<dyn FnMut() -> u64 + 'a>;

/// Things that are timed against each other. Each does one pass and returns a count that must not change.
#[derive(Default)]
pub struct Contest<'a> {
    contestants: Vec<(&'static str, Pass<'a>)>,
}

impl std::fmt::Debug for Contest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.contestants.iter().map(|(name, _)| name)).finish()
    }
}

/// Seconds of one contestant's passes.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Its name.
    pub name: &'static str,
    /// What a pass counted.
    pub count: u64,
    seconds: Vec<f64>,
}

impl<'a> Contest<'a> {
    /// Adds a contestant.
    pub fn add(&mut self, name: &'static str, pass: impl FnMut() -> u64 + 'a) {
        self.contestants.push((name, Box::new(pass)));
    }

    /// One unmeasured pass each, then `rounds` rounds, each beginning with another contestant.
    ///
    /// # Panics
    /// When a pass counts something else than the pass before.
    #[must_use]
    pub fn run(mut self, rounds: usize) -> Vec<Timing> {
        let mut timings: Vec<Timing> = self
            .contestants
            .iter_mut()
            .map(|(name, pass)| Timing { name, count: pass(), seconds: Vec::with_capacity(rounds) })
            .collect();
        let contestants = self.contestants.len();
        for turn in 0..rounds * contestants {
            // Within each round the order rotates, so that nobody always follows the same other.
            let at = (turn + turn / contestants) % contestants;
            let start = seconds();
            let count = std::hint::black_box((self.contestants[at].1)());
            timings[at].seconds.push(seconds() - start);
            assert_eq!(count, timings[at].count, "{} counts differently from pass to pass", timings[at].name);
        }
        timings
    }
}

impl Timing {
    /// The median.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        median(&self.seconds)
    }

    /// The fastest and the slowest pass, as shares of the median.
    #[must_use]
    pub fn spread(&self) -> (f64, f64) {
        let median = self.seconds();
        let low = self.seconds.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.seconds.iter().copied().fold(0.0, f64::max);
        (low / median, high / median)
    }

    /// How many times as long this one took as `other`: the median of the rounds' own ratios.
    #[must_use]
    pub fn ratio(&self, other: &Timing) -> f64 {
        let ratios: Vec<f64> = self.seconds.iter().zip(&other.seconds).map(|(a, b)| a / b).collect();
        median(&ratios)
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contestant_runs_once_a_round_in_changing_order() {
        let order = &std::cell::RefCell::new(Vec::new());
        let mut contest = Contest::default();
        for name in ["a", "b", "c"] {
            contest.add(name, move || {
                order.borrow_mut().push(name);
                1
            });
        }
        let timings = contest.run(3);
        assert!(timings.iter().all(|t| t.seconds.len() == 3));
        assert_eq!(order.borrow()[3..], ["a", "b", "c", "b", "c", "a", "c", "a", "b"]);
    }

    #[test]
    #[should_panic(expected = "counts differently")]
    fn a_changing_count_is_refused() {
        let mut count = 0;
        let mut contest = Contest::default();
        contest.add("drifting", || {
            count += 1;
            count
        });
        let _ = contest.run(2);
    }
}
