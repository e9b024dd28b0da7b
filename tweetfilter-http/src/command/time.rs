//! Times as people and programs read them, in UTC.

pub(crate) use tweetfilter_http::time::{lasts, rfc3339};

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
    fn periods_have_names() {
        let time = 1_614_834_367_089;
        assert_eq!(Period::Hour.name(Period::Hour.number(time)), "2021-03-04T05:00Z");
        assert_eq!(Period::Day.name(Period::Day.number(time)), "2021-03-04");
    }
}
