//! From formulas to the index.

use super::dictionary::{KeyKind, ListHeader, Posting, TermId};
use super::literals::Literals;
use super::masks::{Condition, Masks, parts};
use super::program::{Op, Program};
use super::{Index, ScannedSet, SetEntry, Uses};
use crate::plan::access::{Chooser, Way};
use crate::plan::atoms::{Atom, Atoms, Element, Test};
use crate::plan::channel::{Channel, Level};
use crate::plan::formula::{Formula, Literal};
use crate::plan::lower::head_key;
use crate::plan::sets::SetPlan;
use crate::plan::statistics::TermStatistics;

/// Terms fall into so many places of a post's signature; place 0 is always set.
pub(crate) const SIGNATURE_BITS: u32 = 4096;

/// A term's place in a signature, never 0.
#[inline]
pub(crate) fn signature_of(term: TermId) -> u16 {
    (term.wrapping_mul(0x9e37_79b1) >> 20).max(1) as u16
}

/// Compiles a set of filters.
pub(crate) fn build(
    formulas: &[Formula],
    atoms: Atoms,
    sets: &[SetPlan],
    statistics: &TermStatistics,
) -> Index {
    let mut masks = Masks::new(formulas, &atoms);
    let mut program = Program::default();
    let mut postings: Vec<(TermId, ListHeader, Posting)> = Vec::new();
    let mut scanned = Vec::new();
    let mut uses = Uses::default();
    let mut scanned_sets = Vec::new();
    {
        let mut chooser = Chooser { atoms: &atoms, sets, statistics, known: Vec::new() };
        let all = formulas.iter().map(|f| (f, Level::Post)).chain(sets.iter().map(|s| (&s.formula, s.level)));
        for (number, (formula, level)) in all.enumerate() {
            let filter = number as u32;
            program.push(formula);
            uses.note(formula, level, 0, &atoms, sets);
            let is_set = number >= formulas.len();
            // The bits of a post behind a scope are not those that conditions are checked on.
            let condition = if level == Level::Post { masks.of(formula) } else { Condition::default() };
            let Some(access) = chooser.access(formula, level) else {
                if is_set {
                    let number = number - formulas.len();
                    // Behind two scopes it is tried where its filters are.
                    if level != Level::Deeper {
                        let atom = sets[number].atom.clone();
                        scanned_sets.push(ScannedSet { number: number as u32, atom });
                    }
                } else {
                    scanned.push(Posting::new(filter, condition.number, 0).make_final(condition.whole));
                }
                continue;
            };
            let complete = condition.checked && is_complete(formula, &access.ways, &masks);
            for way in &access.ways {
                let signature = if complete { 0 } else { second_term(formula, way, level, &mut chooser) };
                let header = ListHeader { channel: way.channel, level: way.level };
                let posting = Posting::new(filter, condition.number, signature)
                    .make_final(complete && !way.confirm)
                    .make_only(access.ways.len() == 1);
                postings.push((way.term, header, posting));
            }
        }
    }
    postings.sort_unstable_by_key(|(term, header, posting)| {
        (*term, header.level as u8, header.channel as u8, posting.0)
    });
    let dictionary = atoms.terms.freeze(&postings);
    for term in 0..atoms.terms.len() as TermId {
        let (kind, key) = atoms.terms.key(term);
        match kind {
            KeyKind::Obfuscated => uses.obfuscated = true,
            KeyKind::Pair => uses.pairs = true,
            KeyKind::Identity => uses.identities = true,
            KeyKind::Prefix => {
                let chars = std::str::from_utf8(key).map_or(0, |k| head_key(k).chars().count());
                uses.prefixes |= 1 << chars;
            }
            _ => {}
        }
    }
    let sets = sets.iter().map(|set| SetEntry {
        record: dictionary.literal(set.term).map_or(0, |hit| hit.record),
        term: set.term,
        level: set.level,
    });
    Index {
        literals: Literals::new(&atoms.terms, &dictionary),
        sets: sets.collect(),
        scanned_sets,
        dictionary,
        atoms: atoms.list,
        program,
        masks,
        scanned,
        uses,
        filters: formulas.len() as u32,
    }
}

/// Whether finding any of the ways, under the filter's condition, is already a match: every conjunct is decided
/// by a bit, but for one, whose alternatives are exactly the ways.
fn is_complete(formula: &Formula, ways: &[Way], masks: &Masks) -> bool {
    let mut open = parts(formula).iter().filter(|p| !matches!(p, Formula::Is(l) if masks.decides(l)));
    let alternatives: &[Formula] = match (open.next(), open.next()) {
        (Some(Formula::Any(items)), None) => items,
        (Some(one), None) => std::slice::from_ref(one),
        // All conjuncts are bits, one of them is the way too.
        (None, _) => return true,
        _ => return false,
    };
    alternatives.iter().all(|a| match a {
        Formula::Is(Literal { test: Test::Term(channel, term), negative: false }) => ways
            .iter()
            .any(|w| w.channel == *channel && w.term == *term && !w.confirm && w.level == Level::Post),
        _ => false,
    })
}

/// The rarest other term that must be there, as a place in the signature.
fn second_term(formula: &Formula, way: &Way, level: Level, chooser: &mut Chooser<'_>) -> u16 {
    let mut best: Option<(f32, TermId)> = None;
    let mut offer = |channel: Channel, term: TermId, chooser: &mut Chooser<'_>| {
        let frequency = chooser.frequency(channel, term);
        if term != way.term && best.is_none_or(|b| frequency < b.0) {
            best = Some((frequency, term));
        }
    };
    if level != Level::Post || way.level != Level::Post {
        return 0;
    }
    for part in parts(formula) {
        let Formula::Is(Literal { test, negative: false }) = part else { continue };
        match *test {
            Test::Term(channel, term) => offer(channel, term, chooser),
            Test::Atom(id) => {
                let atoms = chooser.atoms;
                if let Atom::Phrase { channel, pairs, .. } = &atoms.list[id as usize] {
                    for pair in pairs {
                        offer(*channel, *pair, chooser);
                    }
                }
            }
            Test::Flag(_) => {}
        }
    }
    best.map_or(0, |b| signature_of(b.1))
}

impl Index {
    /// Whether a filter has no access atoms.
    pub(crate) fn is_scanned(&self, filter: u32) -> bool {
        self.scanned.binary_search_by_key(&filter, |p| p.filter()).is_ok()
    }

    /// The named sets of a filter that are tried on every post, whether the filter is or not.
    pub(crate) fn scanned_sets(&self, filter: u32) -> impl Iterator<Item = &ScannedSet> {
        self.program.of(filter).iter().filter_map(|step| {
            let Op::Set(number) = step.op else { return None };
            let at = self.scanned_sets.binary_search_by_key(&number, |set| set.number).ok()?;
            Some(&self.scanned_sets[at])
        })
    }
}

impl Uses {
    fn note(&mut self, formula: &Formula, level: Level, depth: usize, atoms: &Atoms, sets: &[SetPlan]) {
        match formula {
            Formula::Is(literal) => self.note_test(literal.test, level, atoms),
            Formula::All(parts) | Formula::Any(parts) | Formula::AtLeast(_, parts) => {
                for part in parts {
                    self.note(part, level, depth, atoms, sets);
                }
            }
            Formula::In(scope, inner) => {
                use crate::plan::formula::ScopeKey;
                self.depth = self.depth.max(depth + 1);
                match scope {
                    ScopeKey::Quote => self.quote = true,
                    ScopeKey::Retweet => self.original = true,
                }
                self.note(inner, scope.enter(level), depth + 1, atoms, sets);
            }
            Formula::Set(number, _) => {
                self.channels[level as usize].insert(Channel::Set);
                if level == Level::Deeper {
                    self.note(&sets[*number as usize].formula, level, depth, atoms, sets);
                }
            }
        }
    }

    fn note_test(&mut self, test: Test, level: Level, atoms: &Atoms) {
        let channels = &mut self.channels[level as usize];
        match test {
            Test::Term(channel, _) => channels.insert(channel),
            Test::Flag(_) => {}
            Test::Atom(id) => match &atoms.list[id as usize] {
                Atom::Phrase { channel, elements, .. } => {
                    channels.insert(*channel);
                    self.exact_wild |=
                        elements.iter().any(|e| matches!(e, Element::Wild(wild) if wild.exact));
                }
                Atom::Wild { channel, wild, .. } => {
                    channels.insert(*channel);
                    self.exact_wild |= wild.exact;
                }
                Atom::Near { channel, .. }
                | Atom::Obfuscated { channel, .. }
                | Atom::Contains { channel, .. }
                | Atom::TagPrefix { channel, .. } => channels.insert(*channel),
                Atom::Regex { .. } => channels.insert(Channel::Regex),
                Atom::Attribute { words, .. } => self.note_test(*words, level, atoms),
                _ => {}
            },
        }
    }
}
