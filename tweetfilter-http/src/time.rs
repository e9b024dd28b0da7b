//! Times as people and programs write them.

use std::ops::RangeInclusive;

/// Year, month and day of a number of days since 1970-01-01 (proleptic Gregorian).
fn civil(days: i64) -> (i64, u32, u32) {
    // Eras of 400 years, years that begin in March: the leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

/// `2021-03-04T05:06:07Z`; milliseconds are shown where there are some.
#[must_use]
pub fn rfc3339(millis: i64) -> String {
    let (year, month, day) = civil(millis.div_euclid(86_400_000));
    let of_day = millis.rem_euclid(86_400_000);
    let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60);
    let fraction = match of_day % 1000 {
        0 => String::new(),
        millis => format!(".{millis:03}"),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// A time in milliseconds, in the unit that fits: `40 s`, `8 min`.
#[must_use]
pub fn lasts(millis: i64) -> String {
    let seconds = millis.max(0) / 1_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// The times that have a year of four digits, in milliseconds: what lies outside can't be written so that it is read again.
const YEARS: RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

/// The milliseconds of a time as [`rfc3339`] writes it; another offset than `Z` is read too, and a blank for the `T`. A
/// time that lies, in UTC, before the year 0 or after the year 9999 is none.
///
/// ```
/// use tweetfilter_http::time::parse;
/// assert_eq!(parse("2021-03-04T05:06:07Z"), parse("2021-03-04T06:06:07+01:00"));
/// assert_eq!(parse("2021-02-30T00:00:00Z"), None);
/// assert_eq!(parse("9999-12-31T23:59:59-01:00"), None);
/// ```
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let digits = |range: std::ops::Range<usize>| -> Option<i64> {
        let part = text.get(range)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let signs = [(4, "-"), (7, "-"), (13, ":"), (16, ":")];
    let separated = matches!(text.get(10..11), Some("T" | "t" | " "));
    if !separated || signs.iter().any(|&(at, sign)| text.get(at..at + 1) != Some(sign)) {
        return None;
    }
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    let (hour, minute, second) = (digits(11..13)?, digits(14..16)?, digits(17..19)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut millis = 0;
    if let Some(after) = rest.strip_prefix('.') {
        let length = after.bytes().take_while(u8::is_ascii_digit).count();
        let first: String = after.get(..length.min(3))?.to_owned();
        millis = format!("{first:0<3}").parse().ok().filter(|_| length > 0)?;
        rest = &after[length..];
    }
    let offset = match rest.as_bytes() {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let at = text.len() - 5;
            let (hours, minutes) = (digits(at..at + 2)?, digits(at + 3..at + 5)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = hours * 60 + minutes;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let days = days_from_civil(year, month, day);
    if civil(days) != (year, u32::try_from(month).ok()?, u32::try_from(day).ok()?) {
        return None;
    }
    let at = (((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000 + millis;
    // An offset or a leap second leads beyond the years that were looked at.
    YEARS.contains(&at).then_some(at)
}

/// Days since 1970-01-01.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_614_834_367_089), "2021-03-04T05:06:07.089Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn what_lasts_has_the_unit_that_fits() {
        assert_eq!(
            [-1, 900, 119_000, 3_600_000, 90_000_000, 900_000_000].map(lasts),
            ["0 s", "0 s", "119 s", "60 min", "25 h", "10 days"]
        );
    }

    #[test]
    fn what_is_written_is_read() {
        for millis in [0, 951_782_400_000, 1_614_834_367_089, 4_102_444_799_999, -62_135_596_800_000] {
            assert_eq!(parse(&rfc3339(millis)), Some(millis), "{millis}");
        }
        assert_eq!(parse("1970-01-01 00:00:00.5+00:30"), Some(500 - 1_800_000));
        for wrong in [
            "",
            "2021-03-04",
            "2021-13-01T00:00:00Z",
            "2021-03-04T24:00:00Z",
            "2021-03-04T05:06:07",
            "2021-03-04T05:06:07.Z",
            "äöüäöüäöüäöü",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_read_can_be_written_so_that_it_is_read_again() {
        for edge in [
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999Z",
            "9999-12-31T22:59:60Z",
            "9999-12-31T23:59:59.999+23:59",
        ] {
            let millis = parse(edge).unwrap();
            assert_eq!(parse(&rfc3339(millis)), Some(millis), "{edge}");
        }
        // Each would be of a year that has no four digits, or has an offset that no clock has.
        for wrong in [
            "9999-12-31T23:59:60Z",
            "9999-12-31T23:59:59-00:01",
            "0000-01-01T00:00:00+00:01",
            "2021-03-04T05:06:07+99:00",
            "2021-03-04T05:06:07+24:00",
            "2021-03-04T05:06:07-01:60",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
