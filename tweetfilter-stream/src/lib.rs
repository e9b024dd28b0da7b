//! Posts from every wire.
//!
//! [`wire::decode`] reads one message of any supported network and says what it means, as an [`Event`].

mod event;
pub mod wire;

pub use event::Event;
