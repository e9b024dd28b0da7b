//! Times as people and programs read them, in UTC.

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
pub(crate) fn rfc3339(millis: i64) -> String {
    let (year, month, day) = civil(millis.div_euclid(86_400_000));
    let of_day = millis.rem_euclid(86_400_000);
    let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60);
    let fraction = match of_day % 1000 {
        0 => String::new(),
        millis => format!(".{millis:03}"),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// A stretch of time that counts are given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Period {
    /// From full hour to full hour, UTC.
    Hour,
    /// From midnight to midnight, UTC.
    Day,
}

impl Period {
    /// The number of the period that a time lies in.
    pub(crate) fn number(self, millis: i64) -> i64 {
        millis.div_euclid(self.millis())
    }

    fn millis(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// `2021-03-04T05:00Z`, `2021-03-04`.
    pub(crate) fn name(self, number: i64) -> String {
        let start = rfc3339(number.saturating_mul(self.millis()));
        match self {
            Self::Hour => format!("{}Z", &start[..start.len() - 4]),
            Self::Day => start[..start.len() - 10].to_owned(),
        }
    }
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
    fn periods_have_names() {
        let time = 1_614_834_367_089;
        assert_eq!(Period::Hour.name(Period::Hour.number(time)), "2021-03-04T05:00Z");
        assert_eq!(Period::Day.name(Period::Day.number(time)), "2021-03-04");
    }
}
