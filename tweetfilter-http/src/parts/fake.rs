//! The buffer of these parts' tests: it takes what is appended, and nothing comes out of it but what a test says.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::buffer::{Batch, Buffer, BufferError, Claim, EntryId, Fence, Leased, Most, Stats};

/// The fence of every claim.
pub(super) const FENCE: Fence = Fence(7);

/// What comes of a lease.
type Lease = Result<Vec<Leased>, BufferError>;

/// A buffer of which only one thing can be asked at a time. Clones share what it counts.
#[derive(Clone, Default)]
pub(super) struct Fake {
    /// How long an append takes.
    pub(super) takes: Duration,
    /// Whether an append takes until a renewal waits for it.
    pub(super) outlasts: bool,
    /// Whether it has forgotten all of its sources.
    pub(super) forgotten: bool,
    /// Whether claims can't be renewed, since it does not answer.
    pub(super) away: Arc<AtomicBool>,
    /// Whether it has no room for more.
    pub(super) full: Arc<AtomicBool>,
    /// What comes of the next leases.
    pub(super) leases: Arc<Mutex<VecDeque<Lease>>>,
    /// Why it leases nothing else.
    pub(super) leases_nothing: Arc<Mutex<Option<BufferError>>>,
    /// When the oldest of it was appended.
    pub(super) oldest: Option<Millis>,
    /// The cursor of the batch that was appended last.
    pub(super) cursor: Arc<Mutex<Option<String>>>,
    /// Entries that were appended.
    pub(super) appended: Arc<AtomicU32>,
    /// How full it says that it is.
    pub(super) stats: Stats,
    /// Entries that were nobody's.
    pub(super) reclaimed: Arc<AtomicU64>,
    /// How often a claim was renewed.
    pub(super) renewed: Arc<AtomicU32>,
    /// How often a renewal had to wait until something else was done.
    pub(super) waited: Arc<AtomicU32>,
    /// Whoever asks for something has it.
    pub(super) turn: Arc<Mutex<()>>,
}

impl Fake {
    fn knows(&self, source: &str) -> Result<(), BufferError> {
        match self.forgotten {
            true => Err(BufferError::Forgotten { source_name: source.to_owned() }),
            false => Ok(()),
        }
    }
}

impl Buffer for Fake {
    async fn claim(&self, _: &str, _: &str, _: Duration) -> Result<Claim, BufferError> {
        Ok(Claim { fence: FENCE, is_new: self.forgotten, ..Claim::default() })
    }

    async fn renew(&self, source: &str, _: Fence, _: Duration) -> Result<(), BufferError> {
        self.knows(source)?;
        if self.away.load(Ordering::Relaxed) {
            return Err(BufferError::Away("no route".to_owned()));
        }
        if self.turn.try_lock().is_err() {
            self.waited.fetch_add(1, Ordering::Relaxed);
        }
        let _turn = self.turn.lock().await;
        self.renewed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn append(&self, batch: &Batch) -> Result<(), BufferError> {
        self.knows(&batch.source)?;
        if self.full.load(Ordering::Relaxed) {
            return Err(BufferError::Full("no room".to_owned()));
        }
        let _turn = self.turn.lock().await;
        tokio::time::sleep(self.takes).await;
        while self.outlasts && self.waited.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.cursor.lock().await.clone_from(&batch.cursor);
        self.appended.fetch_add(batch.entries.len() as u32, Ordering::Relaxed);
        Ok(())
    }

    fn oldest_seen(&self) -> Option<Millis> {
        self.oldest
    }

    async fn lease(&self, _: &str, _: Most, _: Duration) -> Result<Vec<Leased>, BufferError> {
        let next = self.leases.lock().await.pop_front();
        match next {
            Some(leased) => leased,
            None => self.leases_nothing.lock().await.clone().map_or(Ok(Vec::new()), Err),
        }
    }

    fn reclaimed(&self) -> u64 {
        self.reclaimed.load(Ordering::Relaxed)
    }

    async fn extend(&self, _: &str, _: &[EntryId], _: Duration) -> Result<(), BufferError> {
        Ok(())
    }

    async fn ack(&self, _: &str, _: &[EntryId]) -> Result<(), BufferError> {
        Ok(())
    }

    async fn release(&self, _: &str, _: &[EntryId]) -> Result<(), BufferError> {
        Ok(())
    }

    async fn stats(&self) -> Result<Stats, BufferError> {
        Ok(self.stats.clone())
    }
}
