//! Substrings by Aho-Corasick: the literals of `contains:`, and those that regexes require.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::dictionary::{Interner, KeyKind, TermId};

/// Up to so many bytes of literals, the automaton is a table with a row for each: faster while that table
/// fits a cache.
const DFA_BYTES: usize = 3 << 10;

/// Two automata: over the accentless search text, and over the raw text that regexes read.
#[derive(Debug, Default)]
pub(crate) struct Literals {
    substrings: Option<Automaton>,
    regexes: Option<Automaton>,
}

#[derive(Debug)]
struct Automaton {
    /// `None` if there are too many literals for an automaton: then each counts as found in every text, and
    /// confirmation does the work.
    search: Option<AhoCorasick>,
    terms: Box<[TermId]>,
}

impl Literals {
    pub(crate) fn new(terms: &Interner) -> Self {
        let of = |kind: KeyKind| -> Option<Automaton> {
            let ids: Box<[TermId]> = (0..terms.len() as TermId)
                .filter(|t| terms.key(*t).0 == kind && !terms.key(*t).1.is_empty())
                .collect();
            if ids.is_empty() {
                return None;
            }
            let bytes: usize = ids.iter().map(|t| terms.key(*t).1.len()).sum();
            let search = AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .kind((bytes <= DFA_BYTES).then_some(AhoCorasickKind::DFA))
                .build(ids.iter().map(|t| terms.key(*t).1))
                .ok();
            Some(Automaton { search, terms: ids })
        };
        Self { substrings: of(KeyKind::Literal), regexes: of(KeyKind::RegexLiteral) }
    }

    /// Calls `found` with the term of every literal in an accentless search text, repeats included.
    pub(crate) fn substrings(&self, text: &str, found: impl FnMut(TermId)) {
        run(self.substrings.as_ref(), text, found);
    }

    /// The same for the text that regexes read.
    pub(crate) fn regexes(&self, text: &str, found: impl FnMut(TermId)) {
        run(self.regexes.as_ref(), text, found);
    }

    pub(crate) fn has_regexes(&self) -> bool {
        self.regexes.is_some()
    }

    pub(crate) fn bytes(&self) -> usize {
        let of = |a: &Option<Automaton>| {
            a.as_ref()
                .map_or(0, |a| a.search.as_ref().map_or(0, AhoCorasick::memory_usage) + a.terms.len() * 4)
        };
        of(&self.substrings) + of(&self.regexes)
    }
}

fn run(automaton: Option<&Automaton>, text: &str, mut found: impl FnMut(TermId)) {
    let Some(automaton) = automaton else { return };
    match &automaton.search {
        Some(search) => {
            for hit in search.find_overlapping_iter(text) {
                found(automaton.terms[hit.pattern().as_usize()]);
            }
        }
        None => automaton.terms.iter().copied().for_each(found),
    }
}
