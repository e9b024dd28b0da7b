//! Times as the wires write them.

use tweetfilter_core::post::Millis;

/// Reads a time: `Fri Jan 01 07:29:00 +0000 2021`, RFC 2822 (`Sun, 01 Nov 2009 22:31:03 +0000`), RFC 3339, or
/// Unix seconds.
pub(crate) fn parse(text: &str) -> Option<Millis> {
    if let Ok(text) = text.as_bytes().try_into()
        && let Some(time) = usual(text)
    {
        return Some(time);
    }
    let text = text.trim();
    match text.as_bytes() {
        [a, ..] if a.is_ascii_alphabetic() => words(text),
        [_, _, _, _, b'-', ..] => rfc3339(text),
        _ => text.parse::<i64>().ok().filter(|s| (0..=253_402_300_799).contains(s)).map(|s| s * 1000),
    }
}

/// `Fri Jan 01 07:29:00 +0000 2021`, as API v1.1 writes every time.
fn usual(text: &[u8; 30]) -> Option<Millis> {
    const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let digit = |at: usize| Some(i64::from(text[at].wrapping_sub(b'0'))).filter(|digit| *digit < 10);
    let two = |at: usize| Some(digit(at)? * 10 + digit(at + 1)?);
    let separate = [(3, b' '), (7, b' '), (10, b' '), (13, b':'), (16, b':'), (25, b' ')];
    if text[19..25] != *b" +0000" || separate.iter().any(|&(at, b)| text[at] != b) {
        return None;
    }
    let (months, _) = MONTHS.as_chunks::<3>();
    let month = months.iter().position(|month| *month == text[4..7])?;
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let millis = ((hour * 60 + minute) * 60 + second) * 1000;
    moment(two(26)? * 100 + two(28)?, month as i64 + 1, two(8)?, millis, 0)
}

/// The two formats that begin with a day's name.
fn words(text: &str) -> Option<Millis> {
    let mut parts = text.split_ascii_whitespace();
    let weekday = parts.next()?;
    let (day, month, year, clock, zone);
    if weekday.ends_with(',') {
        day = number(parts.next()?, 1..=2)?;
        month = month_number(parts.next()?)?;
        year = number(parts.next()?, 4..=4)?;
        clock = parts.next()?;
        zone = parts.next()?;
    } else {
        month = month_number(parts.next()?)?;
        day = number(parts.next()?, 1..=2)?;
        clock = parts.next()?;
        zone = parts.next()?;
        year = number(parts.next()?, 4..=4)?;
    }
    if parts.next().is_some() {
        return None;
    }
    moment(year, month, day, time_of_day(clock)?, offset(zone)?)
}

fn rfc3339(text: &str) -> Option<Millis> {
    let year = number(text.get(..4)?, 4..=4)?;
    let month = number(text.get(5..7)?, 2..=2)?;
    let day = number(text.get(8..10)?, 2..=2)?;
    let rest = text.get(10..)?;
    if text.as_bytes().get(7) != Some(&b'-') {
        return None;
    }
    if rest.is_empty() {
        return moment(year, month, day, 0, 0);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone_at);
    let zone = if zone.is_empty() { "Z" } else { zone };
    moment(year, month, day, time_of_day(clock)?, offset(zone)?)
}

/// `HH:MM[:SS[.fraction]]` in milliseconds.
fn time_of_day(clock: &str) -> Option<i64> {
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let hour = number(parts.next()?, 2..=2)?;
    let minute = number(parts.next()?, 2..=2)?;
    let second = parts.next().map_or(Some(0), |s| number(s, 2..=2))?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut millis = 0;
    for place in 0..3 {
        millis = millis * 10 + fraction.as_bytes().get(place).map_or(0, |b| i64::from(b - b'0'));
    }
    Some(((hour * 60 + minute) * 60 + second) * 1000 + millis)
}

/// `Z`, `+0000`, `+00:00`, `UTC`, `GMT` in minutes.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return matches!(zone, "Z" | "z" | "UTC" | "GMT").then_some(0),
    };
    let digits = &zone[1..];
    let hour = number(digits.get(..2)?, 2..=2)?;
    let minute = number(digits[2..].trim_start_matches(':'), 2..=2)?;
    (hour < 24 && minute < 60).then_some(sign * (hour * 60 + minute))
}

fn month_number(name: &str) -> Option<i64> {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    NAMES.iter().position(|&n| n == name).map(|n| n as i64 + 1)
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
    (digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A date and time as milliseconds since 1970.
fn moment(year: i64, month: i64, day: i64, millis: i64, offset_minutes: i64) -> Option<Millis> {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = *LENGTHS.get(usize::try_from(month - 1).ok()?)? + i64::from(leap && month == 2);
    if !(1..=length).contains(&day) {
        return None;
    }
    // Days since 1970-01-01, with years that begin in March so that the leap day is the last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (m * 153 + 2) / 5 + day
        - 1
        - 719_468;
    Some((days * 1440 - offset_minutes) * 60_000 + millis)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_every_format() {
        for (text, expected) in [
            ("Fri Jan 01 07:29:00 +0000 2021", Some(1_609_486_140_000)),
            ("Fri Jan 01 08:29:00 +0100 2021", Some(1_609_486_140_000)),
            ("Fri, 01 Jan 2021 07:29:00 +0000", Some(1_609_486_140_000)),
            ("Fri, 1 Jan 2021 07:29:00 GMT", Some(1_609_486_140_000)),
            ("2021-01-01T07:29:00.664Z", Some(1_609_486_140_664)),
            ("2021-01-01T07:29:00.6641234+00:00", Some(1_609_486_140_664)),
            ("2021-01-01 02:29:00-05:00", Some(1_609_486_140_000)),
            ("2021-01-01", Some(1_609_459_200_000)),
            ("1609486140", Some(1_609_486_140_000)),
            ("Wed Feb 29 00:00:00 +0000 2012", Some(1_330_473_600_000)),
            ("Wed Feb 29 00:00:00 +0000 2013", None),
            ("Fri Jan 01 27:29:00 +0000 2021", None),
            ("1969-12-31T23:59:59Z", Some(-1000)),
            ("", None),
            ("yesterday", None),
            ("2021-1-1", None),
            ("ü021-01-01", None),
            ("Fri Jan 01 07:29:00 +0ü0 2021", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
