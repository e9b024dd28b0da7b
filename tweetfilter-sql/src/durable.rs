//! How far the commits to a SQLite file have reached the disk.
//!
//! A commit with `synchronous = FULL` waits for the disk while nobody else can write. A light one leaves its pages in
//! the log, as `NORMAL` does, and whoever needs it to be durable has the log synced while others write on. Whatever
//! stands in the log before a synced place is durable with it, and what the log no longer holds was synced into the file
//! before: so the next full commit will do as well.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;
use tweetfilter_stream::store::StoreError;

/// Numbers of commits, in the order in which they stand in the log.
#[derive(Debug)]
pub(crate) struct Reached {
    log: PathBuf,
    committed: AtomicU64,
    durable: Arc<AtomicU64>,
    /// Held by whoever has the log synced: the others wait, and find it done.
    syncing: Mutex<()>,
}

impl Reached {
    pub(crate) fn new(log: PathBuf) -> Self {
        Self { log, committed: AtomicU64::new(0), durable: Arc::default(), syncing: Mutex::new(()) }
    }

    /// Numbers a commit. To be called while nobody else can write.
    pub(crate) fn committed(&self, full: bool) -> u64 {
        let number = self.committed.fetch_add(1, Ordering::AcqRel) + 1;
        if full {
            self.durable.fetch_max(number, Ordering::AcqRel);
        }
        number
    }

    /// Waits until a commit is durable.
    pub(crate) async fn wait_for(&self, number: u64) -> Result<(), StoreError> {
        let is_durable = || self.durable.load(Ordering::Acquire) >= number;
        if is_durable() {
            return Ok(());
        }
        let _turn = self.syncing.lock().await;
        if is_durable() {
            return Ok(());
        }
        let (upto, log) = (self.committed.load(Ordering::Acquire), self.log.clone());
        // Windows wants the right to write.
        let sync = || std::fs::OpenOptions::new().write(true).open(log)?.sync_data();
        let synced = tokio::task::spawn_blocking(sync).await;
        match synced.map_err(std::io::Error::other).flatten() {
            Ok(()) => {
                self.durable.fetch_max(upto, Ordering::AcqRel);
                Ok(())
            }
            Err(error) => Err(StoreError::Away(format!("{}: {error}", self.log.display()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_commit_takes_light_ones_before_it_along() {
        let nowhere = Reached::new("no/such-file".into());
        let light = nowhere.committed(false);
        assert!(matches!(nowhere.wait_for(light).await, Err(StoreError::Away(_))));
        let full = nowhere.committed(true);
        assert_eq!((nowhere.wait_for(light).await, nowhere.wait_for(full).await), (Ok(()), Ok(())));
        let later = nowhere.committed(false);
        assert!(nowhere.wait_for(later).await.is_err());
    }

    #[tokio::test]
    async fn one_sync_is_for_all_that_were_committed_before_it() {
        let log = std::env::temp_dir().join(format!("tweetfilter-log-{}", std::process::id()));
        std::fs::write(&log, "frames").unwrap();
        let reached = Reached::new(log.clone());
        let numbers = [(); 3].map(|()| reached.committed(false));
        assert_eq!(reached.wait_for(numbers[0]).await, Ok(()));
        std::fs::remove_file(log).unwrap();
        assert_eq!(reached.wait_for(numbers[2]).await, Ok(()));
        let later = reached.committed(false);
        assert!(reached.wait_for(later).await.is_err());
    }
}
