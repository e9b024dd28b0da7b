//! Named sets in a plan: each is one atom, however many filters name it.

use std::collections::HashMap;

use super::access::MOST_WAYS;
use super::channel::Level;
use super::formula::Formula;
use super::lower::Lowering;
use crate::engine::dictionary::{KeyKind, TermId};
use crate::syntax::lint::names_me;
use crate::syntax::{Atom, Diagnostic, Node};

/// A named set as one set of filters uses it: a formula that all its users share.
#[derive(Debug)]
pub(crate) struct SetPlan {
    pub(crate) formula: Formula,
    /// A term of its own, present when the set matched.
    pub(crate) term: TermId,
    pub(crate) level: Level,
    /// As it was written where it was first used.
    pub(crate) atom: Box<str>,
}

impl SetPlan {
    /// Whether it has more terms than are looked up.
    pub(crate) fn is_long(&self) -> bool {
        matches!(&self.formula, Formula::Any(terms) if terms.len() > MOST_WAYS)
    }
}

/// The named sets of a set of filters.
#[derive(Debug, Default)]
pub(crate) struct SetPlans {
    pub(crate) list: Vec<SetPlan>,
    /// By what their formula follows from.
    numbers: HashMap<String, u32>,
}

impl Lowering<'_> {
    pub(super) fn set(
        &mut self,
        atom: &Atom,
        node: &Node,
        negative: bool,
        level: Level,
    ) -> Result<Formula, Diagnostic> {
        let keys = self.keys(atom, level);
        if let Some(number) = keys.iter().find_map(|key| self.set_plans.numbers.get(key)) {
            return Ok(Formula::Set(*number, negative));
        }
        let members = self.known.expand(atom).map_err(|mut d| {
            d.span = node.span;
            d
        })?;
        let mut tests = Vec::new();
        for member in &members {
            tests.extend(self.tests(member).map_err(|mut d| {
                d.span = node.span;
                d
            })?);
        }
        let people = |member: &Atom| matches!(member, Atom::Account(..) | Atom::Mention(_));
        let [all, named, own] = keys;
        let key = match () {
            () if members.iter().any(names_me) => own,
            () if members.iter().any(people) => named,
            () => all,
        };
        let formula = Formula::any(tests.into_iter().map(|test| Formula::is(test, false)));
        let number = self.set_plans.list.len() as u32;
        let term = self.atoms.terms.intern(KeyKind::Set, &number.to_le_bytes());
        self.set_plans.list.push(SetPlan { formula, term, level, atom: atom.to_string().into() });
        self.set_plans.numbers.insert(key, number);
        Ok(Formula::Set(number, negative))
    }

    /// What a formula follows from: the lists alone, where they name people also what is known of handles, and where
    /// they name `me` also the owner.
    fn keys(&self, atom: &Atom, level: Level) -> [String; 3] {
        let known = self.known;
        let all = format!("{:?} {atom:?} {} {}", known.lists(atom), self.x, level as u8);
        let named = format!("{all} {}", known.handles());
        let own = format!("{named} {:?} {}", known.owner(), known.identities());
        [all, named, own]
    }
}
