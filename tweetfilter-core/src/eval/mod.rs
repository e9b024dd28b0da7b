//! Evaluation of posts: one post view and one scratch, candidates, confirmation.
//!
//! [`view`] prepares a post once for all filters; [`run`] walks postings and collects matches; [`confirm`] runs
//! programs; [`explain`] says what matched where.

pub(crate) mod confirm;
pub(crate) mod explain;
pub(crate) mod fields;
pub(crate) mod find;
pub(crate) mod geo;
#[cfg(test)]
mod growth;
pub(crate) mod near;
pub(crate) mod phrase;
pub(crate) mod regexes;
pub(crate) mod run;
pub(crate) mod stretches;
pub(crate) mod view;

pub use run::Scratch;
