//! What filters refer to: named sets, owners' accounts, whose handles are.
//!
//! Each may be stated again between two filters. A filter means what stood when it was added, in matches and in
//! explanations alike, so what is replaced is kept as long as a filter may have used it.

use std::collections::HashMap;

use crate::filter_set::{Identity, OwnerId};
use crate::post::Account;
use crate::syntax::lint::{each_atom, sets_of};
use crate::syntax::sets::{self, Lines};
use crate::syntax::{Atom, Diagnostic, Expression};

/// A thing with what it was before; moments are counted in filters that were there.
#[derive(Debug)]
struct History<T>(Vec<(u32, T)>);

impl<T> Default for History<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> History<T> {
    fn state(&mut self, moment: u32, value: T) {
        if self.0.last().is_some_and(|(since, _)| *since == moment) {
            // Nobody has used it.
            self.0.pop();
        }
        self.0.push((moment, value));
    }

    fn at(&self, moment: u32) -> Option<&T> {
        let later = self.0.partition_point(|(since, _)| *since <= moment);
        self.0[..later].last().map(|(_, value)| value)
    }
}

/// A list, numbered in the order in which lists were stated.
#[derive(Debug)]
struct List {
    number: u64,
    lines: Lines,
}

type Lists = HashMap<String, History<List>>;

#[derive(Debug, Default)]
struct Owner {
    identities: History<Vec<Identity>>,
    lists: Lists,
}

/// Whose id a handle is on a network.
#[derive(Debug)]
struct Handle {
    since: u32,
    network: String,
    id: String,
}

/// All that was stated.
#[derive(Debug, Default)]
pub(crate) struct Stated {
    lists: Lists,
    owners: HashMap<OwnerId, Owner>,
    /// By handle in lower case.
    handles: HashMap<String, Vec<Handle>>,
    lists_stated: u64,
    handles_stated: u64,
}

impl Stated {
    pub(crate) fn list(&mut self, owner: Option<OwnerId>, name: &str, lines: Lines, moment: u32) {
        self.lists_stated += 1;
        let list = List { number: self.lists_stated, lines };
        let lists = match owner {
            Some(owner) => &mut self.owners.entry(owner).or_default().lists,
            None => &mut self.lists,
        };
        lists.entry(name.to_owned()).or_default().state(moment, list);
    }

    pub(crate) fn owner(&mut self, owner: OwnerId, identities: Vec<Identity>, moment: u32) {
        self.owners.entry(owner).or_default().identities.state(moment, identities);
    }

    pub(crate) fn handle(&mut self, network: &str, account: &Account, moment: u32) {
        let Account { id, handle } = account;
        if !id.is_empty() && !handle.is_empty() {
            self.handles_stated += 1;
            let ids = self.handles.entry(handle.to_ascii_lowercase()).or_default();
            ids.push(Handle { since: moment, network: network.to_owned(), id: id.clone() });
        }
    }

    /// What a filter of an owner, or of none, refers to, where so many filters stand before it.
    pub(crate) fn to(&self, owner: Option<OwnerId>, moment: u32) -> Known<'_> {
        let stated = owner.and_then(|id| self.owners.get(&id));
        Known { all: self, owner, stated, moment }
    }
}

/// What one filter refers to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'s> {
    all: &'s Stated,
    owner: Option<OwnerId>,
    stated: Option<&'s Owner>,
    moment: u32,
}

impl<'s> Known<'s> {
    /// Whose filter it is.
    pub(crate) fn owner(&self) -> Option<OwnerId> {
        self.owner
    }

    /// Whom `me` stands for; `None`: the filter has no owner.
    pub(crate) fn me(&self) -> Option<&'s [Identity]> {
        let stated = self.stated.and_then(|owner| owner.identities.at(self.moment));
        self.owner.map(|_| stated.map_or(&[][..], Vec::as_slice))
    }

    /// The ids that a handle in lower case is known to have, each with its network.
    pub(crate) fn ids(&self, handle: &str) -> impl Iterator<Item = (&'s str, &'s str)> + use<'s> {
        let moment = self.moment;
        let known = self.all.handles.get(handle).into_iter().flatten();
        known.filter(move |known| known.since <= moment).map(|known| (&*known.network, &*known.id))
    }

    /// The atoms that an atom with lists stands for.
    pub(crate) fn expand(&self, atom: &Atom) -> Result<Vec<Atom>, Diagnostic> {
        sets::expand(atom, |name| self.find(name).map(|list| &list.lines))
    }

    /// An owner's list goes before that of all.
    fn find(&self, name: &str) -> Option<&'s List> {
        let own = self.stated.and_then(|owner| owner.lists.get(name)).and_then(|list| list.at(self.moment));
        own.or_else(|| self.all.lists.get(name)?.at(self.moment))
    }

    /// Numbers that tell the lists of an atom from others of their names.
    pub(crate) fn lists(&self, atom: &Atom) -> Vec<u64> {
        sets_of(atom).into_iter().map(|name| self.find(name).map_or(0, |list| list.number)).collect()
    }

    /// A number that grows with what is known of handles.
    pub(crate) fn handles(&self) -> u64 {
        self.all.handles_stated
    }

    /// A number that grows as often as the owner's accounts are stated.
    pub(crate) fn identities(&self) -> usize {
        self.stated.map_or(0, |owner| owner.identities.0.len())
    }

    /// A copy of what an expression refers to, as stated before any filter.
    pub(crate) fn copied(&self, expression: &Expression) -> Stated {
        let mut copy = Stated::default();
        each_atom(expression, &mut |atom, _| {
            for name in sets_of(atom) {
                if let Some(list) = self.find(name) {
                    copy.list(None, name, list.lines.clone(), 0);
                }
            }
        });
        if let Some((owner, me)) = self.owner.zip(self.me()) {
            copy.owner(owner, me.to_vec(), 0);
        }
        for (handle, known) in &self.all.handles {
            for known in known.iter().filter(|known| known.since <= self.moment) {
                let account = Account { id: known.id.clone(), handle: handle.clone() };
                copy.handle(&known.network, &account, 0);
            }
        }
        copy
    }
}
