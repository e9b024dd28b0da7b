//! Why a post matches a filter or not, and what a filter costs.
//!
//! [`FilterSet::explain`](crate::FilterSet::explain) gives an [`Explanation`], [`FilterSet::cost`](crate::FilterSet::cost) a
//! [`Cost`]. Both are made on request and take no part in matching.

pub use crate::eval::explain::{Evidence, Explanation, Field, Part};
pub use crate::plan::cost::{Cost, CostClass};
