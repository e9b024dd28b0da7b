//! What users hold: filters go into a builder, the builder gives a set, the set evaluates posts.

use std::collections::HashSet;

use crate::syntax::Diagnostic;
use crate::{Expression, Limits, ParseError, Post, Scratch};

/// A filter's id, chosen by the caller, unique among the filters of one owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FilterId(pub u64);

/// Whose filter it is, chosen by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OwnerId(pub u64);

/// A filter that matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Match {
    /// Place in the order in which the filters were added.
    pub index: u32,
    /// The filter's id.
    pub id: FilterId,
    /// Its owner.
    pub owner: Option<OwnerId>,
}

/// Why a filter can't be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// The text is not an expression.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The expression is one, but not in this set: `me` without owner, an unknown named set, a limit.
    #[error("{}", .0.message)]
    Refused(Diagnostic),
    /// The owner has a filter of this id already.
    #[error("filter id {} is taken", (.0).0)]
    DuplicateId(FilterId),
}

/// Collects filters.
#[derive(Debug, Default)]
pub struct FilterSetBuilder {
    limits: Limits,
    filters: Vec<(Match, Expression)>,
    ids: HashSet<(Option<OwnerId>, FilterId)>,
}

/// Filters, compiled: immutable, `Send + Sync`, made to be shared.
#[derive(Debug)]
pub struct FilterSet {
    filters: Vec<(Match, Expression)>,
}

impl FilterSetBuilder {
    /// An empty builder with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses a filter of no owner and adds it.
    ///
    /// # Errors
    /// See [`AddError`]; the builder is unchanged then.
    pub fn add(&mut self, id: FilterId, text: &str) -> Result<&mut Self, AddError> {
        let expression = Expression::parse_with(text, crate::Dialect::Native, &self.limits)?;
        self.add_expression(id, None, expression)
    }

    /// Adds a parsed filter, of an owner or of none.
    ///
    /// # Errors
    /// See [`AddError`]; the builder is unchanged then.
    pub fn add_expression(
        &mut self,
        id: FilterId,
        owner: Option<OwnerId>,
        expression: Expression,
    ) -> Result<&mut Self, AddError> {
        if !self.ids.insert((owner, id)) {
            return Err(AddError::DuplicateId(id));
        }
        let index = u32::try_from(self.filters.len()).unwrap_or(u32::MAX);
        self.filters.push((Match { index, id, owner }, expression));
        Ok(self)
    }

    /// Compiles the set.
    #[must_use]
    pub fn build(self) -> FilterSet {
        FilterSet { filters: self.filters }
    }
}

impl FilterSet {
    /// All filters that a post satisfies, in the order in which they were added.
    #[must_use]
    pub fn matches(&self, post: &Post) -> Vec<Match> {
        self.matches_with(&mut Scratch::default(), post).to_vec()
    }

    /// The same with a scratch of the caller's, one per thread.
    pub fn matches_with<'s>(&self, scratch: &'s mut Scratch, post: &Post) -> &'s [Match] {
        scratch.run(&self.filters, post)
    }
}
