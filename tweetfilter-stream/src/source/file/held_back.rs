//! Posts that X held back while a file was recorded: what its `limit` messages say stands in the file, and is missing there.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use tweetfilter_core::post::Millis;

use super::pace::recorded;
use crate::buffer::Gap;
use crate::source::limit::{Limit, held_back};
use crate::source::{Line, Lines};

/// Why posts are missing.
const REASON: &str = "X held posts back while this was recorded: more of them matched than it sent";

/// Counts that are looked back at.
const LATELY: usize = 8;

/// Lines behind which no time is looked for any more.
const NEAR: usize = 16;

/// What is known of the connection that was recorded. It stands in the cursor, so that who reads on tells the same gaps as who
/// reads all at once; and gaps are of the times that were recorded, so that who reads again tells them again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct HeldBack {
    limit: Limit,
    /// The last counts: those of several of X's machines come by turns, each of which only grows.
    lately: VecDeque<u64>,
    /// The time of what was read last.
    #[serde(skip)]
    near: Option<Millis>,
}

impl HeldBack {
    /// Whether nothing was held back.
    pub(super) fn is_none(&self) -> bool {
        self.lately.is_empty() && self.limit == Limit::default()
    }

    /// Reads what lines say of it that are read at a time; the gaps that are to be told.
    pub(super) fn read(&mut self, lines: &Lines, at: Millis) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            if line.bytes.trim_ascii_start().starts_with(b"{\"disconnect\"") {
                self.begins_anew();
            } else if let Some(count) = held_back(line) {
                let time = recorded(line.bytes).or_else(|| self.near(lines, index)).unwrap_or(at);
                gaps.extend(self.says(count, time));
            }
        }
        self.near = lines.iter().rev().take(NEAR).find_map(time).or(self.near);
        gaps
    }

    /// What was not told yet, where nothing more is to be read.
    pub(super) fn rest(&mut self) -> Vec<Gap> {
        self.limit.rest().map(of_file).collect()
    }

    fn says(&mut self, count: u64, at: Millis) -> impl Iterator<Item = Gap> {
        // Nothing else says that there was another connection. X begins to count anew on it.
        if self.lately.iter().min().is_some_and(|least| count < least / 2) {
            self.begins_anew();
        }
        if self.lately.len() >= LATELY {
            self.lately.pop_front();
        }
        self.lately.push_back(count);
        self.limit.says(at, at, Some(count)).map(of_file)
    }

    fn begins_anew(&mut self) {
        self.limit.begins_anew();
        self.lately.clear();
    }

    /// The time of a line that has none itself: of what stands before it, or else behind it.
    fn near(&self, lines: &Lines, index: usize) -> Option<Millis> {
        let behind = || lines.iter().skip(index + 1).take(NEAR).find_map(time);
        let before = lines.iter().take(index).rev().take(NEAR).find_map(time);
        before.or(self.near).or_else(behind)
    }
}

fn time(line: Line<'_>) -> Option<Millis> {
    if line.too_long { None } else { recorded(line.bytes) }
}

fn of_file(gap: Gap) -> Gap {
    Gap { reason: REASON.to_owned(), ..gap }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;

    /// What gaps say: from, to, and how many are missing.
    fn told(gaps: Vec<Gap>) -> Vec<(Millis, Millis, u64)> {
        gaps.into_iter().map(|gap| (gap.from, gap.to, gap.missing.unwrap_or(0))).collect()
    }

    fn read(held_back: &mut HeldBack, all: &[String]) -> Vec<(Millis, Millis, u64)> {
        let mut lines = Lines::default();
        all.iter().for_each(|line| lines.push(line.as_bytes(), b"\n"));
        told(held_back.read(&lines, 77))
    }

    fn limit(count: u64, at: Millis) -> String {
        format!(r#"{{"limit":{{"track":{count},"timestamp_ms":"{at}"}}}}"#)
    }

    #[test]
    fn what_was_held_back_is_told_at_the_times_that_were_recorded() {
        let mut held_back = HeldBack::default();
        let all = [limit(5, MINUTE), limit(2, 2 * MINUTE), limit(8, 3 * MINUTE), limit(9, 12 * MINUTE)];
        assert_eq!(read(&mut held_back, &all), [(MINUTE, MINUTE, 5), (3 * MINUTE, 12 * MINUTE, 4)]);
        assert_eq!(read(&mut held_back, &[limit(10, 13 * MINUTE)]), []);
        assert_eq!(told(held_back.rest()), [(13 * MINUTE, 13 * MINUTE, 1)]);
        assert_eq!(told(held_back.rest()), []);
    }

    #[test]
    fn a_count_that_begins_anew_is_of_another_connection() {
        let mut held_back = HeldBack::default();
        // Those of two machines by turns are of one.
        let all = [100, 60, 110, 70].map(|count| limit(count, MINUTE));
        assert_eq!(read(&mut held_back, &all), [(MINUTE, MINUTE, 100)]);
        let all = [limit(3, 2 * MINUTE), limit(4, 3 * MINUTE)];
        assert_eq!(read(&mut held_back, &all), [(MINUTE, MINUTE, 10), (2 * MINUTE, 2 * MINUTE, 3)]);
        // Where X says that it ends, the counts need not show it.
        let all = [r#"{"disconnect":{"code":4}}"#.to_owned(), limit(6, 4 * MINUTE)];
        assert_eq!(read(&mut held_back, &all), [(3 * MINUTE, 3 * MINUTE, 1), (4 * MINUTE, 4 * MINUTE, 6)]);
    }

    #[test]
    fn a_count_without_a_time_is_of_that_of_its_neighbours() {
        let untimed = || r#"{"limit":{"track":7}}"#.to_owned();
        let post = |at: Millis| format!(r#"{{"text":"a","timestamp_ms":"{at}"}}"#);
        let first = |all: &[String]| read(&mut HeldBack::default(), all);
        assert_eq!(first(&[post(MINUTE), untimed(), post(2 * MINUTE)]), [(MINUTE, MINUTE, 7)]);
        assert_eq!(first(&[untimed(), post(2 * MINUTE)]), [(2 * MINUTE, 2 * MINUTE, 7)]);
        assert_eq!(first(&[untimed()]), [(77, 77, 7)]);
        let mut held_back = HeldBack::default();
        assert_eq!(read(&mut held_back, &[post(3 * MINUTE)]), []);
        assert_eq!(read(&mut held_back, &[untimed()]), [(3 * MINUTE, 3 * MINUTE, 7)]);
    }
}
