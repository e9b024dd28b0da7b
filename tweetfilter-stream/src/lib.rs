//! Posts from every wire.
//!
//! [`wire::decode`] reads one message of any supported network and says what it means, as an [`Event`].
//! [`files`] reads the lines of plain and compressed files, and of tars of them.

mod event;
#[cfg(feature = "files")]
pub mod files;
pub mod generate;
mod json;
pub mod shrunk;
pub mod wire;

pub use event::Event;
