//! Where posts come from: files and live streams, as lines with a place to read on from.
//!
//! A [`Source`] frames, connects and keeps its place. It gives lines as they were received and does not decode
//! them: [`Gather`](crate::gather::Gather) does, or [`wire::decode`](crate::wire::decode) for those who only
//! listen.
//!
//! ```
//! use std::future::Future;
//! use tweetfilter_stream::source::{Source, SourceError};
//! use tweetfilter_stream::wire;
//!
//! async fn listen(mut source: impl Source) -> Result<(), SourceError> {
//!     while let Some(chunk) = source.next().await? {
//!         for line in chunk.lines.iter().filter(|line| !line.is_blank()) {
//!             if let Ok(event) = wire::decode(line.bytes) {
//!                 event.into_posts().for_each(|(_, post)| println!("{}", post.text));
//!             }
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! [`file`](mod@file) reads files and standard input (feature `files`), [`net`] live streams (feature `net`).

mod chunk;
mod clock;
#[cfg(feature = "files")]
pub mod file;
#[cfg(any(feature = "files", feature = "net"))]
mod limit;
#[cfg(feature = "net")]
pub mod net;

use std::future::Future;

use crate::buffer::Gap;
pub use chunk::{Chunk, Line, Lines, Notice, Place};
pub use clock::Clock;

/// Something that gives lines, one chunk after the other.
pub trait Source: Send {
    /// The next lines, or what happened to the connection; `None` at the end.
    ///
    /// The future may be dropped at any time: what it had received is given by the next call.
    ///
    /// # Errors
    /// See [`SourceError`]. After one, a further call tries again or goes on behind what could not be read.
    fn next(&mut self) -> impl Future<Output = Result<Option<Chunk>, SourceError>> + Send;

    /// What it knows to be missing and has not told yet, of one that is read no further. Nobody else would know of it.
    fn rest(&mut self) -> Vec<Gap> {
        Vec::new()
    }
}

/// Why a source gives nothing more by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A server refused what it was asked for, and would refuse it again.
    #[error("{address} refused: {reason}")]
    Refused {
        /// Where it was asked.
        address: String,
        /// The status of HTTP, where that is what said no.
        status: Option<u16>,
        /// A sentence for people.
        reason: String,
    },
    /// The cursor is of another kind of source than this, which is said for people: `files`.
    #[error(
        "can't go on where this source stood: under its name something else than {0} was read before. Give it another name, \
         or the kind that it had"
    )]
    Cursor(&'static str),
    /// A file can't be read.
    #[error("{name}: {error}")]
    Read {
        /// The file.
        name: String,
        /// Why.
        error: std::io::Error,
    },
    /// It can't be set up as it was asked for.
    #[error("{0}")]
    Setup(String),
}
