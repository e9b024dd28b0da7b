//! Wildcards within one token.

use std::fmt::{self, Debug, Formatter};

/// Characters that a word with wildcards may have besides `*`: with the place before them they fit into the bits of a
/// number, so that a token is matched in one pass, whatever the word is.
pub(super) const MOST: usize = 100;

/// A word with `*` (any number of code points) and `?` (exactly one).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wildcard {
    folded: Glob,
    exact: Glob,
}

/// A part of a word with wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// These characters.
    Literal(String),
    /// `?`
    One,
    /// `*`
    Any,
}

/// What every token that matches a word with wildcards shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WildcardReach<'a> {
    /// Its plain text begins so.
    Head(&'a str),
    /// The text that is compared (folded, plain, or as typed under `=`) holds these characters in a row.
    Part(&'a str),
    /// Nothing that is worth looking for.
    None,
}

/// A shorter head is that of too many words, a shorter part stands in too many.
const SHORTEST_HEAD: usize = 2;
const SHORTEST_PART: usize = 3;

impl Wildcard {
    /// By what its tokens can be found; `plain` is the word without one-sided accents.
    pub(super) fn reach<'a>(&'a self, plain: &'a str, exact: bool) -> WildcardReach<'a> {
        let head = plain.split(['*', '?']).next().unwrap_or_default();
        if head.chars().count() >= SHORTEST_HEAD {
            return WildcardReach::Head(head);
        }
        let parts = if exact { &self.exact.parts } else { &self.folded.parts };
        let literals = parts.iter().filter_map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            Part::One | Part::Any => None,
        });
        match literals.max_by_key(|text| text.chars().count()) {
            Some(text) if text.chars().count() >= SHORTEST_PART => WildcardReach::Part(text),
            _ => WildcardReach::None,
        }
    }

    /// `None`: it has more characters than [`MOST`].
    pub(super) fn new(folded: &str, exact: &str) -> Option<Self> {
        Some(Self { folded: Glob::new(folded)?, exact: Glob::new(exact)? })
    }

    /// Its parts, folded; several `*` in a row are one, and no two literals stand side by side.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.folded.parts
    }

    /// Its parts as typed, for `=`.
    #[must_use]
    pub fn exact_parts(&self) -> &[Part] {
        &self.exact.parts
    }

    /// Whether the whole of `text` is matched: a token's folded text if the word has accents, else its plain one.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.folded.matches(text)
    }

    /// The same under `=`, on a token's exact text.
    #[must_use]
    pub fn matches_exact(&self, text: &str) -> bool {
        self.exact.matches(text)
    }
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for c in text.chars() {
        match (c, parts.last_mut()) {
            ('*', Some(Part::Any)) => {}
            ('*', _) => parts.push(Part::Any),
            ('?', _) => parts.push(Part::One),
            (c, Some(Part::Literal(literal))) => literal.push(c),
            (c, _) => parts.push(Part::Literal(c.into())),
        }
    }
    parts
}

/// One form of a word with wildcards.
#[derive(Clone, PartialEq, Eq)]
struct Glob {
    parts: Vec<Part>,
    places: Box<Places>,
}

/// Where the characters of a word stand: bit n is the place behind the first n of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Places {
    /// Behind each letter, sorted by it.
    letters: Vec<(char, u128)>,
    /// Behind each `?`.
    any: u128,
    /// Where `*` stands.
    stars: u128,
    /// The end.
    end: u128,
}

impl Glob {
    fn new(text: &str) -> Option<Self> {
        if text.chars().filter(|c| *c != '*').count() > MOST {
            return None;
        }
        Some(Self { parts: parts(text), places: Box::new(Places::new(text)) })
    }

    fn matches(&self, text: &str) -> bool {
        self.places.matches(text)
    }
}

impl Debug for Glob {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Glob").field(&self.parts).finish()
    }
}

impl Places {
    fn new(text: &str) -> Self {
        let mut places = Self { end: 1, ..Self::default() };
        for c in text.chars() {
            if c == '*' {
                places.stars |= places.end;
                continue;
            }
            places.end <<= 1;
            match c {
                '?' => places.any |= places.end,
                c => match places.letters.binary_search_by_key(&c, |letter| letter.0) {
                    Ok(at) => places.letters[at].1 |= places.end,
                    Err(at) => places.letters.insert(at, (c, places.end)),
                },
            }
        }
        places
    }

    /// Notes behind each character of the text all places of the word that it may have come to.
    fn matches(&self, text: &str) -> bool {
        let mut at: u128 = 1;
        for c in text.chars() {
            if at & self.stars & self.end != 0 {
                return true;
            }
            let letter = self.letters.binary_search_by_key(&c, |letter| letter.0);
            let behind = self.any | letter.map_or(0, |n| self.letters[n].1);
            at = ((at << 1) & behind) | (at & self.stars);
            if at == 0 {
                return false;
            }
        }
        at & self.end != 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MOST, Part, Wildcard};

    fn holds(word: &str, text: &str) -> bool {
        Wildcard::new(word, word).expect("it is short enough").matches(text)
    }

    /// Tries all ways.
    fn tried(parts: &[Part], text: &str) -> bool {
        let Some((part, rest)) = parts.split_first() else { return text.is_empty() };
        let after_first = || {
            let mut chars = text.chars();
            chars.next().map(|_| chars.as_str())
        };
        match part {
            Part::Literal(literal) => {
                text.strip_prefix(literal.as_str()).is_some_and(|text| tried(rest, text))
            }
            Part::One => after_first().is_some_and(|text| tried(rest, text)),
            Part::Any => tried(rest, text) || after_first().is_some_and(|text| tried(parts, text)),
        }
    }

    proptest! {
        #[test]
        fn one_pass_finds_what_trying_all_ways_finds(word in "[abß東*?]{0,8}", text in "[abß東]{0,9}") {
            let wildcard = Wildcard::new(&word, &word).expect("it is short enough");
            prop_assert_eq!(wildcard.matches(&text), tried(wildcard.parts(), &text));
        }
    }

    #[test]
    fn a_word_has_a_hundred_characters_at_most() {
        let most = "a?".repeat(MOST / 2);
        assert!(holds(&format!("*{most}*"), &"a".repeat(MOST + 1)));
        assert!(Wildcard::new(&format!("{most}b*"), "ab*").is_none());
        assert!(Wildcard::new("ab*", &format!("{most}b*")).is_none());
    }

    #[test]
    fn stars_and_question_marks() {
        for (word, yes, no) in [
            ("nik*", &["nik", "nike", "nikée"][..], &["ni", "anike"][..]),
            ("*ike", &["ike", "nike", "ikeike"], &["ikea", "ke"]),
            ("*ike*", &["nikes", "ike"], &["ik", "ie"]),
            ("c?t", &["cat", "cét", "c東t"], &["ct", "caat"]),
            ("ab*c?d*ef", &["abcxdef", "abccxdzzef", "abcxdcydef"], &["abcdef", "abcxde"]),
            ("a?*bc", &["axbc", "axxbc"], &["abc"]),
            ("**ab**", &["ab", "xaby"], &["a"]),
        ] {
            assert!(yes.iter().all(|text| holds(word, text)), "{word}");
            assert!(!no.iter().any(|text| holds(word, text)), "{word}");
        }
    }
}
