//! The slow evaluator: what an expression says of a post, read off the tree.
//!
//! Every filter set is held against it by tests, fuzz targets and benchmarks, so it shares nothing with plan,
//! engine and evaluation. It uses the tree, the post and the tokens of `text`; it folds substrings and whole values,
//! finds links and counts by itself, compiles every regex afresh, and tries every placement of every phrase. Where it and the engine differ, read the contract.
//!
//! ```
//! use tweetfilter_core::syntax::NamedSets;
//! use tweetfilter_core::{Expression, Post, oracle};
//! let surroundings = oracle::Surroundings { sets: &NamedSets::default(), me: &[] };
//! let filter = Expression::parse("snow -followers:<100")?;
//! let mut post = Post::from_text("Snow at last");
//! assert!(!oracle::holds(&filter, &post, &surroundings), "the count is unknown");
//! post.author.followers = Some(100);
//! assert!(oracle::holds(&filter, &post, &surroundings));
//! # Ok::<(), tweetfilter_core::ParseError>(())
//! ```

mod accounts;
mod atoms;
mod counts;
mod folds;
mod links;
mod places;
mod words;

use crate::syntax::{NamedSets, Node, NodeKind, Scope};
use crate::{Dialect, Expression, Identity, Post};

/// What an expression needs beside the post.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The named sets.
    pub sets: &'a NamedSets,
    /// Whom `me` stands for.
    pub me: &'a [Identity],
}

/// Whether the expression is true of the post; unknown counts as no.
///
/// A set that is not among the surroundings makes its atom unknown (building a filter set refuses it).
#[must_use]
pub fn holds(expression: &Expression, post: &Post, surroundings: &Surroundings<'_>) -> bool {
    let reading = Reading::of(post, expression.dialect(), surroundings);
    node(expression.root(), &reading) == Answer::True
}

/// A truth value with a third for what the post does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    True,
    False,
    Unknown,
}

impl From<bool> for Answer {
    fn from(yes: bool) -> Self {
        if yes { Self::True } else { Self::False }
    }
}

impl Answer {
    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }

    /// At least `needed` of the answers are true; false when so few can still be true.
    fn at_least(needed: usize, answers: impl IntoIterator<Item = Self>) -> Self {
        let (mut yes, mut no, mut all) = (0, 0, 0);
        for answer in answers {
            all += 1;
            yes += usize::from(answer == Self::True);
            no += usize::from(answer == Self::False);
        }
        if yes >= needed {
            Self::True
        } else if no + needed > all {
            Self::False
        } else {
            Self::Unknown
        }
    }

    fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        Self::at_least(1, answers)
    }
}

/// A post as one expression reads it.
struct Reading<'a> {
    /// Who acts: the retweet itself, or the post.
    act: &'a Post,
    /// What is said: the original of a retweet, or the post.
    content: &'a Post,
    dialect: Dialect,
    surroundings: &'a Surroundings<'a>,
}

impl<'a> Reading<'a> {
    fn of(post: &'a Post, dialect: Dialect, surroundings: &'a Surroundings<'a>) -> Self {
        Self { act: post, content: post.content(), dialect, surroundings }
    }

    /// The carried quoted post.
    fn quote(&self) -> Option<&'a Post> {
        self.content.quote_of.as_ref()?.post.as_ref()
    }

    /// The posts that an entity atom reads: in dialect `x` the quoted post too.
    fn posts(&self) -> Vec<&'a Post> {
        let quote = if self.dialect == Dialect::X { self.quote() } else { None };
        std::iter::once(self.content).chain(quote.map(Post::content)).collect()
    }
}

fn node(node: &Node, reading: &Reading<'_>) -> Answer {
    match &node.kind {
        NodeKind::And(items) => {
            Answer::at_least(items.len(), items.iter().map(|item| self::node(item, reading)))
        }
        NodeKind::Or(items) => Answer::any(items.iter().map(|item| self::node(item, reading))),
        NodeKind::Not(inner) => self::node(inner, reading).not(),
        NodeKind::Quota(quota) => {
            let (needed, negated) = quota.needed();
            let answer = Answer::at_least(needed, quota.items.iter().map(|item| self::node(item, reading)));
            if negated { answer.not() } else { answer }
        }
        NodeKind::Scope(scope, inner) => {
            let reference = match scope {
                Scope::Quote => &reading.content.quote_of,
                Scope::Retweet => &reading.act.retweet_of,
            };
            match reference.as_deref() {
                None => Answer::False,
                Some(announced) => match &announced.post {
                    None => Answer::Unknown,
                    Some(post) => {
                        self::node(inner, &Reading::of(post, reading.dialect, reading.surroundings))
                    }
                },
            }
        }
        NodeKind::Atom(atom) => atoms::atom(atom, reading),
    }
}
