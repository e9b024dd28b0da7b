//! Whole entities (a tag, a place, an id), compared by steps c to e and the accent rule of words.

use super::flags::MARK;
use super::fold::{Chunk, Found, Steps, folds_to_itself, walk};
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
    if text.is_ascii() || text.chars().all(is_alone) {
        out.folded.push_str(text);
        out.folded.make_ascii_lowercase();
        out.plain.push_str(&out.folded);
    } else {
        fold_by_steps(text, out);
    }
}

/// Whether a character folds to itself, but for the case of ASCII, whatever stands beside it.
fn is_alone(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    folds_to_itself(c) && entry(c) & MARK == 0
}

/// The same for any text, into empty memory.
fn fold_by_steps(text: &str, out: &mut Folded) {
    let mut whole = String::with_capacity(text.len());
    let steps = Steps { emoji: false, apart: true, case: true };
    walk(text, (0, text.len()), false, steps, &mut Chunk::default(), &mut |found| match found {
        Found::Char(c, _) => whole.push(c),
        Found::Gap(_) | Found::Emoji(..) => whole.push(' '),
    });
    accents::level(&whole, entry, &mut out.folded);
    accents::strip(&out.folded, entry, &mut out.plain);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_steps(text: &str) -> Folded {
        let mut out = Folded::default();
        fold_by_steps(text, &mut out);
        out
    }

    proptest! {
        #[test]
        fn what_folds_to_itself_is_not_folded(text in r"(\PC|[a-zA-Z0-9_ß-ÿα-ωἀ-ῼа-ё]|[가-힣ㄱ-ㅎᄀ-ᇿ]|[ぁ-ヿ漢]|[ก-๛]|\p{M}|\p{Cf}|\p{No}){1,8}") {
            prop_assert_eq!(fold_value(&text), by_steps(&text));
        }
    }

    #[test]
    fn tags_of_any_script_are_read_alike() {
        for tag in [
            "歌",
            "Snow_雪2021",
            "がぎ",
            "テスト",
            "이영흠",
            "ครับ",
            "งาน",
            "Погода",
            "йод",
            "مرحبا",
            "İstanbul",
        ] {
            assert_eq!(fold_value(tag), by_steps(tag), "{tag}");
        }
        assert!(["歌", "Snow_雪2021", "が", "한국"].iter().all(|tag| tag.chars().all(is_alone)));
        assert!(
            !["é", "İ", "\u{301}", "ใ\u{e48}", "℃", "ﬁ", "😀", "・"]
                .iter()
                .any(|tag| tag.chars().all(is_alone))
        );
    }
}
