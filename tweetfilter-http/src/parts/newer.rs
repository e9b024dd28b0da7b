//! Entries of a newer version: a worker leases them, and leaves them in the buffer. When their leases have run out they come
//! again, to whomever.

use std::time::Duration;

use tweetfilter_core::post::Millis;

use super::HeldUp;

/// How long none may come at least before those that do are told of as new ones, in milliseconds.
const OVER: Millis = 120_000;

/// Those that a worker holds, and whether that was told.
#[derive(Debug)]
pub(super) struct Newer {
    /// How long none may come before those that do are told of as new ones, in milliseconds.
    over: Millis,
    /// How many were leased together, and when others may have them.
    leased: Vec<(Millis, u64)>,
    /// When they came last.
    came: Millis,
    told: HeldUp,
}

impl Newer {
    /// None yet, of a worker whose leases last so long: before they have run out, none can come again.
    pub(super) fn new(lease: Duration) -> Self {
        let lease = Millis::try_from(lease.as_millis()).unwrap_or(Millis::MAX);
        let over = lease.saturating_mul(2).max(OVER);
        Self { over, leased: Vec::new(), came: 0, told: HeldUp::default() }
    }

    /// Some came, and are held until their leases run out. Says how many there are, at first and now and then: each time
    /// would be each minute, and often where many come.
    pub(super) fn came(&mut self, entries: usize, until: Millis, now: Millis) {
        if now - self.came > self.over {
            self.told = HeldUp::default();
        }
        self.came = now;
        self.leased.push((until, entries as u64));
        let entries = self.held(now);
        if self.told.holds().is_some() {
            tracing::error!(entries, "entries of a newer version stay in the buffer: upgrade this worker");
        }
    }

    /// How many it holds now.
    pub(super) fn held(&mut self, now: Millis) -> u64 {
        self.leased.retain(|(until, _)| now < *until);
        self.leased.iter().map(|(_, entries)| entries).sum()
    }

    /// A lease was not answered, so that the next one may give all of them again.
    pub(super) fn may_come_again(&mut self) {
        self.leased.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::logged::Log;

    #[tokio::test(start_paused = true)]
    async fn those_that_come_again_when_their_leases_have_run_out_are_no_new_ones_however_long_that_takes() {
        for seconds in [60, 300, 600] {
            let ((log, _guard), lease) = (Log::begin(), Duration::from_secs(seconds));
            let (mut newer, mut at) = (Newer::new(lease), 1_700_000_000_000);
            let millis = 1_000 * Millis::try_from(seconds).unwrap();
            let told = || log.count("entries of a newer version stay in the buffer");
            newer.came(2, at + millis, at);
            // Just before it is to be said again.
            tokio::time::advance(Duration::from_secs(59)).await;
            at += millis + 100;
            newer.came(2, at + millis, at);
            assert_eq!((told(), newer.held(at)), (1, 2), "{seconds}");
            // Where none came for long, it is another time.
            at += 2 * millis + 1;
            newer.came(1, at + millis, at);
            assert_eq!((told(), newer.held(at)), (2, 1), "{seconds}");
        }
    }
}
