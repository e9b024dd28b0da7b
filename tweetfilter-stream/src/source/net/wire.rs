//! What a network's stream must bring along to be kept alive.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::Stream;
use tweetfilter_core::post::Millis;

use super::backoff::Trouble;
use crate::buffer::Gap;
use crate::source::{Chunk, SourceError};

/// A future in a box.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a connection gives, piece by piece, until it ends.
pub type Connection = Pin<Box<dyn Stream<Item = Result<Received, Fault>> + Send>>;

/// A piece of what a connection gives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// Bytes, or one whole message where the network has messages.
    Bytes(Vec<u8>),
    /// Nothing but a sign of life.
    Alive,
}

/// Why there is no connection, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind it is, for the back-off.
    pub trouble: Trouble,
    /// The status of HTTP, where one came.
    pub status: Option<u16>,
    /// How long the server asks us to wait.
    pub retry_after: Option<Duration>,
    /// A sentence for people, without secrets.
    pub reason: String,
}

impl Fault {
    /// The network failed.
    pub fn network(reason: impl Into<String>) -> Self {
        Self { trouble: Trouble::Network, status: None, retry_after: None, reason: reason.into() }
    }

    /// The same with another kind of trouble.
    #[must_use]
    pub fn of(self, trouble: Trouble) -> Self {
        Self { trouble, ..self }
    }
}

/// What is said of a connection that the server has ended.
pub(super) const ENDED: &str = "the server has ended the connection";

/// How to talk to one network. [`Live`](super::Live) does the rest.
pub trait Wire: Send {
    /// With whom the next connection is made, for people.
    fn address(&self) -> String;

    /// After how long without a line or a sign of life the connection counts as dead.
    fn silence(&self) -> Duration;

    /// Begins to connect, behind what was taken so far. Whatever was begun on an earlier connection is forgotten.
    fn connect(&mut self) -> BoxFuture<Result<Connection, Fault>>;

    /// Makes lines of what was received at a time, and adds them to the chunk. Whether a message has ended in it:
    /// bytes that never do are no sign of life.
    ///
    /// # Errors
    /// When the connection must be left. What was added before that stands.
    fn take(&mut self, bytes: &[u8], at: Millis, chunk: &mut Chunk) -> Result<bool, Fault>;

    /// Adds what was received and has no end yet, since the connection has ended as it should: a whole message, or one that
    /// whoever decodes it counts as unreadable. Why there is no connection any more.
    fn ended(&mut self, _chunk: &mut Chunk) -> Fault {
        Fault::network(ENDED)
    }

    /// What it knows to be missing and has not told yet, where nothing more is read.
    fn rest(&mut self) -> Vec<Gap> {
        Vec::new()
    }

    /// Whether it can read on from a cursor. Otherwise each new connection leaves a gap.
    fn resumes(&self) -> bool {
        false
    }

    /// Where to read on from, if it can.
    fn cursor(&self) -> Option<String> {
        None
    }

    /// Reads on from what [`Wire::cursor`] said.
    ///
    /// # Errors
    /// [`SourceError::Cursor`].
    fn resume(&mut self, _cursor: &str) -> Result<(), SourceError> {
        Err(SourceError::Cursor(super::OF_ITS_KIND))
    }

    /// Turns to another address after a fault; whether there is one that was not refused yet.
    fn turn(&mut self, _fault: &Fault) -> bool {
        false
    }
}
