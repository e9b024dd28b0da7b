//! How long a server asks us to wait.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use tweetfilter_core::post::Millis;

use super::backoff::Trouble;
use super::time::TokioClock;
use crate::source::Clock;
use crate::wire::time;

/// How long the headers of an answer ask for: in seconds, until a date, or until X's or Bluesky's limit is lifted. It may be
/// any time; [`Backoff`](super::Backoff) waits for no more than [`LONGEST_RETRY_AFTER`](super::LONGEST_RETRY_AFTER).
pub(super) fn retry_after(headers: &HeaderMap, trouble: Trouble) -> Option<Duration> {
    let now = TokioClock::default().wall();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(wait) = text(RETRY_AFTER.as_str()).and_then(|asked| wait(asked, now)) {
        return Some(wait);
    }
    let reset = text("x-rate-limit-reset").or_else(|| text("ratelimit-reset"));
    let reset = reset.filter(|_| trouble == Trouble::Limited)?;
    reset.parse::<i64>().ok().map(|seconds| until(seconds.saturating_mul(1000), now))
}

/// What `Retry-After` says; what is over by now, and a number below 0, is no wait.
fn wait(asked: &str, now: Millis) -> Option<Duration> {
    seconds(asked).or_else(|| date(asked, now).map(|at| until(at, now)))
}

fn until(at: Millis, now: Millis) -> Duration {
    Duration::from_millis(at.saturating_sub(now).try_into().unwrap_or(0))
}

/// A number of seconds, however large: the standard knows whole ones, and some servers write `6.5`.
fn seconds(text: &str) -> Option<Duration> {
    let (is_negative, number) = match text.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, text),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    if is_negative {
        return Some(Duration::ZERO);
    }
    // All digits, so it is too large to be counted if it is no number.
    let whole = Duration::from_secs(whole.parse().unwrap_or(u64::MAX));
    let millis = format!("{fraction:0<3}")[..3].parse().unwrap_or(0);
    Some(whole.saturating_add(Duration::from_millis(millis)))
}

/// A date in one of the three forms of HTTP (RFC 9110, 5.6.7), or as the wires write it.
fn date(text: &str, now: Millis) -> Option<Millis> {
    let parts: Vec<&str> = text.split_ascii_whitespace().collect();
    match parts[..] {
        // `Sunday, 06-Nov-94 08:49:37 GMT`
        [weekday, date, clock, zone] if weekday.ends_with(',') => {
            let [day, month, year] = date.split('-').collect::<Vec<_>>()[..] else { return None };
            let year: i64 = year.parse().ok().filter(|_| year.len() == 2)?;
            let in_century =
                |century: i64| time::parse(&format!("Sun, {day} {month} {} {clock} {zone}", century + year));
            // The last such year that is not more than 50 years ahead.
            let latest = now.saturating_add(50 * 365 * 86_400_000);
            (19..=21).rev().filter_map(|century| in_century(century * 100)).find(|at| *at <= latest)
        }
        // `Sun Nov  6 08:49:37 1994`
        [_, month, day, clock, year] => time::parse(&format!("Sun, {day} {month} {year} {clock} GMT")),
        _ => time::parse(text).filter(|_| text.contains(':')),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn asked(name: &'static str, value: &str, trouble: Trouble) -> Option<Duration> {
        let value = HeaderValue::from_str(value).expect("a value");
        retry_after(&HeaderMap::from_iter([(HeaderName::from_static(name), value)]), trouble)
    }

    #[test]
    fn what_the_server_asks_for_is_read() {
        let asked = |name, value, trouble| asked(name, value, trouble).map(|wait| wait.as_secs());
        let zero = Some(0);
        assert_eq!(asked("retry-after", " 17 ", Trouble::Server), Some(17));
        assert_eq!(asked("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT", Trouble::Server), zero);
        assert!(asked("retry-after", "Sun, 06 Nov 2094 08:49:37 GMT", Trouble::Server) > Some(1 << 30));
        assert_eq!(asked("retry-after", "soon", Trouble::Server), None);
        assert_eq!(asked("x-rate-limit-reset", "1000000000", Trouble::Limited), zero);
        assert!(asked("x-rate-limit-reset", "3900000000", Trouble::Limited) > Some(1 << 30));
        assert_eq!(asked("x-rate-limit-reset", "3900000000", Trouble::Server), None);
        assert!(asked("ratelimit-reset", "3900000000", Trouble::Limited) > Some(1 << 30));
    }

    #[test]
    fn what_can_not_be_read_hides_no_other_header() {
        let headers = HeaderMap::from_iter([
            (RETRY_AFTER, HeaderValue::from_static("soon")),
            (HeaderName::from_static("x-rate-limit-reset"), HeaderValue::from_static("3900000000")),
        ]);
        assert!(retry_after(&headers, Trouble::Limited) > Some(Duration::from_secs(1 << 30)));
    }

    #[test]
    fn seconds_may_have_a_fraction_and_any_size() {
        // A minute before the date of the standard's examples.
        let now = 784_111_777_000 - 60_000;
        for (text, expected) in [
            ("0", Some(0)),
            ("6.5", Some(6_500)),
            ("6.", Some(6_000)),
            ("0.0009", Some(0)),
            ("1.23456", Some(1_234)),
            ("-5", Some(0)),
            ("-0.5", Some(0)),
            ("+5", None),
            (".5", None),
            ("5 s", None),
            ("1e9", None),
            ("6.5.5", None),
            ("6.ü", None),
            ("", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(60_000)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(60_000)),
            ("Sun Nov  6 08:49:37 1994", Some(60_000)),
            ("Sun Nov 16 08:49:37 1994", Some(60_000 + 10 * 86_400_000)),
            // Nearly 50 years ahead, and long ago.
            ("Sunday, 06-Nov-43 08:49:37 GMT", Some((49 * 365 + 12) * 86_400_000 + 60_000)),
            ("Sunday, 06-Nov-46 08:49:37 GMT", Some(0)),
            ("Sunday, 06-Nov-1994 08:49:37 GMT", None),
            ("Sunday, 06-Nov 08:49:37 GMT", None),
            ("Sunday, 36-Nov-94 08:49:37 GMT", None),
            ("Sun Nov  6 08:49:37 94", None),
        ] {
            assert_eq!(wait(text, now).map(|wait| wait.as_millis()), expected, "{text:?}");
        }
        for huge in ["18446744073709551615.999", "99999999999999999999999999"] {
            assert!(wait(huge, now) >= Some(Duration::from_secs(u64::MAX)), "{huge}");
        }
    }
}
