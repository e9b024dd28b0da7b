//! Conditions on the bits of a post: the cheapest tests of a filter, checked in its postings.
//!
//! A post has 128 bits: its [`Flag`]s, and one for each of the most used languages and comparisons. A filter's
//! condition is two masks over them; equal conditions share a number.

use std::collections::HashMap;

use crate::engine::dictionary::TermId;
use crate::plan::atoms::{Atom, AtomId, Atoms, Flag, Test};
use crate::plan::channel::Channel;
use crate::plan::formula::{Formula, Literal, ScopeKey};

/// Bits of a post.
pub(crate) type Bits = u128;

/// Bits that must be set and bits that must not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Mask {
    pub(crate) set: Bits,
    pub(crate) unset: Bits,
}

impl Mask {
    #[inline]
    pub(crate) fn admits(self, bits: Bits) -> bool {
        bits & self.set == self.set && bits & self.unset == 0
    }
}

/// What of a filter its condition checks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Condition {
    /// Number of the mask.
    pub(crate) number: u16,
    /// The mask checks every conjunct that bits decide; false where the numbers ran out.
    pub(crate) checked: bool,
    /// These are all conjuncts.
    pub(crate) whole: bool,
}

/// First bit that is not a flag's.
const FIRST_FREE: u32 = 40;

/// A comparison whose sides have bits of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtomBit {
    pub(crate) atom: AtomId,
    pub(crate) negative: bool,
    pub(crate) bit: u8,
}

/// The conditions of a set, and what the bits beyond the flags say.
#[derive(Debug)]
pub(crate) struct Masks {
    masks: Vec<Mask>,
    /// Comparisons to evaluate for each post.
    pub(crate) atoms: Vec<AtomBit>,
    /// Bits of terms: languages.
    languages: HashMap<TermId, u8>,
    numbers: HashMap<Mask, u16>,
}

impl Masks {
    /// Gives bits to the literals that stand as a condition of most filters.
    pub(crate) fn new(formulas: &[Formula], atoms: &Atoms) -> Self {
        let mut uses: HashMap<Literal, u32> = HashMap::new();
        for formula in formulas {
            for literal in conjuncts(formula) {
                if wants_bit(literal, atoms) {
                    let key = match literal.test {
                        // Absence of a language is absence of its bit: one bit serves both sides.
                        Test::Term(..) => Literal { negative: false, ..*literal },
                        _ => *literal,
                    };
                    *uses.entry(key).or_default() += 1;
                }
            }
        }
        let mut uses: Vec<_> = uses.into_iter().collect();
        uses.sort_by_key(|(literal, n)| (std::cmp::Reverse(*n), *literal));
        let mut masks = Self {
            masks: vec![Mask::default()],
            atoms: Vec::new(),
            languages: HashMap::new(),
            numbers: HashMap::from([(Mask::default(), 0)]),
        };
        for ((literal, _), bit) in uses.into_iter().zip(FIRST_FREE..Bits::BITS) {
            match literal.test {
                Test::Term(_, term) => {
                    masks.languages.insert(term, bit as u8);
                }
                Test::Atom(atom) => {
                    masks.atoms.push(AtomBit { atom, negative: literal.negative, bit: bit as u8 });
                }
                Test::Flag(_) => {}
            }
        }
        masks
    }

    /// The bit of a language's term.
    #[inline]
    pub(crate) fn language(&self, term: TermId) -> Option<Bits> {
        self.languages.get(&term).map(|bit| 1 << bit)
    }

    #[inline]
    pub(crate) fn get(&self, number: u16) -> Mask {
        self.masks[usize::from(number)]
    }

    /// The condition that a formula's conjuncts give.
    pub(crate) fn of(&mut self, formula: &Formula) -> Condition {
        let mut mask = Mask::default();
        let mut whole = true;
        for part in parts(formula) {
            match part {
                Formula::Is(literal) => match self.bit(literal) {
                    Some((bit, false)) => mask.set |= bit,
                    Some((bit, true)) => mask.unset |= bit,
                    None => whole = false,
                },
                Formula::In(scope, _) => {
                    mask.set |= carried(*scope);
                    whole = false;
                }
                _ => whole = false,
            }
        }
        if let Some(number) = self.numbers.get(&mask) {
            return Condition { number: *number, checked: true, whole };
        }
        let Ok(number) = u16::try_from(self.masks.len()) else { return Condition::default() };
        self.masks.push(mask);
        self.numbers.insert(mask, number);
        Condition { number, checked: true, whole }
    }

    /// Whether a literal is decided by a bit.
    pub(crate) fn decides(&self, literal: &Literal) -> bool {
        self.bit(literal).is_some()
    }

    /// The bit that decides a literal, and whether it must be unset.
    fn bit(&self, literal: &Literal) -> Option<(Bits, bool)> {
        match literal.test {
            Test::Flag(flag) => Some((flag_bit(flag), literal.negative)),
            Test::Term(Channel::Lang, term) => Some((self.language(term)?, literal.negative)),
            Test::Term(..) => None,
            Test::Atom(atom) => {
                let known = self.atoms.iter().find(|a| a.atom == atom && a.negative == literal.negative)?;
                Some((1 << known.bit, false))
            }
        }
    }
}

/// The bit of a flag.
#[inline]
pub(crate) fn flag_bit(flag: Flag) -> Bits {
    1 << flag as u8
}

fn carried(scope: ScopeKey) -> Bits {
    flag_bit(scope.flags().1)
}

/// The parts of a conjunction, or the one part that a formula is.
pub(crate) fn parts(formula: &Formula) -> &[Formula] {
    match formula {
        Formula::All(parts) => parts,
        other => std::slice::from_ref(other),
    }
}

fn conjuncts(formula: &Formula) -> impl Iterator<Item = &Literal> {
    parts(formula).iter().filter_map(|p| match p {
        Formula::Is(literal) => Some(literal),
        _ => None,
    })
}

/// Comparisons of numbers that need no text, and languages.
fn wants_bit(literal: &Literal, atoms: &Atoms) -> bool {
    use crate::syntax::NumberField as N;
    match literal.test {
        Test::Term(channel, _) => channel == Channel::Lang,
        Test::Flag(_) => false,
        Test::Atom(id) => match &atoms.list[id as usize] {
            Atom::Number(field, _) => {
                !matches!(field, N::Length | N::Emoji | N::Caps | N::Hashtags | N::Mentions | N::Links)
            }
            _ => false,
        },
    }
}
