//! Versions of a post that meet in the store.
//!
//! Whoever saw any version of a post has the newest one, with what their filters say of that. A worker evaluates a post
//! for those whom its entries name; where others have it in another version, the worker is told so instead of stored,
//! and evaluates it with that in mind. What comes for the first time, or as the version that is stored, costs nothing.

use std::collections::{BTreeSet, HashSet};

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
    let suspects: Vec<(&Prepared<'_>, &Known)> = posts
        .iter()
        .filter_map(|post| Some((post, said.known.get(&post.key)?)))
        .filter(|(post, known)| !known.gone && !said.deleted.has(&post.key.0, &post.key.1))
        .filter(|(post, known)| is_outdated(post.evaluated, known, |_| true))
        .collect();
    if suspects.is_empty() {
        return Ok(());
    }
    let of_both = |(post, known): &(&Prepared<'_>, &Known)| -> Vec<i64> {
        seen(known).chain(reached(post.evaluated)).collect()
    };
    let accounts: BTreeSet<i64> = suspects.iter().flat_map(of_both).collect();
    let accounts: Vec<i64> = accounts.into_iter().collect();
    let rows = tx.rows(LIVING, args![list(&accounts)?]).await?;
    let living = rows.iter().map(|row| row.int(0)).collect::<Result<HashSet<_>, _>>()?;
    let mut outdated = Vec::new();
    for (post, known) in suspects {
        // Who is no more misses nothing.
        if is_outdated(post.evaluated, known, |id| living.contains(&id)) {
            let accounts = seen(known).filter(|id| living.contains(id)).collect();
            outdated.push(stored(post, known, accounts)?);
        }
    }
    if outdated.is_empty() { Ok(()) } else { Err(StoreError::Outdated(outdated)) }
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

fn stored(post: &Prepared<'_>, known: &Known, accounts: Vec<i64>) -> Result<StoredVersion, StoreError> {
    let newer = known.body.as_ref().filter(|_| known.version > post.evaluated.version);
    Ok(StoredVersion {
        network: post.key.0.clone(),
        id: post.key.1.clone(),
        version: known.version,
        at: known.version_at,
        public: known.public,
        accounts,
        newer: newer.map(|body| read(body.as_bytes())).transpose()?,
    })
}
