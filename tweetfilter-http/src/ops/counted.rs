//! Buffer and store, with what passes through them counted for a part.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tweetfilter_core::post::Millis;
use tweetfilter_stream::buffer::{Batch, Buffer, BufferError, Claim, EntryId, Fence, Leased, Most, Stats};
use tweetfilter_stream::store::{Committed, Outcome, Snapshot, Store, StoreError};

use super::needed::Server;
use super::part::Part;
use crate::parts::now;

/// A buffer or a store as one part uses it.
#[derive(Clone, Debug)]
pub struct Counted<T> {
    inner: T,
    part: Arc<Part>,
}

impl<T> Counted<T> {
    /// Counts for a part.
    #[must_use]
    pub fn new(inner: T, part: &Arc<Part>) -> Self {
        Self { inner, part: part.clone() }
    }
}

impl<B> Counted<B> {
    async fn buffer<T>(&self, call: impl Future<Output = Result<T, BufferError>>) -> Result<T, BufferError> {
        self.asked(Server::Buffer, call).await
    }

    async fn asked<T>(
        &self,
        server: Server,
        call: impl Future<Output = Result<T, BufferError>>,
    ) -> Result<T, BufferError> {
        let asked = self.part.asks(server);
        let answer = call.await;
        asked.answered(match &answer {
            Err(error @ (BufferError::Away(_) | BufferError::Full(_))) => Some(error.to_string()),
            _ => None,
        });
        answer
    }

    async fn store<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let asked = self.part.asks(Server::Store);
        let answer = call.await;
        asked.answered(match &answer {
            Err(error @ StoreError::Away(_)) => Some(error.to_string()),
            _ => None,
        });
        answer
    }
}

impl<B: Buffer> Buffer for Counted<B> {
    async fn claim(&self, source: &str, instance: &str, lease: Duration) -> Result<Claim, BufferError> {
        let claimed = self.buffer(self.inner.claim(source, instance, lease)).await;
        self.part.claimed(&claimed);
        claimed
    }

    async fn renew(&self, source: &str, fence: Fence, lease: Duration) -> Result<(), BufferError> {
        self.asked(Server::Claim, self.inner.renew(source, fence, lease)).await
    }

    async fn append(&self, batch: &Batch) -> Result<(), BufferError> {
        self.buffer(self.inner.append(batch)).await?;
        let counters = &self.part.counters;
        counters.lines.inc_by(batch.counts.lines);
        counters.posts.inc_by(batch.counts.posts);
        counters.unreadable.inc_by(batch.counts.undecodable.values().sum());
        counters.appended.inc_by(batch.entries.len() as u64);
        counters.gaps.inc_by(batch.gaps.len() as u64);
        counters.missing.inc_by(batch.counts.missing);
        Ok(())
    }

    fn oldest_seen(&self) -> Option<Millis> {
        self.inner.oldest_seen()
    }

    fn reclaimed(&self) -> u64 {
        self.inner.reclaimed()
    }

    async fn lease(&self, worker: &str, most: Most, lease: Duration) -> Result<Vec<Leased>, BufferError> {
        let leased = self.buffer(self.inner.lease(worker, most, lease)).await?;
        let again = leased.iter().filter(|entry| entry.attempts > 1).count();
        self.part.counters.leased.inc_by(leased.len() as u64);
        self.part.counters.redelivered.inc_by(again as u64);
        Ok(leased)
    }

    async fn extend(&self, worker: &str, entries: &[EntryId], lease: Duration) -> Result<(), BufferError> {
        self.buffer(self.inner.extend(worker, entries, lease)).await
    }

    async fn ack(&self, worker: &str, entries: &[EntryId]) -> Result<(), BufferError> {
        self.buffer(self.inner.ack(worker, entries)).await
    }

    async fn release(&self, worker: &str, entries: &[EntryId]) -> Result<(), BufferError> {
        self.buffer(self.inner.release(worker, entries)).await
    }

    async fn stats(&self) -> Result<Stats, BufferError> {
        self.buffer(self.inner.stats()).await
    }
}

impl<S: Store> Store for Counted<S> {
    async fn filters(&self, known: Option<u64>) -> Result<Option<Snapshot>, StoreError> {
        self.store(self.inner.filters(known)).await
    }

    async fn commit(&self, outcome: &Outcome, leases: &[EntryId]) -> Result<Committed, StoreError> {
        let begun = Instant::now();
        let committed = self.store(self.inner.commit(outcome, leases)).await?;
        let counters = &self.part.counters;
        counters.commit.observe(begun.elapsed().as_secs_f64());
        counters.committed.inc_by(committed.new.into());
        counters.deliveries.inc_by(committed.deliveries.into());
        counters.matches.inc_by(committed.matches.into());
        counters.dead.inc_by(outcome.dead.len() as u64);
        if let Some(oldest) = outcome.posts.iter().map(|post| post.at).min() {
            counters.lagged(now() - oldest);
        }
        Ok(committed)
    }
}
