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
    /// follows at once.
    AsRecorded,
}

/// A pace, and how far it has come.
#[derive(Debug)]
pub(super) struct Schedule {
    pace: Pace,
    given: u64,
    /// When the first line was given, and its time.
    start: Option<(Duration, Option<Millis>)>,
}

/// Times to wait for that are longer than this are not believed.
const LONGEST: Duration = Duration::from_secs(86_400);

impl Schedule {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, given: 0, start: None }
    }

    /// How long to wait before the next line.
    pub(super) fn wait(&mut self, line: &[u8], now: Duration) -> Duration {
        let (start, first) = self.start.get_or_insert((now, None));
        let after = match self.pace {
            Pace::Rate(rate) => Duration::try_from_secs_f64(self.given as f64 / rate).unwrap_or(LONGEST),
            Pace::AsRecorded => {
                let time = recorded(line);
                let first = match (&first, time) {
                    (Some(first), _) => *first,
                    (None, Some(time)) => *first.insert(time),
                    (None, None) => return Duration::ZERO,
                };
                let after = time.map_or(0, |time| time.saturating_sub(first));
                Duration::from_millis(after.try_into().unwrap_or(0))
            }
        };
        (*start + after).saturating_sub(now).min(LONGEST)
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
            ["created_at", "createdAt", "postedTime"].into_iter().find_map(|key| time::parse(value(key)?))
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
}
