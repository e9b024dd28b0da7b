//! Formulas in negation normal form: what a filter asks, without how it was written.

use super::atoms::{Flag, Test};
use super::channel::Level;
use crate::syntax::Scope;

/// A test with the side of it that is asked for.
///
/// The negative side is not the complement of the positive one: where a post lacks the data, neither holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Literal {
    pub(crate) test: Test,
    pub(crate) negative: bool,
}

/// A filter in negation normal form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Formula {
    Is(Literal),
    All(Vec<Formula>),
    Any(Vec<Formula>),
    AtLeast(usize, Vec<Formula>),
    /// The post behind the scope is carried, and the formula is true of it.
    In(ScopeKey, Box<Formula>),
    /// A named set, by its number in the plan, and the side that is asked for.
    Set(u32, bool),
}

/// A [`Scope`] that can be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ScopeKey {
    Quote,
    Retweet,
}

impl ScopeKey {
    pub(crate) fn of(scope: Scope) -> Self {
        match scope {
            Scope::Quote => Self::Quote,
            Scope::Retweet => Self::Retweet,
        }
    }

    /// The bit that says that such a post is announced, and the one that it is carried.
    pub(crate) fn flags(self) -> (Flag, Flag) {
        match self {
            Self::Quote => (Flag::Quote, Flag::QuoteCarried),
            Self::Retweet => (Flag::Retweet, Flag::OriginalCarried),
        }
    }

    /// Where an atom stands inside of this scope.
    pub(crate) fn enter(self, level: Level) -> Level {
        match (level, self) {
            (Level::Post, Self::Quote) => Level::Quote,
            (Level::Post, Self::Retweet) => Level::Original,
            _ => Level::Deeper,
        }
    }
}

impl Formula {
    pub(crate) const NEVER: Formula = Formula::Any(Vec::new());
    pub(crate) const ALWAYS: Formula = Formula::All(Vec::new());

    pub(crate) fn is(test: Test, negative: bool) -> Self {
        Self::Is(Literal { test, negative })
    }

    /// All of these; nested conjunctions are merged, what can't change the result is dropped.
    pub(crate) fn all(parts: impl IntoIterator<Item = Formula>) -> Self {
        let mut list = Vec::new();
        for part in parts {
            match part {
                Self::All(inner) => list.extend(inner),
                other if other == Self::NEVER => return Self::NEVER,
                other => list.push(other),
            }
        }
        Self::listed(list, Self::All)
    }

    /// Any of these.
    pub(crate) fn any(parts: impl IntoIterator<Item = Formula>) -> Self {
        let mut list = Vec::new();
        for part in parts {
            match part {
                Self::Any(inner) => list.extend(inner),
                other if other == Self::ALWAYS => return Self::ALWAYS,
                other => list.push(other),
            }
        }
        Self::listed(list, Self::Any)
    }

    fn listed(mut list: Vec<Formula>, make: fn(Vec<Formula>) -> Self) -> Self {
        list.sort_unstable();
        list.dedup();
        if list.len() == 1 { list.swap_remove(0) } else { make(list) }
    }

    /// At least `n` of these hold; elements count as often as they stand there.
    pub(crate) fn at_least(n: usize, parts: Vec<Formula>) -> Self {
        let always = parts.iter().filter(|p| **p == Self::ALWAYS).count();
        let rest: Vec<_> = parts.into_iter().filter(|p| *p != Self::ALWAYS && *p != Self::NEVER).collect();
        let n = n.saturating_sub(always);
        match n {
            0 => Self::ALWAYS,
            1 => Self::any(rest),
            n if n > rest.len() => Self::NEVER,
            n if n == rest.len() => Self::all(rest),
            n => Self::AtLeast(n, rest),
        }
    }
}
