//! From a source to the buffer: what was read is appended together with the place to read on from.
//!
//! [`Ingest`] holds the claim on a source and collects what is read of it; batches of that go to the buffer. It waits for
//! nothing by itself, so whoever runs it decides about time, and can read on while a batch is appended. **A cursor is
//! appended together with the entries before it, never ahead of them.**

use std::time::Duration;

use crate::Event;
use crate::buffer::{Batch, Buffer, BufferError, Claim, Fence, Gap};
use crate::entry::Audience;
use crate::gather::Gather;
use crate::source::Chunk;

/// Bytes of entries of one batch; a chunk may go beyond.
const MOST: usize = 2 << 20;
/// Bytes of entries that are worth a batch.
const MANY: usize = 64 << 10;

/// A source that is read, and the buffer that it goes to.
#[derive(Debug)]
pub struct Ingest<B> {
    buffer: B,
    name: String,
    fence: Fence,
    lease: Duration,
    gather: Gather,
    /// Where to read on behind what was collected.
    cursor: Option<String>,
}

impl<B: Buffer> Ingest<B> {
    /// Claims a source for an instance; the claim tells where it is to be read on from.
    ///
    /// Messages that come in no envelope reach `bare`.
    ///
    /// # Errors
    /// See [`Buffer::claim`].
    pub async fn claim(
        buffer: B,
        name: &str,
        bare: Audience,
        instance: &str,
        lease: Duration,
    ) -> Result<(Self, Claim), BufferError> {
        let claim = buffer.claim(name, instance, lease).await?;
        let gather = Gather::new(name, bare);
        let ingest = Self { buffer, name: name.to_owned(), fence: claim.fence, lease, gather, cursor: None };
        Ok((ingest, claim))
    }

    /// Collects a chunk for the next batch.
    pub fn collect(&mut self, chunk: &Chunk) {
        chunk.gather(&mut self.gather);
        if chunk.cursor.is_some() {
            self.cursor.clone_from(&chunk.cursor);
        }
    }

    /// Whether more should be collected while no batch can be appended: else memory would grow.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.gather.bytes() < MOST
    }

    /// Whether so much was collected that it is worth a batch at once.
    #[must_use]
    pub fn has_many(&self) -> bool {
        self.gather.bytes() >= MANY
    }

    /// What was collected since the last call, if anything was: **append it, again and again until that succeeds,
    /// before any later one**.
    pub fn batch(&mut self) -> Option<Batch> {
        if self.gather.is_empty() && self.cursor.is_none() {
            return None;
        }
        Some(Batch { fence: self.fence, cursor: self.cursor.take(), ..self.gather.take() })
    }

    /// Goes on under another claim, since the buffer has forgotten the one before.
    pub fn claimed_again(&mut self, fence: Fence) {
        self.fence = fence;
    }

    /// Records that messages are missing, with the next chunk.
    pub fn gap(&mut self, gap: Gap) {
        self.gather.gap(gap);
    }

    /// Prolongs the lease on the source.
    ///
    /// # Errors
    /// See [`Buffer::renew`].
    pub async fn renew(&self) -> Result<(), BufferError> {
        self.buffer.renew(&self.name, self.fence, self.lease).await
    }

    /// Messages for whoever runs the source, since the last call.
    pub fn notices(&mut self) -> Vec<Event> {
        self.gather.notices()
    }
}
