//! One look at the store for all who wait for something new.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tweetfilter_sql::{Database, Pulse};

/// How often is looked while somebody waits.
const BEAT: Duration = Duration::from_millis(50);
/// How long a look may take before the store counts as away.
const AWAY: Duration = Duration::from_millis(800);

/// What the last look saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) pulse: Pulse,
    /// The store did not answer.
    pub(super) away: bool,
}

/// Looks while somebody watches.
#[derive(Debug)]
pub(super) struct Heart {
    database: Database,
    seen: Arc<watch::Sender<Option<Seen>>>,
    beats: Arc<AtomicBool>,
}

impl Heart {
    pub(super) fn new(database: Database) -> Self {
        Self { database, seen: Arc::new(watch::channel(None).0), beats: Arc::default() }
    }

    /// Watches; what is seen first is `None` until there was a look.
    pub(super) fn watch(&self) -> watch::Receiver<Option<Seen>> {
        let receiver = self.seen.subscribe();
        if !self.beats.swap(true, Ordering::SeqCst) {
            let (database, seen, beats) = (self.database.clone(), self.seen.clone(), self.beats.clone());
            tokio::spawn(beat(database, seen, beats));
        }
        receiver
    }
}

async fn beat(database: Database, seen: Arc<watch::Sender<Option<Seen>>>, beats: Arc<AtomicBool>) {
    loop {
        if seen.receiver_count() == 0 {
            // What was seen is of no use to who comes next.
            seen.send_replace(None);
            beats.store(false, Ordering::SeqCst);
            // Somebody may have come between the two looks, and not have started this again.
            if seen.receiver_count() == 0 || beats.swap(true, Ordering::SeqCst) {
                return;
            }
        }
        let look = tokio::time::timeout(AWAY, database.pulse()).await;
        let now = match look {
            Ok(Ok(pulse)) => Seen { pulse, away: false },
            _ => Seen { pulse: seen.borrow().map(|seen| seen.pulse).unwrap_or_default(), away: true },
        };
        seen.send_if_modified(|last| last.replace(now) != Some(now));
        tokio::time::sleep(BEAT).await;
    }
}
