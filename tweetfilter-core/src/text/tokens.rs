//! Tokens of a text.

use super::Origin;
use crate::Span;

/// What a token is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A run of letters, marks and numbers.
    Word,
    /// One character or grapheme cluster of a script that is tokenized so (Han, kana, Hangul, Thai …).
    Character,
    /// One emoji sequence.
    Emoji,
}

/// The tokens of one stretch of text, in order; reused from text to text.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    bytes: String,
    items: Vec<Item>,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    span: Span,
    folded: Span,
    plain: Span,
    kind: TokenKind,
}

/// One token; its position is its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// Where it stands in the original text.
    pub span: Span,
    /// Case-folded, its accents kept (an emoji: its skin tone kept).
    pub folded: &'a str,
    /// The same with one-sided accents (an emoji: skin tone) removed; the same slice when there are none.
    pub plain: &'a str,
    /// What it is made of.
    pub kind: TokenKind,
}

impl Tokens {
    /// Number of tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The token at a position.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Token<'_>> {
        self.items.get(index).map(|item| self.token(item))
    }

    /// All tokens in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Token<'_>> {
        self.items.iter().map(|item| self.token(item))
    }

    /// Forgets all tokens and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
    }

    fn token(&self, item: &Item) -> Token<'_> {
        Token {
            span: item.span,
            folded: &self.bytes[item.folded.range()],
            plain: &self.bytes[item.plain.range()],
            kind: item.kind,
        }
    }
}

/// Cuts `text` into tokens, appending to `out` (positions go on from what is there).
pub fn tokenize(text: &str, _origin: Origin<'_>, out: &mut Tokens) {
    let mut rest = 0;
    for run in text.split(|c: char| !c.is_alphanumeric()) {
        let start = rest;
        rest += run.len() + text[start + run.len()..].chars().next().map_or(0, char::len_utf8);
        if run.is_empty() {
            continue;
        }
        let folded = out.bytes.len();
        out.bytes.extend(run.chars().flat_map(char::to_lowercase));
        let folded = Span::from(folded..out.bytes.len());
        out.items.push(Item {
            span: Span::from(start..start + run.len()),
            folded,
            plain: folded,
            kind: TokenKind::Word,
        });
    }
}

/// A token's text under `=`: NFKC, case and accents as typed. `original` is the slice under its span.
#[must_use]
pub fn exact(original: &str) -> String {
    original.to_owned()
}

/// A token's look-alike skeleton under `~`, before runs of equal letters are compared.
#[must_use]
pub fn obfuscated(token: Token<'_>) -> String {
    token.plain.to_owned()
}
