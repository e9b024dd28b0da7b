//! Kinds of characters in tags, mentions and links.

use std::sync::LazyLock;

use regex_syntax::hir::HirKind;

/// The ranges of a class of characters, written as in a regex.
fn ranges(class: &str) -> Vec<(char, char)> {
    match regex_syntax::parse(class).map(|hir| hir.into_kind()) {
        Ok(HirKind::Class(regex_syntax::hir::Class::Unicode(class))) => {
            class.ranges().iter().map(|range| (range.start(), range.end())).collect()
        }
        _ => Vec::new(),
    }
}

fn is_in(ranges: &[(char, char)], c: char) -> bool {
    let next = ranges.partition_point(|&(start, _)| start <= c);
    next > 0 && c <= ranges[next - 1].1
}

/// Letters and marks: a tag has at least one.
pub(super) fn is_tag_letter(c: char) -> bool {
    static LETTERS: LazyLock<Vec<(char, char)>> = LazyLock::new(|| ranges(r"[\p{L}\p{M}]"));
    if c.is_ascii() { c.is_ascii_alphabetic() } else { is_in(&LETTERS, c) }
}

/// What a tag is made of: letters, marks, digits, and the joiners and points of some scripts.
pub(super) fn is_tag_character(c: char) -> bool {
    static DIGITS: LazyLock<Vec<(char, char)>> = LazyLock::new(|| ranges(r"\p{Nd}"));
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    is_tag_letter(c)
        || is_in(&DIGITS, c)
        || matches!(
            c,
            '\u{200c}'
                | '\u{200d}'
                | '\u{a67e}'
                | '\u{5be}'
                | '\u{5f3}'
                | '\u{5f4}'
                | '\u{ff5e}'
                | '\u{301c}'
                | '\u{309b}'
                | '\u{309c}'
                | '\u{30a0}'
                | '\u{30fb}'
                | '\u{3003}'
                | '\u{f0b}'
                | '\u{f0c}'
                | '\u{b7}'
        )
}

/// Latin letters with accents, which stand in domains and paths like plain ones.
pub(super) fn is_latin_accent(c: char) -> bool {
    matches!(
        c,
        '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{24f}' | '\u{253}' | '\u{254}' | '\u{256}'
            | '\u{257}' | '\u{259}' | '\u{25b}' | '\u{263}' | '\u{268}' | '\u{26f}' | '\u{272}' | '\u{289}'
            | '\u{28b}' | '\u{2bb}' | '\u{300}'..='\u{36f}' | '\u{1e00}'..='\u{1eff}'
    )
}

/// Spaces, the ideographic one included.
pub(super) fn is_text_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{180e}')
}

/// Marks that set the direction of writing.
pub(super) fn is_directional(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What a label of a domain after `http://` is made of, `-` and `_` aside.
pub(super) fn is_domain_character(c: char) -> bool {
    static PUNCTUATION: LazyLock<Vec<(char, char)>> = LazyLock::new(|| ranges(r"\p{P}"));
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    !is_text_space(c)
        && !is_directional(c)
        && !c.is_control()
        && !matches!(c, '\u{fffe}' | '\u{feff}' | '\u{ffff}')
        && !is_in(&PUNCTUATION, c)
}

/// What a path is made of, parentheses aside.
pub(super) fn is_path_character(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || "!*';:=+,.$/%#[]-_~@|&".contains(c);
    }
    c == '–' || is_path_letter(c)
}

/// What a path may end in, a closing parenthesis aside.
pub(super) fn ends_path(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() || "+-=_#/".contains(c) } else { is_path_letter(c) }
}

fn is_path_letter(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{4ff}') || is_latin_accent(c)
}

/// What a query is made of.
pub(super) fn is_query_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!?*'@();:&=+$/%#[]-_.,~|".contains(c)
}

/// What a query may end in.
pub(super) fn ends_query(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_&=#/".contains(c)
}
