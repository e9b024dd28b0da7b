//! The stream's clock and its ids.

/// Milliseconds since 1970 at which the snowflake ids begin.
const ID_EPOCH: u64 = 1_288_834_974_657;

/// Hands out times and ids.
#[derive(Debug)]
pub(super) struct Clock {
    /// When the stream begins.
    start: u64,
    second: u64,
    /// Whether only [`Clock::set`] moves it on.
    is_set: bool,
    left: u32,
    given: u64,
}

impl Clock {
    /// Sunday 14 March 2021, 12:00 UTC.
    pub(super) const START_MILLIS: u64 = 1_615_723_200_000;
    /// Before it there are no ids for the oldest posts that others repeat.
    const EARLIEST: u64 = ID_EPOCH + 31_000_000_000;

    pub(super) fn new(start: Option<u64>) -> Self {
        let start = start.unwrap_or(Self::START_MILLIS).max(Self::EARLIEST);
        Self { start, second: start, is_set: false, left: 0, given: 0 }
    }

    /// When the stream begins.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Moves it on to a moment, never back.
    pub(super) fn set(&mut self, millis: u64) {
        self.is_set = true;
        self.second = self.second.max(millis.saturating_sub(1000));
    }

    /// Time and id of the next post.
    ///
    /// A 1 % sample takes ten milliseconds of each second and sends them in any order, so most ids lie below
    /// the highest so far; a few posts come some seconds late.
    pub(super) fn next(&mut self, random: &mut super::Random) -> (u64, u64) {
        if self.left == 0 {
            self.second += if self.is_set { 0 } else { 1000 };
            self.left = random.between(12, 34);
        }
        self.left -= 1;
        self.given += 1;
        let late = if random.chance(150) { u64::from(random.between(1, 30)) * 1000 } else { 0 };
        let millis = self.second + 657 + u64::from(random.below(10)) - late;
        // The low bits count, so that no id comes twice.
        (millis, id(millis, u64::from(random.below(0x400)) << 12 | self.given & 0xfff))
    }

    /// Now.
    pub(super) fn millis(&self) -> u64 {
        self.second + 900
    }
}

/// The id of a moment.
pub(super) fn id(millis: u64, low: u64) -> u64 {
    (millis - ID_EPOCH) << 22 | low & 0x3f_ffff
}

/// `Sun Mar 14 12:00:00 +0000 2021`.
pub(super) fn created_at(millis: u64) -> String {
    let (days, seconds) = (millis / 86_400_000, millis / 1000 % 86_400);
    // Years that begin in March, so that the leap day is the last.
    let from_march = days + 719_468;
    let era = from_march / 146_097;
    let day_of_era = from_march % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era + u64::from(month >= 10);
    let month = &"MarAprMayJunJulAugSepOctNovDecJanFeb"[month as usize * 3..][..3];
    let weekday = &"ThuFriSatSunMonTueWed"[(days % 7) as usize * 3..][..3];
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{weekday} {month} {day:02} {hour:02}:{minute:02}:{second:02} +0000 {year}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        assert_eq!(created_at(Clock::START_MILLIS), "Sun Mar 14 12:00:00 +0000 2021");
        assert_eq!(created_at(1_582_934_400_000), "Sat Feb 29 00:00:00 +0000 2020");
        assert_eq!(created_at(1_609_459_199_000), "Thu Dec 31 23:59:59 +0000 2020");
    }
}
