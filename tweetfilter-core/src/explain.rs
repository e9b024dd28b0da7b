//! Why a post matches a filter or not, what a filter costs, and how it is run.
//!
//! [`FilterSet::explain`](crate::FilterSet::explain) gives an [`Explanation`], [`FilterSet::cost`](crate::FilterSet::cost) a
//! [`Cost`], [`FilterSet::plan`](crate::FilterSet::plan) a [`Plan`]. All are made on request and take no part in matching.

pub use crate::eval::explain::{Evidence, Explanation, Field, Part};
pub use crate::plan::shown::{Plan, PlanSet, PlanStep};
pub use crate::syntax::cost::{Cost, CostClass};
