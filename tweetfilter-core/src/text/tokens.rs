//! Tokens of a text.

use unicode_normalization::UnicodeNormalization;

use super::flags::IGNORABLE;
use super::fold::{Chunk, Found, Steps, Unit, push_emoji, push_toneless, walk};
use super::hash::Key;
use super::scan::Scanner;
use super::tables::entry;
use super::{Origin, accents, links, words};
use crate::Span;

/// What a token is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A run of letters, marks and numbers.
    Word,
    /// One character or grapheme cluster of a script that is tokenized so (Han, kana, Hangul, Thai …).
    Character,
    /// One emoji sequence.
    Emoji,
}

/// The tokens of one stretch of text or of several, in order; reused from text to text.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    pub(super) bytes: String,
    pub(super) items: Vec<Item>,
    pub(super) work: Work,
}

/// Memory of the general path.
#[derive(Clone, Debug, Default)]
pub(super) struct Work {
    pub links: Vec<Span>,
    chunk: Chunk,
    run: Vec<Unit>,
    text: String,
    /// Of the token that [`Scanner`] writes.
    pub plain: String,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub span: Span,
    pub folded: Span,
    pub plain: Span,
    pub folded_hash: u64,
    pub plain_hash: u64,
    pub kind: TokenKind,
    pub part: u8,
}

/// What stands before a stretch of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing, or a control character.
    Nothing,
    /// Something that ends no word.
    Other,
    /// A word, which goes on.
    Word,
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
    /// [`super::hash`] of `folded`.
    pub folded_hash: u64,
    /// [`super::hash`] of `plain`.
    pub plain_hash: u64,
    /// What it is made of.
    pub kind: TokenKind,
    /// How many tokens before it came of characters of the same span (`½` makes two).
    pub part: u8,
}

impl Token<'_> {
    /// Whether `folded` and `plain` differ.
    #[must_use]
    #[inline]
    pub fn is_accented(&self) -> bool {
        !std::ptr::eq(self.folded, self.plain)
    }
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

    /// Hashes of the plain and of the folded text of the token at a position, and whether the two texts differ.
    #[inline]
    pub(crate) fn hashes(&self, index: usize) -> (u64, u64, bool) {
        let item = &self.items[index];
        (item.plain_hash, item.folded_hash, item.folded.start != item.plain.start)
    }

    /// The plain and the folded text of the token at a position, as bytes.
    #[inline]
    pub(crate) fn keys(&self, index: usize) -> (&[u8], &[u8]) {
        let item = &self.items[index];
        let bytes = self.bytes.as_bytes();
        (&bytes[item.plain.range()], &bytes[item.folded.range()])
    }

    /// The plain text of the token at a position.
    #[inline]
    pub(crate) fn plain(&self, index: usize) -> &str {
        &self.bytes[self.items[index].plain.range()]
    }

    /// What the folded and plain texts of all tokens are slices of, and more beside them.
    pub(crate) fn written(&self) -> &str {
        &self.bytes
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

    #[inline]
    fn token(&self, item: &Item) -> Token<'_> {
        Token {
            span: item.span,
            folded: &self.bytes[item.folded.range()],
            plain: &self.bytes[item.plain.range()],
            folded_hash: item.folded_hash,
            plain_hash: item.plain_hash,
            kind: item.kind,
            part: item.part,
        }
    }

    /// Tokens of `text[range]` by the general path; `first` is the number of the stretch's first token.
    pub(super) fn general(
        &mut self,
        text: &str,
        range: (usize, usize),
        before: Before,
        steps: Steps,
        first: usize,
    ) {
        let mut work = std::mem::take(&mut self.work);
        let Work { chunk, run, text: buffer, .. } = &mut work;
        run.clear();
        let mut inside = before == Before::Word;
        walk(text, range, before != Before::Nothing, steps, chunk, &mut |found| match found {
            Found::Char(c, span) => run.push(Unit { c, span }),
            Found::Gap(_) => self.run(run, std::mem::take(&mut inside), steps, first, buffer),
            Found::Emoji(cluster, span) => {
                self.run(run, std::mem::take(&mut inside), steps, first, buffer);
                self.emoji(cluster, span, steps, first);
            }
        });
        self.run(run, inside, steps, first, buffer);
        self.work = work;
    }

    fn run(&mut self, run: &mut Vec<Unit>, inside: bool, steps: Steps, first: usize, buffer: &mut String) {
        words::split(run, inside, |kind, units| {
            let (Some(start), Some(end)) = (units.first(), units.last()) else { return };
            let span = start.span.to(end.span);
            buffer.clear();
            buffer.extend(units.iter().map(|u| u.c));
            let from = self.bytes.len();
            if !steps.case {
                self.bytes.push_str(buffer);
                self.push(span, kind, from, None, first);
                return;
            }
            accents::level(buffer, entry, &mut self.bytes);
            if self.bytes.len() == from {
                return;
            }
            buffer.clear();
            accents::strip(&self.bytes[from..], entry, buffer);
            let plain = (self.bytes[from..] != **buffer).then_some(buffer.as_str());
            self.push(span, kind, from, plain, first);
        });
        run.clear();
    }

    pub(super) fn emoji(&mut self, cluster: &str, span: Span, steps: Steps, first: usize) {
        let from = self.bytes.len();
        push_emoji(cluster, &mut self.bytes);
        let mut plain = String::new();
        if steps.case && cluster.contains(super::fold::is_skin_tone) {
            push_toneless(&self.bytes[from..], &mut plain);
        }
        let plain = (!plain.is_empty() && plain != self.bytes[from..]).then_some(plain.as_str());
        self.push(span, TokenKind::Emoji, from, plain, first);
    }

    /// Adds the token whose folded text is what `bytes` has from `from` on.
    pub(super) fn push(
        &mut self,
        span: Span,
        kind: TokenKind,
        from: usize,
        plain: Option<&str>,
        first: usize,
    ) {
        let key = Key::get();
        let folded = Span::from(from..self.bytes.len());
        let folded_hash = key.hash(&self.bytes.as_bytes()[from..]);
        let (plain, plain_hash) = match plain {
            None => (folded, folded_hash),
            Some(plain) => {
                self.bytes.push_str(plain);
                (Span::from(folded.range().end..self.bytes.len()), key.hash(plain.as_bytes()))
            }
        };
        let before = self.items[first..].iter().rev().take_while(|item| item.span.end > span.start).count();
        let part = u8::try_from(before).unwrap_or(u8::MAX);
        self.items.push(Item { span, folded, plain, folded_hash, plain_hash, kind, part });
    }
}

/// Cuts `text` into tokens, appending to `out` (positions go on from what is there).
///
/// Takes time linear in the text, and no memory once `out` has grown.
///
/// ```
/// use tweetfilter_core::text::{Origin, Tokens, tokenize};
/// let mut tokens = Tokens::default();
/// tokenize("Visit CAFÉ 東京 https://t.co/abc", Origin::Post(&[]), &mut tokens);
/// let plain: Vec<&str> = tokens.iter().map(|t| t.plain).collect();
/// assert_eq!(plain, ["visit", "cafe", "東", "京"]);
/// assert_eq!(tokens.get(1).map(|t| t.folded), Some("café"));
/// ```
pub fn tokenize(text: &str, origin: Origin<'_>, out: &mut Tokens) {
    let mut spans = std::mem::take(&mut out.work.links);
    links::find(text, origin, &mut spans);
    let mut scanner = Scanner::new(text, out);
    for range in links::between(text, &spans) {
        scanner.stretch(range, range.0 > 0);
    }
    out.work.links = spans;
}

/// A token's text under `=`: NFKC, case and accents as typed. `original` is the slice under its span.
#[must_use]
pub fn exact(original: &str, token: Token<'_>) -> String {
    exact_with(original, token, &mut Tokens::default())
}

/// The same with memory of the caller's.
pub(super) fn exact_with(original: &str, token: Token<'_>, tokens: &mut Tokens) -> String {
    let typed = original.is_ascii() && token.kind == TokenKind::Word && token.part == 0;
    // What folding leaves as it is, normalizing alone leaves too.
    if typed || (original == token.folded && token.kind != TokenKind::Emoji) {
        return original.to_owned();
    }
    exact_by_steps(original, token, tokens)
}

/// The same for any token.
fn exact_by_steps(original: &str, token: Token<'_>, tokens: &mut Tokens) -> String {
    tokens.clear();
    let steps = Steps { emoji: true, apart: true, case: false };
    tokens.general(original, (0, original.len()), Before::Nothing, steps, 0);
    let index = usize::from(token.part).min(tokens.len().saturating_sub(1));
    match tokens.get(index) {
        Some(token) => token.folded.to_owned(),
        // A mark that is a cluster of its own is no token without the word that it stands in.
        None => original.chars().filter(|&c| entry(c) & IGNORABLE == 0).nfkc().collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_folding_leaves_normalizing_leaves(text in r"(\PC|[a-zß-ÿα-ωἀ-ῼа-ё]|[가-힣ㄱ-ㅎᄀ-ᇿ]|[ぁ-ヿ漢]|\p{M}|\p{Cf}|\p{No}){1,12}") {
            let mut tokens = Tokens::default();
            tokenize(&text, Origin::Filter, &mut tokens);
            let mut memory = Tokens::default();
            for token in tokens.iter() {
                let original = &text[token.span.range()];
                prop_assert_eq!(exact(original, token), exact_by_steps(original, token, &mut memory), "{:?}", token);
            }
        }
    }
}
