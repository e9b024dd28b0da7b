//! From the faithful tree to what the engine runs: lossy, easy to analyze.
//!
//! [`formula`] pushes NOT down to the atoms (each atom has a true and a false side), expands values, sets and
//! dialects and interns the atoms; [`access`] chooses the atoms whose absence proves that a filter can't match.

pub(crate) mod access;
pub(crate) mod atoms;
pub(crate) mod channel;
pub(crate) mod formula;
pub(crate) mod links;
pub(crate) mod lower;
pub(crate) mod price;
pub(crate) mod regex_size;
pub(crate) mod sets;
pub(crate) mod shown;
pub(crate) mod statistics;
pub(crate) mod within;

pub use statistics::TermStatistics;
