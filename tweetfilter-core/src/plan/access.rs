//! Access atoms: a filter is tried only on posts in which one of its access atoms is true.
//!
//! **The law: zero false negatives.** Wherever a formula is true, at least one atom of its access is true. A
//! property test holds every chosen access against the oracle.

use super::atoms::{Atom, Atoms, Reach, Test};
use super::channel::{Channel, Level};
use super::formula::{Formula, Literal};
use super::sets::SetPlan;
use super::statistics::TermStatistics;
use crate::engine::dictionary::{KeyKind, TermId};

/// One way to a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Way {
    pub(crate) channel: Channel,
    pub(crate) level: Level,
    pub(crate) term: TermId,
    /// The atom is more than the term: finding the term proves nothing yet.
    pub(crate) confirm: bool,
}

/// How a filter is reached: any of these ways, at an expected cost a post.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) ways: Vec<Way>,
    pub(crate) cost: f32,
}

/// Chooses access atoms by the frequency of terms.
pub(crate) struct Chooser<'a> {
    pub(crate) atoms: &'a Atoms,
    pub(crate) sets: &'a [SetPlan],
    pub(crate) statistics: &'a TermStatistics,
    /// Frequency of each term that was asked for, by channel class; negative: not yet.
    pub(crate) known: Vec<f32>,
}

/// More ways than this cost more memory than a scan costs time.
pub(crate) const MOST_WAYS: usize = 10_000;

impl Chooser<'_> {
    /// The cheapest access to a formula; `None` if it has none and must be scanned.
    pub(crate) fn access(&mut self, formula: &Formula, level: Level) -> Option<Access> {
        match formula {
            Formula::Is(literal) => self.literal(literal, level),
            Formula::All(items) => {
                items.iter().filter_map(|i| self.access(i, level)).min_by(|a, b| a.cost.total_cmp(&b.cost))
            }
            Formula::Any(items) => self.union(items.iter().map(|i| (i, level))),
            Formula::AtLeast(n, items) => {
                // Of any `n` that hold, one is among every `len - n + 1`.
                let mut found: Vec<Access> = items.iter().filter_map(|i| self.access(i, level)).collect();
                let needed = items.len() + 1 - n;
                if found.len() < needed {
                    return None;
                }
                found.sort_by(|a, b| a.cost.total_cmp(&b.cost));
                found.truncate(needed);
                Some(merge(found))
            }
            Formula::In(scope, inner) => {
                let inside = scope.enter(level);
                if inside == Level::Deeper { None } else { self.access(inner, inside) }
            }
            Formula::Set(number, false) => {
                let set = &self.sets[*number as usize];
                if set.level == Level::Deeper {
                    return None;
                }
                let ways =
                    vec![Way { channel: Channel::Set, level: set.level, term: set.term, confirm: false }];
                Some(Access { ways, cost: 0.02 })
            }
            Formula::Set(_, true) => None,
        }
    }

    fn union<'f>(&mut self, parts: impl Iterator<Item = (&'f Formula, Level)>) -> Option<Access> {
        let found: Option<Vec<Access>> = parts.map(|(f, level)| self.access(f, level)).collect();
        let merged = merge(found?);
        (merged.ways.len() <= MOST_WAYS).then_some(merged)
    }

    fn literal(&mut self, literal: &Literal, level: Level) -> Option<Access> {
        if literal.negative || level == Level::Deeper {
            return None;
        }
        self.test(literal.test, level)
    }

    fn test(&mut self, test: Test, level: Level) -> Option<Access> {
        match test {
            Test::Flag(_) => None,
            Test::Term(channel, term) => Some(self.one(channel, level, term, false)),
            Test::Atom(id) => match &self.atoms.list[id as usize] {
                Atom::Phrase { channel, pairs, elements } => {
                    let pairs = pairs.iter().map(|t| self.one(*channel, level, *t, true));
                    let best = pairs.min_by(|a, b| a.cost.total_cmp(&b.cost));
                    best.or_else(|| {
                        elements.iter().find_map(|e| Some(self.one(*channel, level, e.term()?, true)))
                    })
                }
                Atom::Near { channel, items, .. } => {
                    let terms = items.iter().flat_map(super::atoms::NearItem::terms);
                    terms.map(|t| self.one(*channel, level, t, true)).min_by(|a, b| a.cost.total_cmp(&b.cost))
                }
                Atom::Wild { channel, reach: Reach::Head(term) | Reach::Part(term), .. } => {
                    Some(self.one(*channel, level, *term, true))
                }
                Atom::Obfuscated { channel, term, .. } => Some(self.one(*channel, level, *term, true)),
                // A needle of marks alone has no literal.
                Atom::Contains { term, .. } if self.atoms.terms.key(*term).1.is_empty() => None,
                Atom::Contains { channel, term, .. } => Some(self.one(*channel, level, *term, true)),
                Atom::TagPrefix { channel, head, .. } => Some(self.one(*channel, level, *head, true)),
                Atom::Regex { literals, .. } if !literals.is_empty() => {
                    let ways = literals.iter().map(|t| self.one(Channel::Regex, level, *t, true)).collect();
                    Some(merge(ways))
                }
                Atom::Attribute { words, .. } => {
                    let mut access = self.test(*words, level)?;
                    access.ways.iter_mut().for_each(|w| w.confirm = true);
                    Some(access)
                }
                _ => None,
            },
        }
    }

    fn one(&mut self, channel: Channel, level: Level, term: TermId, confirm: bool) -> Access {
        let mut cost = self.frequency(channel, term);
        if confirm {
            cost *= 2.0;
        }
        Access { ways: vec![Way { channel, level, term, confirm }], cost }
    }

    /// Expected occurrences of a term in a post.
    pub(crate) fn frequency(&mut self, channel: Channel, term: TermId) -> f32 {
        let textual = matches!(channel, Channel::Text | Channel::TextX);
        if self.known.len() < self.atoms.terms.len() {
            self.known.resize(self.atoms.terms.len(), -1.0);
        }
        if textual && self.known[term as usize] >= 0.0 {
            return self.known[term as usize];
        }
        let frequency = match self.atoms.terms.key(term) {
            (KeyKind::Pair, key) => {
                let part = |i: usize| u32::from_le_bytes([key[i], key[i + 1], key[i + 2], key[i + 3]]);
                let (a, b) = (self.frequency(channel, part(0)), self.frequency(channel, part(4)));
                a.min(b) * (a.max(b) * 20.0).clamp(0.01, 0.3)
            }
            (kind, key) => self.statistics.frequency(channel, kind, std::str::from_utf8(key).unwrap_or("")),
        };
        if textual {
            self.known[term as usize] = frequency;
        }
        frequency
    }
}

fn merge(found: Vec<Access>) -> Access {
    let mut all = Access { ways: Vec::new(), cost: 0.0 };
    for access in found {
        all.cost += access.cost;
        all.ways.extend(access.ways);
    }
    all.ways.sort_unstable();
    all.ways.dedup();
    all
}
