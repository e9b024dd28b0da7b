//! How many requests may be made: tokens that come back with time.

use std::time::Duration;

/// A bucket of tokens, one for a request. Pure: it is told the time.
///
/// ```
/// use std::time::Duration;
/// use tweetfilter_stream::source::net::lookup::Bucket;
/// let second = Duration::from_secs(1);
/// let mut bucket = Bucket::new(2, second);
/// assert_eq!([bucket.take(second), bucket.take(second)], [Ok(()), Ok(())]);
/// assert_eq!(bucket.take(second), Err(second), "wait so long");
/// assert_eq!(bucket.take(second * 2), Ok(()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// What the bucket holds when it is full, as the time in which it fills.
    full: Duration,
    /// The time in which a token comes back.
    period: Duration,
    /// When it was full, or will be.
    full_at: Duration,
}

impl Bucket {
    /// A full bucket of `burst` tokens, at least one; a further one comes in each period.
    #[must_use]
    pub fn new(burst: u32, period: Duration) -> Self {
        Self { full: period.saturating_mul(burst.max(1)), period, full_at: Duration::ZERO }
    }

    /// Takes a token at the given time; if there is none, says how long to wait for it.
    ///
    /// # Errors
    /// How long to wait, and then to take again.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let full_at = self.full_at.max(now).saturating_add(self.period);
        match full_at.checked_sub(now.saturating_add(self.full)) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                self.full_at = full_at;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_has_more_tokens_than_burst_and_rate_allow() {
        let millis = Duration::from_millis;
        let (mut bucket, mut taken) = (Bucket::new(5, millis(100)), Vec::new());
        // Asked for at all kinds of times, at a pause too.
        let mut now = millis(0);
        for step in 0..4_000_u64 {
            now += millis(step * step % 7 + if step == 2_000 { 5_000 } else { 0 });
            if bucket.take(now).is_ok() {
                taken.push(now);
            }
        }
        for (n, from) in taken.iter().enumerate() {
            for (more, to) in taken[n..].iter().enumerate() {
                let allowed = 5 + (*to - *from).as_millis() / 100;
                assert!((more as u128) < allowed, "{} in {:?}", more + 1, *to - *from);
            }
        }
        // And no fewer, when always asked for.
        assert!(taken.len() as u128 >= (now - millis(5_000)).as_millis() / 100, "{}", taken.len());
    }

    #[test]
    fn waiting_as_told_is_enough() {
        let mut bucket = Bucket::new(1, Duration::from_millis(300));
        let mut now = Duration::from_millis(50);
        for _ in 0..10 {
            if let Err(wait) = bucket.take(now) {
                now += wait;
                assert_eq!(bucket.take(now), Ok(()));
            }
        }
        assert_eq!(now, Duration::from_millis(50 + 9 * 300));
    }
}
