//! How long to wait before trying again: X's documented schedule, as a pure function.

use std::time::Duration;

/// What kind of failure a connection met, for choosing how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// The connection could not be made, was cut, or stalled: 250 ms, and so much more each time, up to 16 s.
    Network,
    /// The server said that it can't now: 5 s, doubling, up to 320 s.
    Server,
    /// We ask too much: 60 s, doubling, up to 16 min.
    Limited,
    /// It would be refused again: not retried.
    Refused,
}

impl Trouble {
    /// What a status of HTTP that is no success means.
    ///
    /// ```
    /// use tweetfilter_stream::source::net::Trouble;
    /// assert_eq!(Trouble::of_status(503), Trouble::Server);
    /// assert_eq!(Trouble::of_status(420), Trouble::Limited);
    /// assert_eq!(Trouble::of_status(401), Trouble::Refused);
    /// ```
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            420 | 429 => Self::Limited,
            // What is wrong with the request, 400 and 422, or is gone for good, 410, is so the next time as well.
            400 | 401 | 403 | 404 | 406 | 410 | 413 | 416 | 422 => Self::Refused,
            // Redirects are not followed: they would carry the token elsewhere.
            300..=399 => Self::Refused,
            _ => Self::Server,
        }
    }
}

/// How often which trouble came since the source was last healthy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    network: u32,
    server: u32,
    limited: u32,
}

/// A server that asks for a longer wait is asked again after this.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// A connection that stood so long, and gave a line, was healthy: the schedule begins anew.
pub const HEALTHY: Duration = Duration::from_secs(30);

impl Backoff {
    /// The state after one more trouble, and how long to wait; `None` if trying again is of no use.
    ///
    /// What the server asks for in `Retry-After` is waited at least.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tweetfilter_stream::source::net::{Backoff, Trouble};
    /// let (after, wait) = Backoff::default().after(Trouble::Server, None);
    /// assert_eq!(wait, Some(Duration::from_secs(5)));
    /// assert_eq!(after.after(Trouble::Server, None).1, Some(Duration::from_secs(10)));
    /// ```
    #[must_use]
    pub fn after(mut self, trouble: Trouble, retry_after: Option<Duration>) -> (Self, Option<Duration>) {
        let count = match trouble {
            Trouble::Network => &mut self.network,
            Trouble::Server => &mut self.server,
            Trouble::Limited => &mut self.limited,
            Trouble::Refused => return (self, None),
        };
        let wait = match trouble {
            Trouble::Network => Duration::from_millis(250) * count.saturating_add(1).min(64),
            Trouble::Server => Duration::from_secs(5) * (1 << (*count).min(6)),
            Trouble::Limited | Trouble::Refused => Duration::from_secs(60) * (1 << (*count).min(4)),
        };
        *count = count.saturating_add(1);
        (self, Some(wait.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER))))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Backoff, Trouble};

    /// The waits of so many failures in a row, in milliseconds.
    fn waits(trouble: Trouble, times: usize) -> Vec<u128> {
        let mut backoff = Backoff::default();
        std::iter::from_fn(|| {
            let (after, wait) = backoff.after(trouble, None);
            backoff = after;
            wait.map(|wait| wait.as_millis())
        })
        .take(times)
        .collect()
    }

    #[test]
    fn each_kind_has_its_schedule() {
        assert_eq!(waits(Trouble::Network, 4), [250, 500, 750, 1000]);
        assert_eq!(
            waits(Trouble::Network, 70)[62..],
            [15_750, 16_000, 16_000, 16_000, 16_000, 16_000, 16_000, 16_000]
        );
        assert_eq!(
            waits(Trouble::Server, 9),
            [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 320_000, 320_000]
        );
        assert_eq!(waits(Trouble::Limited, 6), [60_000, 120_000, 240_000, 480_000, 960_000, 960_000]);
        assert_eq!(waits(Trouble::Refused, 2), []);
        // Longer than anybody waits.
        assert_eq!(waits(Trouble::Server, 5_000).last(), Some(&320_000));
    }

    #[test]
    fn kinds_are_counted_apart() {
        let (backoff, _) = Backoff::default().after(Trouble::Server, None);
        let (backoff, wait) = backoff.after(Trouble::Network, None);
        assert_eq!(wait, Some(Duration::from_millis(250)));
        assert_eq!(backoff.after(Trouble::Server, None).1, Some(Duration::from_secs(10)));
    }

    #[test]
    fn a_server_may_ask_for_more_and_not_for_less() {
        for (trouble, asked, expected) in [
            (Trouble::Server, 2, Some(5)),
            (Trouble::Server, 30, Some(30)),
            (Trouble::Limited, 30, Some(60)),
            (Trouble::Limited, 900, Some(900)),
            (Trouble::Network, 7, Some(7)),
            (Trouble::Limited, u64::MAX, Some(3600)),
            (Trouble::Refused, 30, None),
        ] {
            let (_, wait) = Backoff::default().after(trouble, Some(Duration::from_secs(asked)));
            assert_eq!(wait, expected.map(Duration::from_secs), "{trouble:?} {asked}");
        }
    }

    #[test]
    fn statuses_are_sorted() {
        for (statuses, expected) in [
            (&[420, 429][..], Trouble::Limited),
            (&[400, 401, 403, 404, 406, 410, 413, 416, 422, 301, 302, 307], Trouble::Refused),
            (&[500, 502, 503, 504, 408, 409, 204], Trouble::Server),
        ] {
            for status in statuses {
                assert_eq!(Trouble::of_status(*status), expected, "{status}");
            }
        }
    }
}
