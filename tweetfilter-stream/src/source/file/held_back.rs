//! Posts that X held back while a file was recorded: what its `limit` messages say stands in the file, and is missing there.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use tweetfilter_core::post::Millis;

use super::pace::recorded;
use crate::buffer::Gap;
use crate::source::limit::{Limit, begins_with, held_back};
use crate::source::{Line, Lines};

/// Why posts are missing.
const REASON: &str = "X held posts back while this was recorded: more of them matched than it sent";

/// Counts that are looked back at.
const LATELY: usize = 8;

/// For how long a connection on which X holds posts back may be silent: it is full.
const SILENCE: Millis = 300_000;

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
    /// What came before counts that may be of another connection, or of one more machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Before>,
    /// A file has begun that may go on the connection, or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    begun: Option<Begun>,
    /// The time of what was read last.
    #[serde(skip_serializing_if = "Option::is_none")]
    near: Option<Millis>,
}

/// What was known when the counts became small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Before {
    /// The greatest count.
    held_back: u64,
    /// What was told of that, and of other connections since.
    told: u64,
    /// So many counts on, it is settled that those are of another connection.
    left: usize,
}

/// What is known of a file that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Begun {
    /// When what came before it ended.
    Behind(Millis),
    /// It goes on at that time. The first count is still to say whether it does.
    InTime,
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
            if begins_with(line.bytes, b"\"disconnect\"") {
                self.begins_anew();
            } else if let Some(count) = held_back(line) {
                let time = recorded(line.bytes).or_else(|| self.near(lines, index));
                self.settle(time, Some(count));
                gaps.extend(self.says(count, time.or(self.near).unwrap_or(at)));
            } else if let Some(Begun::Behind(_)) = self.begun
                && let Some(time) = time(line)
            {
                self.settle(Some(time), None);
            }
        }
        self.near = lines.iter().rev().take(NEAR).find_map(time).or(self.near);
        gaps
    }

    /// What is read now are the lines of another file, or of another one in a tar.
    pub(super) fn file_begins(&mut self) {
        match self.near {
            Some(ended) => self.begun = Some(Begun::Behind(ended)),
            None => self.begins_anew(),
        }
    }

    /// Settles whether a file that has begun goes on the connection of the one before, as one does that was cut by the clock:
    /// it begins when that ended, and no count became less.
    fn settle(&mut self, time: Option<Millis>, count: Option<u64>) {
        let is_in_time = match self.begun {
            None => return,
            Some(Begun::Behind(ended)) => time.is_some_and(|at| at.abs_diff(ended) <= SILENCE.unsigned_abs()),
            Some(Begun::InTime) => true,
        };
        let is_less = count.is_some_and(|count| self.lately.iter().all(|lately| count < *lately));
        match is_in_time && !is_less {
            true => self.begun = count.is_none().then_some(Begun::InTime),
            false => self.begins_anew(),
        }
    }

    /// What was not told yet, where nothing more is to be read.
    pub(super) fn rest(&mut self) -> Vec<Gap> {
        self.limit.rest().map(of_file).collect()
    }

    fn says(&mut self, count: u64, at: Millis) -> impl Iterator<Item = Gap> {
        // Nothing else says that there was another connection. X begins to count anew on it.
        if self.lately.iter().min().is_some_and(|least| count < least / 2) {
            self.may_begin_anew();
        } else {
            self.may_go_on(count);
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
        (self.before, self.begun) = (None, None);
    }

    /// The counts became small: those of another connection, or of one more machine.
    fn may_begin_anew(&mut self) {
        let held_back = self.limit.held_back();
        let before = match self.before.take() {
            Some(before) => Before { told: before.told.saturating_add(held_back), ..before },
            None => Before { held_back, told: held_back, left: LATELY },
        };
        self.begins_anew();
        self.before = Some(before);
    }

    /// Goes on with what was before the counts became small, if they go on there at once: of another connection they come to as
    /// much bit by bit.
    fn may_go_on(&mut self, count: u64) {
        let Some(Before { held_back, told, left }) = self.before.take() else { return };
        if count >= held_back && self.limit.held_back() < held_back / 2 {
            self.limit.goes_on(held_back, told);
        } else if let Some(left @ 1..) = left.checked_sub(1) {
            self.before = Some(Before { held_back, told, left });
        }
    }

    /// The time of a line that has none itself: of what stands before it in its file, or else behind it.
    fn near(&self, lines: &Lines, index: usize) -> Option<Millis> {
        let behind = || lines.iter().skip(index + 1).take(NEAR).find_map(time);
        let before = lines.iter().take(index).rev().take(NEAR).find_map(time);
        let in_file = self.near.filter(|_| !matches!(self.begun, Some(Begun::Behind(_))));
        before.or(in_file).or_else(behind)
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
