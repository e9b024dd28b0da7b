//! What surrounds the filters: reading them from the files that people keep them in, and running the parts of the
//! server.
//!
//! The `tweetfilter` command stands behind the feature `cli`, the parts behind `serve` (both on by default); a
//! program that only wants [`import`] switches them off.

#[cfg(feature = "serve")]
pub mod api;
pub mod import;
#[cfg(feature = "serve")]
pub mod incoming;
#[cfg(feature = "serve")]
pub mod names;
#[cfg(feature = "serve")]
pub mod ops;
#[cfg(feature = "serve")]
pub mod page;
#[cfg(feature = "serve")]
pub mod parts;
#[cfg(feature = "serve")]
pub mod people;
pub mod time;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
