//! Whole entities (a tag, a place, an id), compared by steps c to e and the accent rule of words.

use super::fold::{Chunk, Found, Steps, walk};
use super::tables::entry;
use super::{Token, accents};

/// A whole value, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// Case-folded, its accents kept.
    pub folded: String,
    /// The same without one-sided accents.
    pub plain: String,
}

impl Folded {
    /// Whether this value of a filter equals a value of a post: with its accents if it has any, else without.
    #[must_use]
    pub fn matches(&self, post: &Folded) -> bool {
        if self.is_accented() { self.folded == post.folded } else { self.folded == post.plain }
    }

    /// The same for a value of a post that begins with this one (`#tag*`).
    #[must_use]
    pub fn is_prefix_of(&self, post: &Folded) -> bool {
        let text = if self.is_accented() { &post.folded } else { &post.plain };
        text.starts_with(&self.folded)
    }

    /// Whether it has one-sided accents.
    #[must_use]
    pub fn is_accented(&self) -> bool {
        self.folded != self.plain
    }
}

impl From<Token<'_>> for Folded {
    fn from(token: Token<'_>) -> Self {
        Self { folded: token.folded.to_owned(), plain: token.plain.to_owned() }
    }
}

/// Folds a whole value.
///
/// ```
/// use tweetfilter_core::text::fold_value;
/// assert!(fold_value("sao_paulo").matches(&fold_value("São_Paulo")));
/// assert!(!fold_value("são_paulo").matches(&fold_value("Sao_Paulo")));
/// ```
#[must_use]
pub fn fold_value(text: &str) -> Folded {
    let mut out = Folded::default();
    fold_value_into(text, &mut out);
    out
}

/// The same into memory that is there already.
pub fn fold_value_into(text: &str, out: &mut Folded) {
    out.folded.clear();
    out.plain.clear();
    if text.is_ascii() {
        out.folded.push_str(text);
        out.folded.make_ascii_lowercase();
        out.plain.push_str(&out.folded);
        return;
    }
    let mut whole = String::with_capacity(text.len());
    let steps = Steps { emoji: false, apart: true, case: true };
    walk(text, (0, text.len()), false, steps, &mut Chunk::default(), &mut |found| match found {
        Found::Char(c, _) => whole.push(c),
        Found::Gap(_) | Found::Emoji(..) => whole.push(' '),
    });
    accents::level(&whole, entry, &mut out.folded);
    accents::strip(&out.folded, entry, &mut out.plain);
}
