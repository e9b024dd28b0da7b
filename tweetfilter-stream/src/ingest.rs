//! From a source to the buffer: what was read is appended together with the place to read on from.
//!
//! [`Ingest`] holds the claim on a source and what could not be appended yet. It waits for nothing by itself, so
//! whoever runs it decides about time. **A cursor is appended together with the entries before it, never
//! ahead of them.**

use std::time::Duration;

use crate::Event;
use crate::buffer::{Batch, Buffer, BufferError, Counts, Fence, Gap};
use crate::entry::Audience;
use crate::gather::Gather;
use crate::source::Chunk;

/// A source that is read, and the buffer that it goes to.
#[derive(Debug)]
pub struct Ingest<B> {
    buffer: B,
    name: String,
    fence: Fence,
    lease: Duration,
    gather: Gather,
    /// What could not be appended yet.
    held: Option<Batch>,
}

impl<B: Buffer> Ingest<B> {
    /// Claims a source for an instance, and tells where it is to be read on from.
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
    ) -> Result<(Self, Option<String>), BufferError> {
        let claim = buffer.claim(name, instance, lease).await?;
        let gather = Gather::new(name, bare);
        let ingest = Self { buffer, name: name.to_owned(), fence: claim.fence, lease, gather, held: None };
        Ok((ingest, claim.cursor))
    }

    /// Appends a chunk, and returns what was counted.
    ///
    /// # Errors
    /// See [`Buffer::append`]. The chunk is held then: call [`Ingest::flush`] until it succeeds, before anything
    /// else is offered.
    pub async fn offer(&mut self, chunk: &Chunk) -> Result<Counts, BufferError> {
        self.flush().await?;
        chunk.gather(&mut self.gather);
        if self.gather.is_empty() && chunk.cursor.is_none() {
            return Ok(Counts::default());
        }
        let batch = Batch { fence: self.fence, cursor: chunk.cursor.clone(), ..self.gather.take() };
        self.held = Some(batch);
        self.flush().await
    }

    /// Appends what is held, if anything is.
    ///
    /// # Errors
    /// See [`Buffer::append`]; it is still held then.
    pub async fn flush(&mut self) -> Result<Counts, BufferError> {
        let Some(batch) = &self.held else { return Ok(Counts::default()) };
        self.buffer.append(batch).await?;
        Ok(self.held.take().map(|batch| batch.counts).unwrap_or_default())
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
