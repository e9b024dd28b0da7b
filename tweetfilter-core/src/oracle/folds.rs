//! Texts folded for substrings and whole values, read off the contract character by character.

use std::sync::LazyLock;

use caseless::Caseless;
use regex::Regex;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::text::{self, Origin, TokenKind, Tokens};

/// A text with its accents and without the one-sided ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Folds {
    folded: String,
    plain: String,
}

impl Folds {
    /// A text as `contains:` searches it; links are spaces already.
    pub(super) fn of_text(text: &str) -> Self {
        let (mut out, mut open) = (Self::default(), String::new());
        for cluster in text.graphemes(true) {
            match emoji(cluster) {
                Some((folded, plain)) => {
                    out.add(&std::mem::take(&mut open));
                    out.folded += &folded;
                    out.plain += &plain;
                }
                None => open.extend(cluster.chars().filter(|c| !is(*c, &IGNORABLE))),
            }
        }
        out.add(&open);
        Self { folded: one_space(&out.folded), plain: one_space(&out.plain) }
    }

    /// A whole value; symbols of several characters stand apart.
    pub(super) fn of_value(value: &str) -> Self {
        let mut whole = String::new();
        let mut open = String::new();
        for c in value.chars().filter(|c| !is(*c, &IGNORABLE)) {
            let apart: Vec<char> = c.nfkc().collect();
            if apart.len() < 2 || !is(c, &SYMBOL) {
                open.push(c);
                continue;
            }
            whole += &folded(&std::mem::take(&mut open));
            let between = if apart[0] == ' ' { String::new() } else { folded(&c.to_string()) };
            whole += &format!(" {between} ");
        }
        whole += &folded(&open);
        let folded = level(&whole);
        Self { plain: stripped(&folded), folded }
    }

    /// Adds a run without emoji, base by base.
    fn add(&mut self, run: &str) {
        let mut groups: Vec<String> = Vec::new();
        for c in folded(run).chars() {
            match groups.last_mut() {
                Some(group) if is(c, &MARK) || is(c, &POINT) => group.push(c),
                _ => groups.push(c.to_string()),
            }
        }
        for group in groups {
            let folded = level(&group);
            self.plain += &stripped(&folded);
            self.folded += &folded;
        }
    }

    /// The text in which a value or substring of a filter is looked for: its accents decide.
    fn for_filter(&self, filter: &Self) -> &str {
        if filter.folded == filter.plain { &self.plain } else { &self.folded }
    }

    /// Whether a filter's substring stands somewhere between grapheme clusters.
    pub(super) fn contains(&self, part: &Self) -> bool {
        let text = self.for_filter(part);
        let mut ends: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
        ends.push(text.len());
        let whole = |at: usize| ends.contains(&at) && ends.contains(&(at + part.folded.len()));
        !part.folded.is_empty() && ends.iter().any(|&at| text[at..].starts_with(&part.folded) && whole(at))
    }

    /// Whether a filter's value is this one, or the beginning of it.
    pub(super) fn is(&self, value: &Self, prefix: bool) -> bool {
        let text = self.for_filter(value);
        if prefix { text.starts_with(&value.folded) } else { text == value.folded }
    }

    pub(super) fn into_folded(self) -> String {
        self.folded
    }
}

/// The texts of a cluster that is an emoji.
fn emoji(cluster: &str) -> Option<(String, String)> {
    let mut tokens = Tokens::default();
    text::tokenize(cluster, Origin::Filter, &mut tokens);
    let token = tokens.get(0).filter(|token| token.kind == TokenKind::Emoji)?;
    Some((token.folded.to_owned(), token.plain.to_owned()))
}

/// NFKC, full case folding, NFKC; compatibility jamo stay.
fn folded(text: &str) -> String {
    let is_jamo = |c: char| ('\u{3131}'..='\u{318e}').contains(&c);
    let mut out = String::new();
    for part in text.split_inclusive(is_jamo) {
        let jamo = part.chars().next_back().filter(|c| is_jamo(*c));
        let rest = part.strip_suffix(is_jamo).unwrap_or(part);
        out.extend(rest.nfkc().map(|c| if c == 'İ' { 'i' } else { c }).default_case_fold().nfkc());
        out.extend(jamo);
    }
    out
}

fn one_space(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out
}

/// Without what is equal both ways.
fn level(text: &str) -> String {
    let mut base = '\0';
    let mut out = String::new();
    for c in text.nfd().filter(|c| !is(*c, &POINT)) {
        let falls = match c {
            '\u{301}' => is(base, &GREEK),
            '\u{307}' => base == 'i',
            '\u{308}' => base == 'е',
            '\u{653}' | '\u{654}' | '\u{655}' => base == 'ا',
            _ => false,
        };
        let c = match c {
            'ı' => 'i',
            'ٱ' | 'ٲ' | 'ٳ' => 'ا',
            'ى' | 'ی' => 'ي',
            'ک' => 'ك',
            c => c,
        };
        if !is(c, &MARK) {
            base = c;
        }
        if !falls {
            out.push(c);
        }
    }
    out.nfc().collect()
}

/// Without the accents of Latin and Greek letters.
fn stripped(text: &str) -> String {
    let mut base = '\0';
    let mut out = String::new();
    for c in text.nfd() {
        if is(c, &MARK) {
            let falls = is(c, &ACCENT) && (is(base, &LATIN) || is(base, &GREEK));
            out.extend(Some(c).filter(|_| !falls));
            continue;
        }
        base = c;
        match c {
            'ø' => out.push('o'),
            'ł' => out.push('l'),
            'đ' => out.push('d'),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            c => out.push(c),
        }
    }
    out.nfc().collect()
}

/// One class of characters.
type Class = LazyLock<Option<Regex>>;

static IGNORABLE: Class = class(|| Regex::new(r"\p{Default_Ignorable_Code_Point}").ok());
static SYMBOL: Class = class(|| Regex::new(r"[\p{S}\p{No}]").ok());
static CAPITAL: Class = class(|| Regex::new(r"[\p{Lu}\p{Lt}]").ok());
static SMALL: Class = class(|| Regex::new(r"\p{Ll}").ok());
static MARK: Class = class(|| Regex::new(r"\p{M}").ok());
static LATIN: Class = class(|| Regex::new(r"[\p{Latin}&&\p{L}]").ok());
static GREEK: Class = class(|| Regex::new(r"[\p{Greek}&&\p{L}]").ok());
/// Marks of European letters; voicing marks of kana are none.
static ACCENT: Class = class(|| {
    Regex::new(r"[[[\p{Mn}\p{Me}]&&[\p{Inherited}\p{Common}\p{Latin}\p{Greek}\p{Cyrillic}]]--[\u3099\u309A]]")
        .ok()
});
/// Vowel points of Arabic and Hebrew, and tatweel; madda and hamza make letters.
static POINT: Class = class(|| {
    Regex::new(r"[[[\p{Mn}&&[\p{Arabic}\p{Hebrew}\u064B-\u0652\u0670]]--[\u0653-\u0655]]\u0640]").ok()
});

const fn class(make: fn() -> Option<Regex>) -> Class {
    LazyLock::new(make)
}

pub(super) fn is_capital(c: char) -> bool {
    is(c, &CAPITAL)
}

pub(super) fn is_small(c: char) -> bool {
    is(c, &SMALL)
}

fn is(c: char, class: &Class) -> bool {
    class.as_ref().is_some_and(|class| class.is_match(c.encode_utf8(&mut [0; 4])))
}
