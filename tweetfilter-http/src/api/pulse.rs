//! One look at the store for all who wait for something new.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tweetfilter_sql::{Database, Pulse};
use tweetfilter_stream::store::StoreError;

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
    own: Own,
}

/// The last change of what each account keeps, as far as one was seen: see [`Pulse::own`].
type Own = Arc<Mutex<HashMap<i64, i64>>>;

impl Heart {
    pub(super) fn new(database: Database) -> Self {
        Self { database, seen: Arc::new(watch::channel(None).0), beats: Arc::default(), own: Own::default() }
    }

    /// Watches; what is seen first is `None` until there was a look.
    pub(super) fn watch(&self) -> watch::Receiver<Option<Seen>> {
        let receiver = self.seen.subscribe();
        if !self.beats.swap(true, Ordering::SeqCst) {
            let (database, seen, beats) = (self.database.clone(), self.seen.clone(), self.beats.clone());
            tokio::spawn(beat(database, seen, beats, self.own.clone()));
        }
        receiver
    }

    /// The last change of what an account keeps that was seen; 0 if there was none.
    pub(super) fn own(&self, account: i64) -> i64 {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.get(&account).copied().unwrap_or_default()
    }
}

async fn beat(database: Database, seen: Arc<watch::Sender<Option<Seen>>>, beats: Arc<AtomicBool>, own: Own) {
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
        let before = seen.borrow().map(|seen| seen.pulse.own);
        let look = tokio::time::timeout(AWAY, look(&database, before, &own)).await;
        let now = match look {
            Ok(Ok(pulse)) => Seen { pulse, away: false },
            _ => Seen { pulse: seen.borrow().map(|seen| seen.pulse).unwrap_or_default(), away: true },
        };
        seen.send_if_modified(|last| last.replace(now) != Some(now));
        tokio::time::sleep(BEAT).await;
    }
}

/// What has changed; whose it is, if something did that accounts keep.
async fn look(database: &Database, before: Option<i64>, own: &Own) -> Result<Pulse, StoreError> {
    let pulse = database.pulse().await?;
    let before = before.unwrap_or_default();
    if before < pulse.own {
        let changes = database.own_changes(before).await?;
        own.lock().unwrap_or_else(PoisonError::into_inner).extend(changes);
    }
    Ok(pulse)
}
