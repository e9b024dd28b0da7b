//! Wildcards within one token.

/// A word with `*` (any number of code points) and `?` (exactly one).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wildcard {
    folded: Vec<Part>,
    exact: Vec<Part>,
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
        let parts = if exact { &self.exact } else { &self.folded };
        let literals = parts.iter().filter_map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            Part::One | Part::Any => None,
        });
        match literals.max_by_key(|text| text.chars().count()) {
            Some(text) if text.chars().count() >= SHORTEST_PART => WildcardReach::Part(text),
            _ => WildcardReach::None,
        }
    }

    pub(super) fn new(folded: &str, exact: &str) -> Self {
        Self { folded: parts(folded), exact: parts(exact) }
    }

    /// Its parts, folded; several `*` in a row are one, and no two literals stand side by side.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.folded
    }

    /// Its parts as typed, for `=`.
    #[must_use]
    pub fn exact_parts(&self) -> &[Part] {
        &self.exact
    }

    /// Whether the whole of `text` is matched: a token's folded text if the word has accents, else its plain one.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        glob(&self.folded, text)
    }

    /// The same under `=`, on a token's exact text.
    #[must_use]
    pub fn matches_exact(&self, text: &str) -> bool {
        glob(&self.exact, text)
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

/// Matches the parts in order; only the last `*` is ever gone back to, which is enough, since what a later `*`
/// takes, an earlier one could only take away.
fn glob(parts: &[Part], text: &str) -> bool {
    let (mut part, mut rest) = (0, text);
    let mut retry: Option<(usize, &str)> = None;
    loop {
        let step = match parts.get(part) {
            None if rest.is_empty() => return true,
            None => None,
            Some(Part::Any) => {
                part += 1;
                if part == parts.len() {
                    return true;
                }
                retry = Some((part, rest));
                continue;
            }
            Some(Part::One) => after_first(rest),
            Some(Part::Literal(literal)) => rest.strip_prefix(literal.as_str()),
        };
        if let Some(after) = step {
            (part, rest) = (part + 1, after);
            continue;
        }
        let Some((from, Some(shorter))) = retry.map(|(from, rest)| (from, after_first(rest))) else {
            return false;
        };
        retry = Some((from, shorter));
        (part, rest) = (from, shorter);
    }
}

fn after_first(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next().map(|_| chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::Wildcard;

    #[test]
    fn stars_and_question_marks() {
        let holds = |word: &str, text: &str| Wildcard::new(word, word).matches(text);
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
