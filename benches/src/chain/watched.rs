//! The real buffer and store, with a watch in hand.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use serde::{Deserialize, Serialize};
use tweetfilter_stream::buffer::{Batch, Buffer, BufferError, Claim, EntryId, Fence, Leased, Most, Stats};
use tweetfilter_stream::store::{Committed, Outcome, Snapshot, Store, StoreError};

/// Calls of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calls {
    /// How many did something.
    pub count: u64,
    /// Entries or posts of all of them.
    pub items: u64,
    /// Seconds that they took, waiting included.
    pub seconds: f64,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Appends of entries.
    pub append: Calls,
    /// Leases that gave something.
    pub lease: Calls,
    /// Commits.
    pub commit: Calls,
    /// Acknowledgments outside of commits.
    pub ack: Calls,
    /// Deliveries and matches that were new.
    pub new: (u64, u64),
    /// When the first append began and the last commit ended.
    pub first: Option<Instant>,
    /// See above.
    pub last: Option<Instant>,
    /// When each post is due, in the time since the first line; empty where nobody asks.
    pub due: HashMap<String, Duration>,
    /// The time at which the first line was given.
    pub start: Option<i64>,
    /// From when a post was due until its commit was answered, in milliseconds.
    pub latencies: Vec<f64>,
}

/// Shared by the wrappers.
pub type Notes = Arc<Mutex<Seen>>;

/// Looks at the notes.
pub fn at<T>(notes: &Notes, look: impl FnOnce(&mut Seen) -> T) -> T {
    look(&mut notes.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A buffer or a store that is watched.
#[derive(Clone, Debug)]
pub struct Watched<T> {
    inner: T,
    notes: Notes,
}

impl<T> Watched<T> {
    /// Watches, and keeps notes.
    pub fn new(inner: T, notes: &Notes) -> Self {
        Self { inner, notes: notes.clone() }
    }

    async fn timed<R>(
        &self,
        of: impl FnOnce(&mut Seen) -> &mut Calls,
        items: impl FnOnce(&R) -> usize,
        call: impl Future<Output = R>,
    ) -> R {
        let begin = Instant::now();
        let result = call.await;
        let (count, seconds) = (items(&result), begin.elapsed().as_secs_f64());
        at(&self.notes, |seen| {
            seen.first.get_or_insert(begin);
            let calls = of(seen);
            if count > 0 {
                calls.count += 1;
                calls.items += count as u64;
                calls.seconds += seconds;
            }
        });
        result
    }
}

impl<B: Buffer> Buffer for Watched<B> {
    async fn claim(&self, source: &str, instance: &str, lease: Duration) -> Result<Claim, BufferError> {
        self.inner.claim(source, instance, lease).await
    }

    async fn renew(&self, source: &str, fence: Fence, lease: Duration) -> Result<(), BufferError> {
        self.inner.renew(source, fence, lease).await
    }

    async fn append(&self, batch: &Batch) -> Result<(), BufferError> {
        self.timed(|seen| &mut seen.append, |_| batch.entries.len(), self.inner.append(batch)).await
    }

    async fn lease(&self, worker: &str, most: Most, lease: Duration) -> Result<Vec<Leased>, BufferError> {
        let count = |leased: &Result<Vec<_>, _>| leased.as_ref().map_or(0, Vec::len);
        self.timed(|seen| &mut seen.lease, count, self.inner.lease(worker, most, lease)).await
    }

    async fn extend(&self, worker: &str, entries: &[EntryId], lease: Duration) -> Result<(), BufferError> {
        self.inner.extend(worker, entries, lease).await
    }

    async fn ack(&self, worker: &str, entries: &[EntryId]) -> Result<(), BufferError> {
        self.timed(|seen| &mut seen.ack, |_| entries.len(), self.inner.ack(worker, entries)).await
    }

    async fn release(&self, worker: &str, entries: &[EntryId]) -> Result<(), BufferError> {
        self.inner.release(worker, entries).await
    }

    async fn stats(&self) -> Result<Stats, BufferError> {
        self.inner.stats().await
    }
}

impl<S: Store> Store for Watched<S> {
    async fn filters(&self, known: Option<u64>) -> Result<Option<Snapshot>, StoreError> {
        self.inner.filters(known).await
    }

    async fn commit(&self, outcome: &Outcome, leases: &[EntryId]) -> Result<Committed, StoreError> {
        let items = |_: &Result<_, _>| outcome.posts.len();
        let committed =
            self.timed(|seen| &mut seen.commit, items, self.inner.commit(outcome, leases)).await?;
        let now = wall();
        at(&self.notes, |seen| {
            seen.last = Some(Instant::now());
            seen.new.0 += u64::from(committed.deliveries);
            seen.new.1 += u64::from(committed.matches);
            if seen.due.is_empty() {
                return;
            }
            for evaluated in &outcome.posts {
                let start = *seen.start.get_or_insert(evaluated.at);
                if let Some(due) = seen.due.get(&evaluated.post.id) {
                    seen.latencies.push((now - start) as f64 - due.as_secs_f64() * 1000.0);
                }
            }
        });
        Ok(committed)
    }
}

fn wall() -> i64 {
    std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as i64)
}

/// A future whose processor time is counted while it is polled.
pub struct Metered<F> {
    inner: Pin<Box<F>>,
    nanos: Arc<AtomicU64>,
}

impl<F> Metered<F> {
    /// Counts into `nanos`.
    pub fn new(inner: F, nanos: &Arc<AtomicU64>) -> Self {
        Self { inner: Box::pin(inner), nanos: nanos.clone() }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let before = ThreadTime::now();
        let polled = self.inner.as_mut().poll(cx);
        let spent = u64::try_from(before.elapsed().as_nanos()).unwrap_or(0);
        self.nanos.fetch_add(spent, Ordering::Relaxed);
        polled
    }
}
