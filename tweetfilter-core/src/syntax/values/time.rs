//! Times and durations.

use super::number::{Wrong, compare, decimal};
use crate::syntax::{AgeComparison, Comparison};

const DAY: i64 = 86_400;

/// A date (UTC), an RFC 3339 time or Unix seconds, in milliseconds since 1970.
pub(in crate::syntax) fn moment(text: &str) -> Option<i64> {
    if text.len() <= 12 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<i64>().ok().map(|s| s * 1000);
    }
    let bytes = text.as_bytes();
    let day = days(text.get(..10)?)?;
    if bytes.len() == 10 {
        return Some(day * DAY * 1000);
    }
    if !matches!(bytes[10], b'T' | b't' | b'_') {
        return None;
    }
    let clock = text.get(11..19)?.as_bytes();
    if clock[2] != b':' || clock[5] != b':' {
        return None;
    }
    let (hour, minute, second) =
        (pair(text.get(11..13)?)?, pair(text.get(14..16)?)?, pair(text.get(17..19)?)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (millis, zone) = fraction(text.get(19..)?)?;
    let seconds = day * DAY + hour * 3600 + minute * 60 + second - offset(zone)?;
    Some(seconds * 1000 + millis)
}

/// `.123…` at the start of a text, in milliseconds, and what follows.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let digits = &rest[..end];
    if digits.is_empty() {
        return None;
    }
    let millis = format!("{digits:0<3}")[..3].parse().ok()?;
    Some((millis, &rest[end..]))
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    if zone.len() != 6 || zone.as_bytes()[3] != b':' {
        return None;
    }
    let (hours, minutes) = (pair(zone.get(1..3)?)?, pair(zone.get(4..6)?)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn pair(text: &str) -> Option<i64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Days from 1970-01-01 to `YYYY-MM-DD`, in the Gregorian calendar.
fn days(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (century, rest) = (pair(text.get(..2)?)?, pair(text.get(2..4)?)?);
    let (year, month, day) = (century * 100 + rest, pair(text.get(5..7)?)?, pair(text.get(8..10)?)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = usize::try_from(month).ok()?.checked_sub(1)?;
    if day < 1 || day > *lengths.get(month)? || year < 1 {
        return None;
    }
    let before = year - 1;
    let to_year = before * 365 + before / 4 - before / 100 + before / 400;
    let in_year: i64 = lengths[..month].iter().sum();
    Some(to_year + in_year + day - 1 - 719_162)
}

/// `<30d`, `1y..2y` …: hours, days, weeks, years of 365 days. A bare duration is an age in whole units.
pub(in crate::syntax) fn age(text: &str) -> Result<AgeComparison, Wrong> {
    let range = compare(text, |part| duration(part).ok_or(Wrong::Number))?;
    let range = match range {
        Comparison::Eq(millis) => {
            let unit = unit(text.as_bytes().last().copied()).unwrap_or(1.0);
            Comparison::Between(millis, millis + unit - 1.0)
        }
        other => other,
    };
    let explicit = text.starts_with(['<', '>', '=']) || text.contains("..");
    let text = if explicit { text.to_ascii_lowercase() } else { format!("={}", text.to_ascii_lowercase()) };
    Ok(AgeComparison { text, range })
}

fn duration(text: &str) -> Option<f64> {
    let unit = unit(text.as_bytes().last().copied())?;
    Some((decimal(&text[..text.len() - 1])? * unit).round())
}

fn unit(letter: Option<u8>) -> Option<f64> {
    let days = match letter?.to_ascii_lowercase() {
        b'h' => return Some(3_600_000.0),
        b'd' => 1.0,
        b'w' => 7.0,
        b'y' => 365.0,
        _ => return None,
    };
    Some(days * 86_400_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_every_form() {
        for (text, expected) in [
            ("1970-01-01", Some(0)),
            ("2000-02-29", Some(951_782_400_000)),
            ("2021-01-01", Some(1_609_459_200_000)),
            ("2021-01-01T00:00:00Z", Some(1_609_459_200_000)),
            ("2021-01-01T01:00:00+01:00", Some(1_609_459_200_000)),
            ("2020-12-31T23:30:00.25-00:30", Some(1_609_459_200_250)),
            ("1609459200", Some(1_609_459_200_000)),
            ("0", Some(0)),
            ("2021-02-29", None),
            ("1900-02-29", None),
            ("2021-13-01", None),
            ("2021-01-01T25:00:00Z", None),
            ("2021-01-01T00:00:00", None),
            ("yesterday", None),
            ("2021-1-1", None),
            ("ééééé", None),
            ("", None),
        ] {
            assert_eq!(moment(text), expected, "{text}");
        }
    }

    #[test]
    fn ages_are_ranges_of_milliseconds() {
        assert_eq!(age("<30d").unwrap().range, Comparison::Lt(30.0 * 86_400_000.0));
        assert_eq!(age("1d").unwrap().range, Comparison::Between(86_400_000.0, 2.0 * 86_400_000.0 - 1.0));
        assert_eq!(age("1d").unwrap().text, "=1d");
        assert_eq!(age("1Y..2y").unwrap().text, "1y..2y");
        assert_eq!(age("2y..1y"), Err(Wrong::Reversed));
        assert_eq!(age("30"), Err(Wrong::Number));
        assert_eq!(age("é"), Err(Wrong::Number));
    }
}
