//! What surrounds the filters: reading them from the files that people keep them in.
//!
//! The `tweetfilter` command stands behind the feature `cli` (on by default); a program that only wants
//! [`import`] switches it off.

pub mod import;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
