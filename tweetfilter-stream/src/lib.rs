//! Posts from every wire.
//!
//! [`wire::decode`] reads one message of any supported network and says what it means, as an [`Event`].
//! [`files`] reads the lines of plain and compressed files, and of tars of them. [`source`] gives the lines of
//! files and live streams with where to read on, and [`gather`] makes entries of them.

pub mod buffer;
pub mod entry;
mod event;
#[doc(hidden)]
pub mod fail;
#[cfg(feature = "files")]
pub mod files;
pub mod gather;
pub mod generate;
pub mod ingest;
mod json;
pub mod process;
#[cfg(feature = "redis")]
pub mod redis_streams;
pub mod shrunk;
pub mod source;
pub mod store;
pub mod wire;
pub mod worker;

pub use event::Event;
