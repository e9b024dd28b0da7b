//! Posts from every wire.

pub mod wire;
