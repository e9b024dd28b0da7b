//! Entries of a newer version: a worker leases them, and leaves them in the buffer. When their leases have run out they come
//! again, to whomever.

use tweetfilter_core::post::Millis;

use super::HeldUp;

/// How long none may come before those that do are told of as new ones, in milliseconds.
const OVER: Millis = 120_000;

/// Those that a worker holds, and whether that was told.
#[derive(Debug, Default)]
pub(super) struct Newer {
    /// How many were leased together, and when others may have them.
    leased: Vec<(Millis, u64)>,
    /// When they came last.
    came: Millis,
    told: HeldUp,
}

impl Newer {
    /// Some came, and are held until their leases run out. Says how many there are, at first and now and then: each time
    /// would be each minute, and often where many come.
    pub(super) fn came(&mut self, entries: usize, until: Millis, now: Millis) {
        if now - self.came > OVER {
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
