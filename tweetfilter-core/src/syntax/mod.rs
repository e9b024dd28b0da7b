//! From text to the faithful tree and back.

mod accounts;
mod advice;
mod ast;
mod at_x;
mod atoms;
mod chars;
mod codes;
mod composed;
pub(crate) mod cost;
mod countries;
mod diagnostic;
mod grammar;
#[cfg(test)]
mod growth;
mod languages;
pub mod lint;
pub(crate) mod literals;
mod native;
mod operators;
mod print;
mod regexes;
mod report;
pub(crate) mod sets;
mod suggest;
mod token;
mod values;
mod visible;
mod words;

pub use accounts::{account_names, names_me};
pub use ast::*;
pub use at_x::lacking_at_x;
pub use codes::CODES;
pub use diagnostic::{Diagnostic, Fix, Severity};
pub use native::{Note, differences_from_x, lost_in_native, to_native};
pub use operators::{Spelling, spellings};
pub use print::quoted;
pub use sets::NamedSets;

use crate::Limits;
use cost::CostClass;

/// A parsed filter expression.
///
/// Displaying it gives its canonical text, which parses to an equal expression.
///
/// ```
/// use tweetfilter_core::Expression;
/// let filter = Expression::parse("NOT(a) OR(b)")?;
/// assert_eq!(filter.to_string(), "-a OR b");
/// # Ok::<(), tweetfilter_core::ParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    dialect: Dialect,
    root: Node,
    class: CostClass,
    warnings: Vec<Diagnostic>,
}

impl Expression {
    /// Parses an expression of the native dialect under the default limits.
    ///
    /// # Errors
    /// Every independent error, with place and ways out.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::parse_with(text, Dialect::Native, &Limits::default())
    }

    /// Parses an expression of either dialect under the caller's limits.
    ///
    /// # Errors
    /// Every independent error, with place and ways out.
    pub fn parse_with(text: &str, dialect: Dialect, limits: &Limits) -> Result<Self, ParseError> {
        let outcome = grammar::parse(text, dialect, limits);
        let class = outcome.class;
        match outcome.root {
            Some(root) => {
                Ok(Self { text: text.to_owned(), dialect, root, class, warnings: outcome.diagnostics })
            }
            None => Err(ParseError { text: text.to_owned(), diagnostics: outcome.diagnostics }),
        }
    }

    /// An expression from a tree; its text is its canonical text, and spans of the tree are kept as they are.
    #[must_use]
    pub fn from_node(root: Node, dialect: Dialect) -> Self {
        let class = cost::class_of(&root);
        let mut expression = Self { text: String::new(), dialect, root, class, warnings: Vec::new() };
        expression.text = expression.to_string();
        expression
    }

    /// The tree, owned.
    #[must_use]
    pub fn into_root(self) -> Node {
        self.root
    }

    /// The text as written; spans of nodes and diagnostics point into it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How it reads a post.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The tree.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// What it costs by its form alone.
    pub(crate) fn class(&self) -> CostClass {
        self.class
    }

    /// What is legal but perhaps not meant.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }
}

/// Expressions are equal when they say the same, however they are spaced and spelled.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.dialect == other.dialect && self.root == other.root
    }
}

/// Why a text is not an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.first())]
pub struct ParseError {
    text: String,
    diagnostics: Vec<Diagnostic>,
}

impl ParseError {
    /// Wraps what was found in a text.
    pub(crate) fn new(text: String, diagnostics: Vec<Diagnostic>) -> Self {
        Self { text, diagnostics }
    }

    /// The text that was refused.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong, in order of place, warnings included; at least one is an error.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    fn first(&self) -> String {
        let mut errors = self.diagnostics.iter().filter(|d| d.severity == Severity::Error);
        match errors.next() {
            Some(d) => {
                let more = errors.count();
                let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
                format!("{} at byte {} [{}]{more}", d.message, d.span.start, d.code)
            }
            None => "invalid expression".to_owned(),
        }
    }
}
