//! Versions of a post that meet in the store.
//!
//! Whoever saw any version of a post has the newest one, with what their filters say of that. A worker evaluates a post
//! for those whom its entries name; where others have it in another version, the worker is told so instead of stored,
//! and evaluates it with that in mind; so it is with a post that comes with a place which was to be forgotten before. Any
//! other that comes for the first time, or as the version that is stored, costs nothing.

use std::collections::{BTreeSet, HashSet};

use tweetfilter_core::Post;
use tweetfilter_stream::store::{Evaluated, StoreError, StoredVersion};

use super::changes::read;
use super::prepare::Prepared;
use super::said::{Known, Said};
use crate::lists::numbers;
use crate::sql::{Sql, Tx, args, list, statements};

statements! {
    LIVING = Sql::each(
        "SELECT a.id FROM json_each(?) j CROSS JOIN account a ON a.id = j.value",
        concat!("SELECT a.id FROM ", numbers!(), " STRAIGHT_JOIN account a ON a.id = j.n"),
    );
}

/// Makes sure that each post was evaluated for all who are to have it, on the version that they are to have.
///
/// # Errors
/// [`StoreError::Outdated`] with what is stored of those that were not.
pub(super) async fn check(tx: &mut Tx, posts: &[Prepared<'_>], said: &Said) -> Result<(), StoreError> {
    let suspects: Vec<Suspect<'_, '_>> = posts
        .iter()
        .filter_map(|post| Suspect::of(post, said))
        .filter(|one| one.is_tried_whole() || one.is_outdated(|_| true))
        .collect();
    if suspects.is_empty() {
        return Ok(());
    }
    let accounts: BTreeSet<i64> = suspects.iter().flat_map(Suspect::accounts).collect();
    let accounts: Vec<i64> = accounts.into_iter().collect();
    let rows = tx.rows(LIVING, args![list(&accounts)?]).await?;
    let living = rows.iter().map(|row| row.int(0)).collect::<Result<HashSet<_>, _>>()?;
    let mut outdated = Vec::new();
    for suspect in suspects {
        // Who is no more misses nothing.
        if suspect.is_tried_whole() || suspect.is_outdated(|id| living.contains(&id)) {
            outdated.push(suspect.told(&living)?);
        }
    }
    if outdated.is_empty() { Ok(()) } else { Err(StoreError::Outdated(outdated)) }
}

/// A post that has perhaps to be evaluated anew.
struct Suspect<'p, 'o> {
    post: &'p Prepared<'o>,
    /// What is stored of it.
    known: Option<&'p Known>,
    /// What is left of it without a place that was to be forgotten, if it came with one.
    left: Option<Post>,
}

impl<'p, 'o> Suspect<'p, 'o> {
    /// `None` for what was deleted.
    fn of(post: &'p Prepared<'o>, said: &'p Said) -> Option<Self> {
        let known = said.known.get(&post.key);
        if known.is_some_and(|known| known.gone) || said.deleted.has(&post.key.0, &post.key.1) {
            return None;
        }
        // Of a newer version, what is stored has lost its place already.
        let is_older = known.is_some_and(|known| known.version > post.evaluated.version);
        let left = if is_older { None } else { said.without_places(post) };
        Some(Self { post, known, left })
    }

    /// Whether filters saw a place that was to be forgotten.
    fn is_tried_whole(&self) -> bool {
        let tried = self.post.evaluated.stored.as_ref().and_then(|told| told.newer.as_ref());
        self.left.is_some() && self.left.as_ref() != tried
    }

    fn is_outdated(&self, is_living: impl Fn(i64) -> bool) -> bool {
        self.known.is_some_and(|known| is_outdated(self.post.evaluated, known, is_living))
    }

    fn accounts(&self) -> Vec<i64> {
        self.known.into_iter().flat_map(seen).chain(reached(self.post.evaluated)).collect()
    }

    /// What the worker has to know of it.
    fn told(self, living: &HashSet<i64>) -> Result<StoredVersion, StoreError> {
        let (network, id) = self.post.key.clone();
        let evaluated = self.post.evaluated;
        match self.known.filter(|known| known.version != evaluated.version) {
            Some(known) => {
                let newer = known.body.as_ref().filter(|_| known.version > evaluated.version);
                let newer = newer.map(|body| read(body.as_bytes())).transpose()?;
                let accounts = seen(known).filter(|id| living.contains(id)).collect();
                let (version, at, public) = (known.version, known.version_at, known.public);
                let newer = newer.or(self.left);
                Ok(StoredVersion { network, id, version, at, public, accounts, newer })
            }
            None => Ok(StoredVersion {
                network,
                id,
                version: evaluated.version,
                at: evaluated.at,
                public: evaluated.public,
                accounts: Vec::new(),
                newer: self.left,
            }),
        }
    }
}

/// The accounts that saw some version of a post themselves.
fn seen(known: &Known) -> impl Iterator<Item = i64> {
    known.audience.iter().copied().filter(|id| *id > 0)
}

/// The accounts that see the version which was evaluated.
fn reached(post: &Evaluated) -> impl Iterator<Item = i64> {
    post.deliveries.iter().filter(|delivery| delivery.seen).map(|delivery| delivery.account)
}

/// Whether a post was evaluated without what is stored of it in another version, so that an account would miss something.
fn is_outdated(post: &Evaluated, known: &Known, is_living: impl Fn(i64) -> bool) -> bool {
    if known.version < post.version {
        let mut reached: HashSet<i64> = reached(post).collect();
        // Where only matches are kept, those without one have no delivery.
        reached.extend(post.stored.iter().flat_map(|told| &told.accounts));
        (known.public && !post.public) || seen(known).any(|id| is_living(id) && !reached.contains(&id))
    } else if known.version > post.version {
        let has = |account: i64| known.audience.iter().any(|id| id.abs() == account);
        let is_for_more = (post.public && !known.public) || reached(post).any(|id| is_living(id) && !has(id));
        is_for_more && !is_of_stored(post, known)
    } else {
        false
    }
}

/// Whether a post that came in an older version was evaluated on the newer one that is stored.
pub(super) fn is_of_stored(post: &Evaluated, known: &Known) -> bool {
    post.stored.as_deref().is_some_and(|told| {
        told.newer.is_some() && (told.version, told.at) == (known.version, known.version_at)
    })
}
