//! From entries to an outcome.

use std::collections::HashMap;

use tweetfilter_core::post::{Millis, Post};
use tweetfilter_core::{Match, OwnerId, Scratch};

use super::compiled::Compiled;
use super::references::owner;
use super::together::breathe;
use crate::entry::{Audience, Change, Content, Entry};
use crate::store::{Delivery, Evaluated, Friends, Outcome, Said, StoredVersion, Verdict};

/// What the store said of posts that it has in other versions, by network and id.
pub(super) type Versions = HashMap<(String, String), StoredVersion>;

/// A post of the batch, with everyone whom it reached.
struct Seen<'e> {
    post: &'e Post,
    version: Millis,
    entry: &'e Entry,
    public: bool,
    accounts: Vec<i64>,
    strangers: u32,
}

/// Evaluates each post of a batch once, for all who saw it, whatever version each of them saw. Returns when the newest
/// entry was received that names somebody of whom the filters know no account.
pub(super) async fn evaluate<'e>(
    compiled: &Compiled,
    scratch: &mut Scratch,
    entries: impl Iterator<Item = &'e Entry>,
    known: &Versions,
    outcome: &mut Outcome,
) -> Option<Millis> {
    let mut unknown = None;
    let mut seen: Vec<Seen<'e>> = Vec::new();
    let mut by_id: HashMap<(&str, &str), usize> = HashMap::new();
    for entry in entries {
        let (post, version) = match &entry.content {
            Content::Post(post) => (post, post.edited_at.unwrap_or(0).max(0)),
            Content::Edit(post) => (post, post.edited_at.unwrap_or(entry.at).max(1)),
            Content::Change(Change::Friends { network, ids }) => {
                let of =
                    |account| Friends { account, network: network.clone(), ids: ids.clone(), at: entry.at };
                let whose = whose(compiled, network, entry);
                if whose.is_empty() {
                    unknown = unknown.max(Some(entry.at));
                }
                outcome.friends.extend(whose.into_iter().map(of));
                continue;
            }
            Content::Change(change) => {
                outcome.changes.push(Said { at: entry.at, change: change.clone() });
                continue;
            }
        };
        let next = seen.len();
        // The store knows which posts without an id are the same.
        let index =
            if post.id.is_empty() { next } else { *by_id.entry((&post.network, &post.id)).or_insert(next) };
        if index == next {
            seen.push(Seen::new(post, version, entry));
        }
        let seen = &mut seen[index];
        let strangers = seen.strangers;
        seen.reach(compiled, post, entry);
        if seen.strangers > strangers {
            unknown = unknown.max(Some(entry.at));
        }
        if index < next {
            let copy = seen.take(post, version, entry);
            *outcome.copies.entry(copy.source.clone()).or_default() += 1;
        }
    }
    for seen in seen {
        outcome.posts.push(seen.evaluate(compiled, scratch, known));
        breathe().await;
    }
    unknown
}

/// The accounts of whom a message speaks: those whom its entry names.
fn whose(compiled: &Compiled, network: &str, entry: &Entry) -> Vec<i64> {
    match &entry.to {
        Audience::Account(name) => compiled.named(name, entry.at).into_iter().collect(),
        Audience::Viewers(viewers) => {
            viewers.iter().flat_map(|viewer| compiled.of_user(network, viewer)).copied().collect()
        }
        Audience::Public | Audience::Follows => Vec::new(),
    }
}

impl<'e> Seen<'e> {
    fn new(post: &'e Post, version: Millis, entry: &'e Entry) -> Self {
        Self { post, version, entry, public: false, accounts: Vec::new(), strangers: 0 }
    }

    /// Takes the content of a copy; returns the entry whose content does not hold. Of two versions the newer one does, of
    /// two that say they are the same what was received last, for those who got either.
    fn take(&mut self, post: &'e Post, version: Millis, entry: &'e Entry) -> &'e Entry {
        let is_later = version > 0 && version == self.version && entry.at >= self.entry.at;
        if version <= self.version && !is_later {
            return entry;
        }
        (self.post, self.version) = (post, version);
        std::mem::replace(&mut self.entry, entry)
    }

    fn reach(&mut self, compiled: &Compiled, post: &Post, entry: &Entry) {
        let accounts = &mut self.accounts;
        match &entry.to {
            Audience::Public => self.public = true,
            Audience::Account(name) => match compiled.named(name, entry.at) {
                Some(account) => accounts.push(account),
                None => self.strangers += 1,
            },
            Audience::Viewers(viewers) => {
                for viewer in viewers {
                    let known = compiled.of_user(&post.network, viewer);
                    accounts.extend_from_slice(known);
                    self.strangers += u32::from(known.is_empty());
                }
            }
            Audience::Follows => {
                let content = post.content();
                accounts.extend(compiled.following(&post.network, &post.author.account));
                let answered = post.reply_to.iter().map(|reply| &reply.account);
                let named = content.entities.mentions.iter().map(|mention| &mention.account);
                for user in named.chain(answered) {
                    accounts.extend(compiled.named_by(&post.network, user));
                }
            }
        }
    }

    /// What the store has of it in another version.
    fn stored<'k>(&self, known: &'k Versions) -> Option<&'k StoredVersion> {
        // Mostly nothing is known, and what has no id has no versions.
        if known.is_empty() || self.post.id.is_empty() {
            return None;
        }
        known.get(&(self.post.network.clone(), self.post.id.clone()))
    }

    fn evaluate(mut self, compiled: &Compiled, scratch: &mut Scratch, known: &Versions) -> Evaluated {
        let stored = self.stored(known);
        let mut tried = self.post;
        match stored {
            // Who has the older one gets this one, too.
            Some(stored) if stored.version < self.version => {
                self.accounts.extend_from_slice(&stored.accounts);
                self.public |= stored.public;
                tried = stored.newer.as_ref().unwrap_or(tried);
            }
            // Who comes late with an older one gets the newer one, and of this one what is left without its place.
            Some(StoredVersion { newer: Some(newer), .. }) => tried = newer,
            _ => {}
        }
        self.accounts.sort_unstable();
        self.accounts.dedup();
        let found = if self.public {
            compiled.set.matches_with(scratch, tried)
        } else {
            let owners: Vec<OwnerId> = self.accounts.iter().map(|&account| owner(account)).collect();
            compiled.set.matches_for(scratch, tried, &owners)
        };
        let mut deliveries: Vec<Delivery> = self.accounts.iter().map(|&account| nothing(account)).collect();
        for delivery in matched(compiled, found) {
            match deliveries.binary_search_by_key(&delivery.account, |delivery| delivery.account) {
                Ok(place) => deliveries[place] = Delivery { seen: true, ..delivery },
                Err(place) => deliveries.insert(place, delivery),
            }
        }
        Evaluated {
            post: self.post.clone(),
            version: self.version,
            source: self.entry.source.clone(),
            at: self.entry.at,
            place: self.entry.place.clone(),
            public: self.public,
            deliveries,
            strangers: self.strangers,
            stored: stored.cloned().map(Box::new),
        }
    }
}

impl Compiled {
    /// What the filters of some accounts say of a post: a delivery for each account with a match, in order.
    pub fn evaluate(&self, scratch: &mut Scratch, post: &Post, accounts: &[i64]) -> Vec<Delivery> {
        let owners: Vec<OwnerId> = accounts.iter().map(|&account| owner(account)).collect();
        matched(self, self.set.matches_for(scratch, post, &owners)).collect()
    }

    /// Brings filters of an account into its order, and tells what they decide; those that are not used any more
    /// come last, and decide nothing.
    pub fn decide(&self, filters: &mut [i64]) -> Verdict {
        let place = |id: &i64| self.place_of(*id).unwrap_or(usize::MAX);
        filters.sort_by_key(place);
        Verdict::of(filters.iter().filter_map(|id| Some(self.filters[self.place_of(*id)?].action)))
    }
}

/// A delivery for each account with a match.
fn matched<'c>(compiled: &'c Compiled, found: &'c [Match]) -> impl Iterator<Item = Delivery> + 'c {
    // Filters of an account stand side by side in the set, in its order.
    found.chunk_by(|a, b| a.owner == b.owner).filter_map(|matched| {
        let actions = matched.iter().map(|found| compiled.filters[found.index as usize].action);
        Some(Delivery {
            account: matched[0].owner?.0.cast_signed(),
            verdict: Verdict::of(actions),
            filters: matched.iter().map(|found| found.id.0.cast_signed()).collect(),
            seen: false,
        })
    })
}

fn nothing(account: i64) -> Delivery {
    Delivery { account, verdict: Verdict::default(), filters: Vec::new(), seen: true }
}
