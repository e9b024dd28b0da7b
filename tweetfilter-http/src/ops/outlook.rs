//! Where the buffer is going, by what was in it over the last minutes.

use tweetfilter_core::post::Millis;

use super::figures::BufferFigures;
use super::overview::RATES;

/// Where the buffer is going.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outlook {
    /// It is empty, or stays as it is.
    Steady,
    /// It gets emptier: after so many seconds it is empty.
    Drains(f64),
    /// It grows, and how much room there is isn't known.
    Grows,
    /// It grows: after so many seconds it is full; after none, it is.
    Full(f64),
}

impl Outlook {
    /// The name of it, and after how many seconds it is so.
    #[must_use]
    pub fn named(self) -> (&'static str, Option<f64>) {
        match self {
            Self::Steady => ("steady", None),
            Self::Drains(seconds) => ("drains", Some(seconds)),
            Self::Grows => ("grows", None),
            Self::Full(seconds) => ("full", Some(seconds)),
        }
    }
}

/// A few entries more or less are those that are always under way.
const FEW: f64 = 64.0;
/// The time after which it can be told that a buffer goes another way than before.
const TURN: Millis = 10_000;
/// By how much of what is in it, then.
const TURNED: f64 = 0.1;

/// From where the buffer goes, if that is the other way than over the last minute: a worker that was killed, or is back, says
/// more of what comes than what was before.
fn turned(buffer: &[(Millis, BufferFigures)]) -> Option<&(Millis, BufferFigures)> {
    let (to, last) = buffer.last()?;
    let entries = |sample: &(Millis, BufferFigures)| sample.1.entries;
    let minute = buffer.iter().filter(|(at, _)| to - at <= RATES);
    let grew = last.entries > entries(minute.clone().next()?);
    // The last of those that are alike.
    let far = match grew {
        true => minute.max_by_key(|sample| entries(sample)),
        false => minute.rev().min_by_key(|sample| entries(sample)),
    }?;
    let most = entries(far).max(last.entries) as f64;
    let by = entries(far).abs_diff(last.entries) as f64;
    (to - far.0 >= TURN && by > (most * TURNED).max(FEW)).then_some(far)
}

/// Where the buffer is going at the rate of the last minute: what went before has no say in when it is full. Entries of a newer
/// version stay where they are.
pub(super) fn outlook(buffer: &[(Millis, BufferFigures)], newer: u64) -> Option<Outlook> {
    let ((to, last), before) = buffer.split_last()?;
    let minute = before.iter().find(|(at, _)| to - at <= RATES);
    let (from, first) = turned(buffer).or(minute).or(before.last()).unwrap_or(&buffer[0]);
    let stays = match last.room {
        Some(0) => Outlook::Full(0.0),
        _ => Outlook::Steady,
    };
    let seconds = (to - from) as f64 / 1_000.0;
    if seconds < 1.0 {
        return (last.entries == 0 || stays != Outlook::Steady).then_some(stays);
    }
    let (before, after) = (first.entries as f64, last.entries as f64);
    let few = (after.max(before) * 0.002).max(FEW);
    if (after - before).abs() <= few {
        return Some(stays);
    }
    if after < before {
        // And then it is as empty as it gets.
        let left = after - newer as f64;
        return Some(if left <= few { stays } else { Outlook::Drains(left / ((before - after) / seconds)) });
    }
    let bytes = last.bytes.saturating_sub(first.bytes) as f64 / seconds;
    Some(match last.room {
        Some(room) if bytes > 0.0 => Outlook::Full(room as f64 / bytes),
        _ => Outlook::Grows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(at: Millis, entries: u64, room: Option<u64>) -> (Millis, BufferFigures) {
        (at, BufferFigures { entries, bytes: entries * 100, room, ..BufferFigures::default() })
    }

    #[test]
    fn a_buffer_drains_fills_or_stays() {
        let of = |before, after, room| outlook(&[buffer(0, before, None), buffer(10_000, after, room)], 0);
        assert_eq!(outlook(&[], 0), None);
        assert_eq!(outlook(&[buffer(0, 500, None)], 0), None, "one sample says nothing of where it goes");
        assert_eq!(of(0, 20, Some(5)), Some(Outlook::Steady));
        assert_eq!(of(2_000, 1_000, None), Some(Outlook::Drains(10.0)));
        // 100 entries of 100 bytes a second.
        assert_eq!(of(0, 1_000, Some(1_000_000)), Some(Outlook::Full(100.0)));
        assert_eq!(of(0, 1_000, None), Some(Outlook::Grows));
        // Full, whether it grew until now, for long or not at all, unless it gets emptier.
        assert_eq!(outlook(&[buffer(0, 500, Some(0))], 0), Some(Outlook::Full(0.0)));
        let full =
            [(0, 1_000), (1_000, 1_000), (2_000, 1_000)].map(|(before, after)| of(before, after, Some(0)));
        assert_eq!(full, [Outlook::Full(0.0), Outlook::Full(0.0), Outlook::Drains(10.0)].map(Some));
    }

    #[test]
    fn what_a_buffer_did_before_the_last_minute_says_nothing_of_when_it_is_full() {
        // Steady for four minutes, and then 100 entries a second, of which 10,000 still fit.
        let of = |step: Millis| {
            let samples: Vec<_> = (0..=300_000 / step)
                .map(|n| {
                    buffer(
                        n * step,
                        1_000 + (n * step - 240_000).max(0).cast_unsigned() / 10,
                        Some(1_000_000),
                    )
                })
                .collect();
            outlook(&samples, 0)
        };
        assert_eq!(of(15_000), Some(Outlook::Full(100.0)));
        // Where samples come seldom, the last two say it.
        let Some(Outlook::Full(seconds)) = of(100_000) else { panic!("{:?}", of(100_000)) };
        assert!((seconds - 1_000_000.0 / 6_000.0).abs() < 1.0, "{seconds}");
        let stopped = [buffer(0, 0, None), buffer(240_000, 9_000, None), buffer(300_000, 9_000, Some(5))];
        assert_eq!(outlook(&stopped, 0), Some(Outlook::Steady));
    }

    #[test]
    fn a_buffer_that_goes_another_way_than_a_while_ago_goes_that_way() {
        let of = |entries: &[u64]| {
            let samples: Vec<_> =
                (0..).zip(entries).map(|(n, &entries)| buffer(n * 15_000, entries, None)).collect();
            outlook(&samples, 0)
        };
        // Nobody works any more, and then somebody does again.
        assert_eq!(of(&[10_000, 5_000, 200, 1_700, 3_200]), Some(Outlook::Grows));
        assert_eq!(of(&[0, 5_000, 9_000, 7_500, 6_000]), Some(Outlook::Drains(60.0)));
        // A batch more or less is no turn.
        let Some(Outlook::Drains(seconds)) = of(&[10_000, 8_500, 7_000, 5_500, 5_900]) else {
            panic!("it drains")
        };
        assert!((seconds - 86.3).abs() < 0.1, "{seconds}");
    }

    #[test]
    fn a_buffer_that_is_as_empty_as_it_gets_stays_so() {
        let of = |after, newer| outlook(&[buffer(0, 2_000, None), buffer(10_000, after, None)], newer);
        assert_eq!(of(16, 0), Some(Outlook::Steady), "a few are always under way");
        assert_eq!(of(507, 500), Some(Outlook::Steady), "what workers leave does not get less");
        assert_eq!(of(1_000, 500), Some(Outlook::Drains(5.0)));
    }
}
