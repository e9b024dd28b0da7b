//! Which characters mean what in an expression.

use std::sync::LazyLock;

/// The character that the syntax sees: typographic and full-width forms of syntax characters are those.
///
/// Applied outside quotes and regexes, so spans point into the text as typed.
pub(super) fn syntax(c: char) -> char {
    match c {
        _ if is_quote(c) => '"',
        '（' => '(',
        '）' => ')',
        '＃' => '#',
        '＠' => '@',
        '－' => '-',
        '’' => '\'',
        _ => c,
    }
}

/// Quotation marks, all of which open and close a phrase.
pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '‟' | '＂' | '«' | '»')
}

/// Dashes that phones type for a minus sign.
pub(super) fn is_dash(c: char) -> bool {
    matches!(c, '–' | '—' | '−')
}

/// Invisible and control characters that are dropped outside quotes. Those that emoji and words of some scripts
/// are spelled with are not among them.
pub(super) fn is_dropped(c: char) -> bool {
    let interlinear = matches!(c, '\u{fff9}'..='\u{fffb}');
    (c.is_control() && !c.is_whitespace())
        || interlinear
        || (!c.is_ascii() && IGNORABLE.contains(c) && !is_joining(c))
}

/// Default-ignorable characters that may stand in a word: joiners, variation selectors, tags, Khmer inherent vowels.
fn is_joining(c: char) -> bool {
    matches!(c, '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{200c}' | '\u{200d}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

/// What ends a run of characters besides white space.
pub(super) fn is_delimiter(c: char) -> bool {
    matches!(syntax(c), '"' | '(' | ')' | '[' | ']' | '{' | '}' | ',')
}

/// What may follow a finished operand besides white space and the end.
pub(super) fn is_boundary(c: char) -> bool {
    c.is_whitespace() || matches!(syntax(c), '(' | ')' | ',')
}

/// Letters, marks, numbers, emoji, and ignorable characters that join them.
pub(super) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    // Last what takes a thousand steps for a character of a script in the middle of Unicode.
    LETTERS.contains(c) || is_joining(c) || c.is_alphanumeric()
}

/// What a word may hold besides, but neither begin nor end with (`_` may).
pub(super) fn is_inner(c: char) -> bool {
    matches!(c, '-' | '\'' | '.' | '_' | '&' | '/' | '@' | '+' | '·' | '，' | '：')
}

/// Letters, marks, numbers and ignorable characters: what a hashtag is made of, with `_`.
pub(super) fn is_tag(c: char) -> bool {
    c == '_' || c.is_alphanumeric() || is_joining(c) || (!c.is_ascii() && MARKS.contains(c))
}

/// A sorted list of ranges of characters.
struct Ranges(Vec<(char, char)>);

static LETTERS: LazyLock<Ranges> =
    LazyLock::new(|| Ranges::of(r"[\p{L}\p{M}\p{N}\p{Emoji}\p{Extended_Pictographic}&&[^#*]]"));
static IGNORABLE: LazyLock<Ranges> = LazyLock::new(|| Ranges::of(r"\p{Default_Ignorable_Code_Point}"));
static MARKS: LazyLock<Ranges> = LazyLock::new(|| Ranges::of(r"\p{M}"));

impl Ranges {
    /// The characters of a class of the regex syntax, whose Unicode version is this crate's.
    fn of(class: &str) -> Self {
        use regex_syntax::hir::{Class, HirKind};
        let hir = regex_syntax::parse(class);
        match hir.map(regex_syntax::hir::Hir::into_kind) {
            Ok(HirKind::Class(Class::Unicode(c))) => {
                Self(c.ranges().iter().map(|r| (r.start(), r.end())).collect())
            }
            _ => Self(Vec::new()),
        }
    }

    fn contains(&self, c: char) -> bool {
        let after = self.0.partition_point(|r| r.0 <= c);
        after > 0 && c <= self.0[after - 1].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_dropped_or_spells_something() {
        for c in ['\u{ad}', '\u{34f}', '\u{115f}', '\u{1160}', '\u{180e}', '\u{200b}', '\u{202e}', '\u{2060}']
        {
            assert!(is_dropped(c), "{c:?}");
        }
        for c in ['\u{206a}', '\u{206f}', '\u{3164}', '\u{feff}', '\u{ffa0}', '\u{fffb}', '\u{e0001}', '\0'] {
            assert!(is_dropped(c), "{c:?}");
        }
        for c in ['\u{200c}', '\u{200d}', '\u{fe0f}', '\u{180b}', '\u{e0067}', '\u{e007f}', '\u{e0100}'] {
            assert!(!is_dropped(c) && is_word(c), "{c:?}");
        }
        assert!(
            is_word('a') && is_word('é') && is_word('歌') && is_word('Ⓐ') && is_word('☃') && !is_word('_')
        );
        assert!(!is_word('#') && !is_word('*') && !is_word('、') && !is_word('\u{3000}'));
        assert!(!IGNORABLE.0.is_empty() && ![' ', '\n', 'a', 'é', '\u{3000}'].into_iter().any(is_dropped));
    }
}
