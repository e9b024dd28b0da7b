//! Substrings: the literals of `contains:`, those that regexes require, and the letters that a word with wildcards
//! has in a row. By grams, and by Aho-Corasick what
//! has no gram of its own.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::dictionary::{Dictionary, Hit, Interner, KeyKind, TermId};
use super::grams::Grams;

/// Up to so many bytes of literals, the automaton is a table with a row for each: faster while that table
/// fits a cache.
const DFA_BYTES: usize = 3 << 10;

/// A set for each text that is searched: the accentless one, the raw one that regexes read, the folded tokens, and
/// the tokens as typed.
#[derive(Debug, Default)]
pub(crate) struct Literals {
    substrings: Option<Finder>,
    regexes: Option<Finder>,
    parts: Option<Finder>,
    exact_parts: Option<Finder>,
}

/// Finds literals: every one that occurs, and some that do not.
#[derive(Debug)]
struct Finder {
    wide: Option<Grams<4>>,
    narrow: Option<Grams<2>>,
    rest: Option<Automaton>,
}

#[derive(Debug)]
struct Automaton {
    /// `None` if there are too many literals for an automaton: then each counts as found in every text, and
    /// confirmation does the work.
    search: Option<AhoCorasick>,
    hits: Box<[Hit]>,
}

impl Literals {
    pub(crate) fn new(terms: &Interner, dictionary: &Dictionary) -> Self {
        let of = |kind: KeyKind| -> Option<Finder> {
            let mut literals: Vec<(&[u8], Hit)> = (0..terms.len() as TermId)
                .filter(|t| terms.key(*t).0 == kind && !terms.key(*t).1.is_empty())
                .filter_map(|t| Some((terms.key(t).1, dictionary.literal(t)?)))
                .collect();
            (!literals.is_empty()).then(|| Finder::new(&mut literals))
        };
        Self {
            substrings: of(KeyKind::Literal),
            regexes: of(KeyKind::RegexLiteral),
            parts: of(KeyKind::Part),
            exact_parts: of(KeyKind::ExactPart),
        }
    }

    /// Calls `found` with the term of every literal in an accentless search text, repeats included.
    pub(crate) fn substrings(&self, text: &str, found: impl FnMut(Hit)) {
        run(self.substrings.as_ref(), text, found);
    }

    /// The same for the text that regexes read.
    pub(crate) fn regexes(&self, text: &str, found: impl FnMut(Hit)) {
        run(self.regexes.as_ref(), text, found);
    }

    /// The same for a text that holds the folded and the plain form of every token.
    pub(crate) fn parts(&self, tokens: &str, found: impl FnMut(Hit)) {
        run(self.parts.as_ref(), tokens, found);
    }

    /// The same for a token as typed.
    pub(crate) fn exact_parts(&self, token: &str, found: impl FnMut(Hit)) {
        run(self.exact_parts.as_ref(), token, found);
    }

    pub(crate) fn has_regexes(&self) -> bool {
        self.regexes.is_some()
    }

    pub(crate) fn bytes(&self) -> usize {
        [&self.substrings, &self.regexes, &self.parts, &self.exact_parts]
            .into_iter()
            .flatten()
            .map(Finder::memory)
            .sum()
    }
}

impl Finder {
    fn new(literals: &mut Vec<(&[u8], Hit)>) -> Self {
        let wide = Grams::new(literals);
        let (short, mut long): (Vec<_>, Vec<_>) = literals.iter().copied().partition(|(l, _)| l.len() < 4);
        let mut open = short;
        let narrow = Grams::new(&mut open);
        open.append(&mut long);
        Self { wide, narrow, rest: Automaton::new(&open) }
    }

    fn memory(&self) -> usize {
        self.wide.as_ref().map_or(0, Grams::memory)
            + self.narrow.as_ref().map_or(0, Grams::memory)
            + self.rest.as_ref().map_or(0, Automaton::memory)
    }
}

impl Automaton {
    fn new(literals: &[(&[u8], Hit)]) -> Option<Self> {
        let bytes: usize = literals.iter().map(|(literal, _)| literal.len()).sum();
        let search = || {
            AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .kind((bytes <= DFA_BYTES).then_some(AhoCorasickKind::DFA))
                .build(literals.iter().map(|(literal, _)| literal))
                .ok()
        };
        let hits = || literals.iter().map(|(_, hit)| *hit).collect();
        (!literals.is_empty()).then(|| Self { search: search(), hits: hits() })
    }

    fn memory(&self) -> usize {
        self.search.as_ref().map_or(0, AhoCorasick::memory_usage) + size_of_val(&*self.hits)
    }
}

fn run(finder: Option<&Finder>, text: &str, mut found: impl FnMut(Hit)) {
    let Some(Finder { wide, narrow, rest }) = finder else { return };
    if let Some(wide) = wide {
        wide.find(text.as_bytes(), &mut found);
    }
    if let Some(narrow) = narrow {
        narrow.find(text.as_bytes(), &mut found);
    }
    let Some(automaton) = rest else { return };
    match &automaton.search {
        Some(search) => {
            for hit in search.find_overlapping_iter(text) {
                found(automaton.hits[hit.pattern().as_usize()]);
            }
        }
        None => automaton.hits.iter().copied().for_each(found),
    }
}
