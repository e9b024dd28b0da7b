//! Entries of a newer version: a worker leases them, and leaves them in the buffer. When their leases have run out they come
//! again, to whomever.

use std::time::Duration;

use tweetfilter_core::post::Millis;

use super::HeldUp;

/// For how long they are still shown when their leases have run out, in milliseconds: as long as it may take until they come
/// again.
const AGAIN: Millis = 5_000;
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
    /// How many are shown, and until when, unless some come again.
    shown: (u64, Millis),
    told: HeldUp,
}

impl Newer {
    /// None yet, of a worker whose leases last so long: before they have run out, none can come again.
    pub(super) fn new(lease: Duration) -> Self {
        let lease = Millis::try_from(lease.as_millis()).unwrap_or(Millis::MAX);
        let over = lease.saturating_mul(2).max(OVER);
        Self { over, leased: Vec::new(), came: 0, shown: (0, 0), told: HeldUp::default() }
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
        self.shown = (entries, self.shown.1.max(until.saturating_add(AGAIN)));
        if self.told.holds().is_some() {
            tracing::error!(entries, "entries of a newer version stay in the buffer: upgrade this worker");
        }
    }

    /// How many it holds now.
    pub(super) fn held(&mut self, now: Millis) -> u64 {
        self.leased.retain(|(until, _)| now < *until);
        self.leased.iter().map(|(_, entries)| entries).sum()
    }

    /// How many there are, as far as this worker has seen: those that come again when their leases run out are there meanwhile.
    pub(super) fn shown(&self, now: Millis) -> u64 {
        if now < self.shown.1 { self.shown.0 } else { 0 }
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

    #[test]
    fn those_that_come_again_are_shown_all_the_while_and_those_that_are_gone_soon_no_more() {
        let mut newer = Newer::new(Duration::from_secs(60));
        let second = |n: Millis| 1_700_000_000_000 + 1_000 * n;
        assert_eq!(newer.shown(second(0)), 0);
        newer.came(2, second(60), second(0));
        newer.came(3, second(90), second(30));
        // The first ones come again a moment after their leases have run out.
        assert_eq!((newer.shown(second(61)), newer.held(second(61))), (5, 3));
        newer.came(2, second(121), second(61));
        // A newer worker got the others.
        assert_eq!((newer.shown(second(100)), newer.shown(second(122))), (5, 5));
        newer.came(2, second(183), second(123));
        assert_eq!((newer.shown(second(184)), newer.shown(second(188))), (2, 0));
    }

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
