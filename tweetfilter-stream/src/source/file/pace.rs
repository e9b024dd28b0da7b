//! When each line of a file is due.

use std::time::Duration;

use tweetfilter_core::post::Millis;

use crate::json::members;
use crate::wire::time;

/// How fast lines are given.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Pace {
    /// So many lines a second. Lines that nobody asked for in time are made up for.
    Rate(f64),
    /// Spaced by the times that the messages carry. One without a time, or that is older than those before it,
    /// follows at once; so does one that is more than a day older or newer, and from its time it goes on.
    AsRecorded,
}

/// A pace, and how far it has come.
#[derive(Debug)]
pub(super) struct Schedule {
    pace: Pace,
    given: u64,
    /// When the first line was given.
    start: Option<Duration>,
    /// When a line of a time is due: the newest of those that were given, unless a leap came after it.
    due: Option<(Duration, Millis)>,
}

/// Nobody waits for longer than this: times that are further apart are a leap, of a clock or to another post.
const LONGEST: Duration = Duration::from_secs(86_400);

impl Schedule {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, given: 0, start: None, due: None }
    }

    /// How long to wait before the next line.
    pub(super) fn wait(&mut self, line: &[u8], now: Duration) -> Duration {
        let start = *self.start.get_or_insert(now);
        match self.pace {
            Pace::Rate(rate) => {
                let after = Duration::try_from_secs_f64(self.given as f64 / rate).unwrap_or(LONGEST);
                (start + after).saturating_sub(now).min(LONGEST)
            }
            Pace::AsRecorded => {
                let Some(time) = recorded(line) else { return Duration::ZERO };
                let (due, before) = *self.due.get_or_insert((now, time));
                let apart = Duration::from_millis(time.abs_diff(before));
                if apart > LONGEST {
                    self.due = Some((now, time));
                    return Duration::ZERO;
                }
                if time <= before {
                    return Duration::ZERO;
                }
                let wait = (due + apart).saturating_sub(now);
                if wait.is_zero() {
                    self.due = Some((due + apart, time));
                }
                wait
            }
        }
    }

    pub(super) fn given(&mut self) {
        self.given += 1;
    }
}

/// The time that a message of any wire carries, without decoding it.
pub(super) fn recorded(line: &[u8]) -> Option<Millis> {
    of_object(str::from_utf8(line).ok()?, 4)
}

fn of_object(object: &str, depth: u8) -> Option<Millis> {
    let members: Vec<_> = members(object).collect::<Result<_, _>>().ok()?;
    let value =
        |key: &str| members.iter().find(|(name, _)| name == key).map(|(_, value)| value.trim_matches('"'));
    let millis = |text: &str| text.parse::<Millis>().ok().filter(|at| *at >= 0);
    value("timestamp_ms")
        .and_then(millis)
        .or_else(|| value("time_us").and_then(millis).map(|us| us / 1000))
        .or_else(|| {
            // Of an edited one on Mastodon when that was done.
            ["edited_at", "created_at", "createdAt", "postedTime"]
                .into_iter()
                .find_map(|key| time::parse(value(key)?))
        })
        .or_else(|| {
            let below = depth.checked_sub(1)?;
            // An envelope, an API page or message of X, what was deleted or held back, a record.
            ["message", "data", "delete", "limit", "record"]
                .into_iter()
                .find_map(|key| of_object(value(key)?, below))
        })
        .or_else(|| {
            let payload = members.iter().find(|(name, _)| name == "payload").map(|(_, value)| value)?;
            of_object(&serde_json::from_str::<String>(payload).ok()?, depth.checked_sub(1)?)
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Pace, Schedule, recorded};

    #[test]
    fn times_are_found_in_every_wire() {
        for (line, expected) in [
            (r#"{"created_at":"Fri Jan 01 07:29:00 +0000 2021","text":"a"}"#, Some(1_609_486_140_000)),
            (
                r#"{"user":{"created_at":"Fri Jan 01 07:29:00 +0000 2010"},"timestamp_ms":"1609486140123"}"#,
                Some(1_609_486_140_123),
            ),
            (r#"{"for_user":"1","message":{"delete":{"status":{},"timestamp_ms":"7"}}}"#, Some(7)),
            (r#"{"data":{"created_at":"2021-01-01T07:29:00.000Z"}}"#, Some(1_609_486_140_000)),
            (r#"{"did":"d","time_us":1609486140123456,"kind":"commit"}"#, Some(1_609_486_140_123)),
            (
                r#"{"event":"update","payload":"{\"created_at\":\"2021-01-01T07:29:00.000Z\"}"}"#,
                Some(1_609_486_140_000),
            ),
            (
                r#"{"event":"status.update","payload":"{\"created_at\":\"2020-01-01T00:00:00.000Z\",\"edited_at\":\"2021-01-01T07:29:00.000Z\"}"}"#,
                Some(1_609_486_140_000),
            ),
            (
                r#"{"event":"update","payload":"{\"created_at\":\"2021-01-01T07:29:00.000Z\",\"edited_at\":null}"}"#,
                Some(1_609_486_140_000),
            ),
            (r#"{"limit":{"track":7}}"#, None),
            (r#"{"limit":{"track":7,"timestamp_ms":"8"}}"#, Some(8)),
            ("garbage", None),
        ] {
            assert_eq!(recorded(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn lines_are_due_in_turn() {
        let second = Duration::from_secs(1);
        let mut schedule = Schedule::new(Pace::Rate(4.0));
        assert_eq!(schedule.wait(b"", second), Duration::ZERO);
        schedule.given();
        assert_eq!(schedule.wait(b"", second), Duration::from_millis(250));
        assert_eq!(schedule.wait(b"", 2 * second), Duration::ZERO);

        let mut schedule = Schedule::new(Pace::AsRecorded);
        assert_eq!(schedule.wait(b"{}", second), Duration::ZERO);
        assert_eq!(schedule.wait(br#"{"timestamp_ms":"5000"}"#, second), Duration::ZERO);
        assert_eq!(schedule.wait(br#"{"timestamp_ms":"7500"}"#, 2 * second), Duration::from_millis(1500));
        assert_eq!(schedule.wait(br#"{"timestamp_ms":"4000"}"#, 2 * second), Duration::ZERO);
    }

    #[test]
    fn after_a_leap_it_goes_on_from_there() {
        let second = Duration::from_secs(1);
        let day = 86_400_000;
        let mut schedule = Schedule::new(Pace::AsRecorded);
        let mut wait = |time: i64, at: u32| {
            schedule.wait(format!(r#"{{"timestamp_ms":"{time}"}}"#).as_bytes(), at * second)
        };
        // An old post that was edited, and the stream.
        assert_eq!((wait(5_000, 1), wait(100 * day, 1)), (Duration::ZERO, Duration::ZERO));
        assert_eq!((wait(100 * day + 2_000, 1), wait(100 * day + 2_000, 3)), (2 * second, Duration::ZERO));
        // A clock that was wrong for one line.
        assert_eq!((wait(400 * day, 3), wait(100 * day + 3_000, 3)), (Duration::ZERO, Duration::ZERO));
        assert_eq!(wait(100 * day + 4_000, 3), second);
        // What is late is made up for.
        assert_eq!(
            (wait(100 * day + 4_000, 9), wait(100 * day + 8_000, 9)),
            (Duration::ZERO, Duration::ZERO)
        );
        assert_eq!(wait(100 * day + 12_000, 9), 3 * second);
        // A quiet night is one.
        assert_eq!(wait(100 * day + 36_012_000, 12), 36_000 * second);
    }
}
