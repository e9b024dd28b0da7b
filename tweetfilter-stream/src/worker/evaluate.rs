//! From entries to an outcome.

use std::collections::HashMap;

use tweetfilter_core::post::{Account, Millis, Post};
use tweetfilter_core::{Match, OwnerId, Scratch};

use super::compiled::{Compiled, owner};
use crate::entry::{Audience, Content, Entry};
use crate::store::{Action, Delivery, Evaluated, Outcome, Verdict};

/// A post of the batch, with everyone whom it reached.
struct Seen<'e> {
    post: &'e Post,
    version: Millis,
    entry: &'e Entry,
    public: bool,
    accounts: Vec<i64>,
    strangers: u32,
    joined: Vec<String>,
}

/// Evaluates each post of a batch once, for all who saw it.
pub(super) fn evaluate<'e>(
    compiled: &Compiled,
    scratch: &mut Scratch,
    entries: impl Iterator<Item = &'e Entry>,
    outcome: &mut Outcome,
) {
    let mut seen: Vec<Seen<'e>> = Vec::new();
    let mut by_id: HashMap<(&str, &str), usize> = HashMap::new();
    for entry in entries {
        let (post, version) = match &entry.content {
            Content::Post(post) => (post, 0),
            Content::Edit(post) => (post, entry.at.max(1)),
            Content::Change(change) => {
                outcome.changes.push(change.clone());
                continue;
            }
        };
        let next = seen.len();
        // Posts without an id can't be told apart, so each is its own.
        let index =
            if post.id.is_empty() { next } else { *by_id.entry((&post.network, &post.id)).or_insert(next) };
        if index == next {
            seen.push(Seen {
                post,
                version,
                entry,
                public: false,
                accounts: Vec::new(),
                strangers: 0,
                joined: Vec::new(),
            });
        }
        let known = &mut seen[index];
        if index != next {
            known.joined.push(entry.source.clone());
        }
        if version > known.version {
            (known.post, known.version, known.entry) = (post, version, entry);
        }
        known.reach(compiled, post, &entry.to);
    }
    outcome.posts.extend(seen.into_iter().map(|seen| seen.evaluate(compiled, scratch)));
}

impl Seen<'_> {
    fn reach(&mut self, compiled: &Compiled, post: &Post, to: &Audience) {
        let accounts = &mut self.accounts;
        match to {
            Audience::Public => self.public = true,
            Audience::Account(name) => match compiled.named(name) {
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
                for Account { id, handle } in named.chain(answered) {
                    for name in [id, handle] {
                        accounts.extend_from_slice(compiled.of_user(&post.network, name));
                    }
                }
            }
        }
    }

    fn evaluate(mut self, compiled: &Compiled, scratch: &mut Scratch) -> Evaluated {
        self.accounts.sort_unstable();
        self.accounts.dedup();
        let found = if self.public {
            compiled.set.matches_with(scratch, self.post)
        } else {
            let owners: Vec<OwnerId> = self.accounts.iter().map(|&account| owner(account)).collect();
            compiled.set.matches_for(scratch, self.post, &owners)
        };
        let mut deliveries: Vec<Delivery> = self.accounts.iter().map(|&account| nothing(account)).collect();
        // Filters of an account stand side by side in the set, in its order.
        for matched in found.chunk_by(|a, b| a.owner == b.owner) {
            let Some(account) = matched[0].owner.map(|owner| owner.0.cast_signed()) else { continue };
            let place = deliveries.binary_search_by_key(&account, |delivery| delivery.account);
            let delivery = Delivery {
                account,
                verdict: verdict(compiled, matched),
                filters: matched.iter().map(|found| found.id.0.cast_signed()).collect(),
                seen: place.is_ok(),
            };
            match place {
                Ok(place) => deliveries[place] = delivery,
                Err(place) => deliveries.insert(place, delivery),
            }
        }
        Evaluated {
            post: self.post.clone(),
            version: self.version,
            source: self.entry.source.clone(),
            at: self.entry.at,
            public: self.public,
            deliveries,
            strangers: self.strangers,
            joined: self.joined,
        }
    }
}

fn nothing(account: i64) -> Delivery {
    Delivery { account, verdict: Verdict::default(), filters: Vec::new(), seen: true }
}

/// The first that shows or hides decides; the others add up.
fn verdict(compiled: &Compiled, matched: &[Match]) -> Verdict {
    let actions = || matched.iter().map(|found| compiled.actions[found.index as usize]);
    Verdict {
        hidden: actions().find(|action| matches!(action, Action::Show | Action::Hide)) == Some(Action::Hide),
        highlighted: actions().any(|action| action == Action::Highlight),
        notify: actions().any(|action| action == Action::Notify),
    }
}
