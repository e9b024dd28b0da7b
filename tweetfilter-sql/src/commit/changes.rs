//! Changes of what is stored: deletes, scrubs, withholds, authors.
//!
//! Each leaves behind what later posts are checked against, so the order of arrival makes no difference.

use std::collections::{BTreeMap, BTreeSet};

use tweetfilter_core::Post;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::shrunk;
use tweetfilter_stream::store::{Friends, Outcome, Said, StoreError};

use super::anew::Anew;
use super::prepare::{Key, body, fits, strip};
use super::scrub::scrub_geo;
use super::withheld::{self, withhold};
use super::{letters, posts, states};
use crate::accounts;
use crate::handles;
use crate::lists::{ids, keys, numbers};
use crate::lookup;
use crate::sql::{Sql, Tx, args, list, statements};
use crate::withdrawn::{self, Fate};

/// Deleted posts that are remembered.
const TOMBSTONES: i64 = 1_000_000;
/// How many are forgotten at once.
const FORGOTTEN: i64 = 10_000;

statements! {
    BURY = Sql::each(
        "INSERT INTO tombstone (network, native_id, at) SELECT value ->> 0, value ->> 1, ? FROM json_each(?)
         WHERE true ON CONFLICT DO NOTHING",
        concat!(
            "INSERT INTO tombstone (network, native_id, at) SELECT k.network, k.native_id, ? FROM ",
            keys!(),
            " ON DUPLICATE KEY UPDATE at = tombstone.at"
        ),
    );
    BURIED = Sql::each(
        "SELECT COUNT(*) FROM json_each(?) k
         CROSS JOIN tombstone t ON t.network = k.value ->> 0 AND t.native_id = k.value ->> 1",
        concat!(
            "SELECT COUNT(*) FROM ",
            keys!(),
            " STRAIGHT_JOIN tombstone t ON t.network = k.network AND t.native_id = k.native_id"
        ),
    );
    COUNT = Sql::both("UPDATE state SET value = value + ? WHERE name = ?");
    COUNTED = Sql::both("SELECT value FROM state WHERE name = ?");
    DROP_OLDEST = Sql::each(
        "DELETE FROM tombstone WHERE (network, native_id) IN
             (SELECT network, native_id FROM tombstone ORDER BY at LIMIT ?)",
        "DELETE FROM tombstone ORDER BY at LIMIT ?",
    );
    POSTS = Sql::each(
        "SELECT p.num FROM json_each(?) k
         CROSS JOIN post p ON p.network = k.value ->> 0 AND p.native_id = k.value ->> 1",
        concat!(
            "SELECT p.num FROM ",
            keys!(),
            " STRAIGHT_JOIN post p ON p.network = k.network AND p.native_id = k.native_id"
        ),
    );
    CARRIERS = Sql::each(
        "SELECT p.num, p.network, p.native_id, p.body FROM json_each(?) k
         CROSS JOIN carried c ON c.network = k.value ->> 0 AND c.native_id = k.value ->> 1
         CROSS JOIN post p ON p.num = c.post WHERE p.body IS NOT NULL",
        concat!(
            "SELECT p.num, p.network, p.native_id, p.body FROM ",
            keys!(),
            " STRAIGHT_JOIN carried c ON c.network = k.network AND c.native_id = k.native_id
              STRAIGHT_JOIN post p ON p.num = c.post WHERE p.body IS NOT NULL"
        ),
    );
    // A delete that names no network: any but those that always do.
    UNNAMED = Sql::each(
        "SELECT DISTINCT p.network, p.native_id FROM json_each(?) j CROSS JOIN post p ON p.native_id = j.value
         WHERE p.network NOT IN ('x', 'bluesky')
         UNION SELECT DISTINCT c.network, c.native_id FROM json_each(?) j CROSS JOIN carried c ON c.native_id = j.value
         WHERE c.network NOT IN ('x', 'bluesky')
         UNION SELECT DISTINCT d.network, d.native_id FROM json_each(?) j
         CROSS JOIN dead_post d ON d.native_id = j.value WHERE d.network NOT IN ('x', 'bluesky')",
        concat!(
            "SELECT DISTINCT p.network, p.native_id FROM ",
            ids!(),
            " STRAIGHT_JOIN post p ON p.native_id = k.id WHERE p.network NOT IN ('x', 'bluesky')
             UNION SELECT DISTINCT c.network, c.native_id FROM ",
            ids!(),
            " STRAIGHT_JOIN carried c ON c.native_id = k.id WHERE c.network NOT IN ('x', 'bluesky')
             UNION SELECT DISTINCT d.network, d.native_id FROM ",
            ids!(),
            " STRAIGHT_JOIN dead_post d ON d.native_id = k.id WHERE d.network NOT IN ('x', 'bluesky')"
        ),
    );
    DELETE = Sql::each(
        "UPDATE post SET body = NULL, deleted = ?2, audience = '[]', author_handle = ''
         WHERE num IN (SELECT value FROM json_each(?1))",
        concat!(
            "UPDATE ",
            numbers!(),
            " STRAIGHT_JOIN post p ON p.num = j.n
             SET p.body = NULL, p.deleted = ?, p.audience = '[]', p.author_handle = ''"
        ),
    );
    REWRITE = Sql::both("UPDATE post SET body = ? WHERE num = ?");
    UNCARRY = Sql::each(
        "DELETE FROM carried WHERE (network, native_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
        concat!(
            "DELETE c FROM ",
            keys!(),
            " STRAIGHT_JOIN carried c ON c.network = k.network AND c.native_id = k.native_id"
        ),
    );
    AUTHOR = Sql::each(
        "INSERT INTO author (network, author_id, changed_at) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET changed_at = excluded.changed_at",
        "INSERT INTO author (network, author_id, changed_at) VALUES (?, ?, ?)
         ON DUPLICATE KEY UPDATE changed_at = VALUES(changed_at)",
    );
    KEPT_BACK = Sql::both(
        "SELECT network FROM author WHERE network = ? AND author_id = ? AND (inactive = 1 OR withheld IS NOT NULL)",
    );
    // What was said before what is known changes nothing, so these may find no row.
    SET_WITHHELD = Sql::both(
        "UPDATE author SET withheld = ?, withheld_at = ? WHERE network = ? AND author_id = ? AND withheld_at <= ?",
    );
    SET_HANDLE = Sql::both(
        "UPDATE author SET handle = ?, handle_at = ? WHERE network = ? AND author_id = ? AND handle_at <= ?",
    );
    RENAMED = Sql::each(
        "UPDATE OR REPLACE identity SET handle = ? WHERE network = ? AND native_id = ? AND handle <> ?",
        "UPDATE IGNORE identity SET handle = ? WHERE network = ? AND native_id = ? AND handle <> ?",
    );
    ACCOUNT = Sql::both("SELECT id FROM account WHERE id = ?");
}

/// Refuses what no column can hold.
pub(super) fn check(outcome: &Outcome) -> Result<(), StoreError> {
    // Of posts, their own sources are looked at.
    outcome.copies.keys().chain(outcome.unmatched.keys()).try_for_each(|source| fits(&[source], &[]))?;
    for Friends { network, ids, .. } in &outcome.friends {
        ids.iter().try_for_each(|id| fits(&[network], &[id]))?;
    }
    outcome.changes.iter().try_for_each(|said| match &said.change {
        Change::Delete { network, id } | Change::StatusWithheld { network, id, .. } => {
            fits(&[network], &[id])
        }
        Change::ScrubGeo { network, author, up_to } => fits(&[network], &[author, up_to]),
        Change::UserWithheld { network, author, .. } => fits(&[network], &[author]),
        Change::AccountStatus { network, author, status, .. } => fits(&[network, status], &[author]),
        Change::Identity { network, account } => fits(&[network], &[&account.id, &account.handle]),
        _ => Ok(()),
    })
}

/// Applies changes to what is stored, and remembers them for what is not yet; tells whether anything may be shown again
/// that was not.
pub(super) async fn apply(
    tx: &mut Tx,
    changes: &[Said],
    at: Millis,
    commit: i64,
    mut anew: Option<&mut Anew>,
) -> Result<bool, StoreError> {
    let mut deletes = BTreeSet::new();
    let mut restored = false;
    for &Said { at: said, ref change } in changes {
        match change {
            Change::Delete { network, id } => {
                deletes.insert((network.clone(), id.clone()));
            }
            Change::ScrubGeo { network, author, up_to } => {
                scrub_geo(tx, network, author, up_to, (at, commit), anew.as_deref_mut()).await?;
            }
            Change::StatusWithheld { network, id, countries } => {
                restored |=
                    withhold(tx, (network.clone(), id.clone()), countries, (said, at), commit).await?;
            }
            Change::UserWithheld { network, author, countries } => {
                let (network, author) = (network.as_str(), author.as_str());
                let kept_back = is_kept_back(tx, network, author).await?;
                tx.run(AUTHOR, args![network, author, at]).await?;
                let values = args![withheld::some(countries)?, said, network, author, said];
                if tx.run(SET_WITHHELD, values).await? == 0 {
                    continue;
                }
                restored |= countries.is_empty() && kept_back;
                if !countries.is_empty() {
                    withdrawn::note_author(tx, commit, network, author).await?;
                }
            }
            Change::AccountStatus { network, author, active, status } => {
                let (network, author) = (network.as_str(), author.as_str());
                tx.run(AUTHOR, args![network, author, at]).await?;
                let Some(turn) = states::say(tx, (network, author), (*active, status.as_str()), said).await?
                else {
                    continue;
                };
                restored |= turn.before && !turn.now;
                if !*active {
                    lookup::forget_profile(tx, network, author).await?;
                    withdrawn::note_author(tx, commit, network, author).await?;
                }
            }
            Change::Identity { network, account } => {
                let (network, id, handle) = (network.as_str(), account.id.as_str(), account.handle.as_str());
                // Without one, it only says that something is new: the handle that is known may be right.
                if !handle.is_empty() {
                    tx.run(AUTHOR, args![network, id, at]).await?;
                    if tx.run(SET_HANDLE, args![handle, said, network, id, said]).await? == 0 {
                        continue;
                    }
                }
                lookup::renamed(tx, network, account).await?;
                let mut changed = handles::renamed(tx, network, account).await?;
                if !handle.is_empty() {
                    changed |= tx.run(RENAMED, args![handle, network, id, handle]).await? > 0;
                }
                if changed {
                    tx.run(COUNT, args![1, "revision"]).await?;
                }
            }
            // Whose friends they are stands in the entry: see `friends`.
            _ => {}
        }
    }
    if !deletes.is_empty() {
        delete(tx, deletes, at, commit).await?;
    }
    Ok(restored)
}

/// Whether nothing of an author is shown.
async fn is_kept_back(tx: &mut Tx, network: &str, author: &str) -> Result<bool, StoreError> {
    Ok(tx.row(KEPT_BACK, args![network, author]).await?.is_some())
}

/// Keeps whom accounts follow, of those that are still there.
pub(super) async fn friends(tx: &mut Tx, lists: &[Friends]) -> Result<(), StoreError> {
    for Friends { account, network, ids, at } in lists {
        if tx.row(ACCOUNT, args![*account]).await?.is_some() {
            accounts::friends(tx, *account, network, ids, *at).await?;
        }
    }
    Ok(())
}

async fn delete(tx: &mut Tx, mut deletes: BTreeSet<Key>, at: Millis, commit: i64) -> Result<(), StoreError> {
    let unnamed: Vec<_> =
        deletes.iter().filter(|(network, _)| network.is_empty()).map(|(_, id)| id.clone()).collect();
    if !unnamed.is_empty() {
        let ids = list(&unnamed)?;
        for row in tx.rows(UNNAMED, args![ids.clone(), ids.clone(), ids]).await? {
            deletes.insert((row.text(0)?, row.text(1)?));
        }
    }
    let all: Vec<_> = deletes.iter().collect();
    let keys = list(&all)?;
    let before = tx.row(BURIED, args![keys.clone()]).await?.map_or(Ok(0), |row| row.int(0))?;
    tx.run(BURY, args![at, keys.clone()]).await?;
    let added = i64::try_from(all.len()).unwrap_or(i64::MAX) - before;
    tx.run(COUNT, args![added, "tombstones"]).await?;
    drop_oldest(tx).await?;
    letters::delete(tx, &deletes).await?;

    let (mut gone, mut left) = (BTreeSet::new(), Vec::new());
    for row in tx.rows(POSTS, args![keys.clone()]).await? {
        gone.insert(row.int(0)?);
    }
    let mut carriers = BTreeMap::new();
    for row in tx.rows(CARRIERS, args![keys.clone()]).await? {
        carriers.insert(row.int(0)?, (row.text(1)?, row.bytes(3)?));
    }
    for (num, (network, old)) in carriers {
        let mut post = read(&old)?;
        let is_deleted = |network: &str, id: &str| deletes.contains(&(network.to_owned(), id.to_owned()));
        if strip(&mut post, &network, &is_deleted) {
            rewrite(tx, num, &post, commit).await?;
            left.push(num);
        } else {
            gone.insert(num);
        }
    }
    tx.run(UNCARRY, args![keys]).await?;
    // What they carried may have been withheld.
    withheld::mark(tx, &left).await?;
    let gone: Vec<_> = gone.into_iter().collect();
    if !gone.is_empty() {
        withdrawn::note(tx, commit, &gone, Fate::Removed).await?;
        tx.run(DELETE, args![list(&gone)?, at]).await?;
        posts::forget(tx, &gone).await?;
    }
    Ok(())
}

async fn drop_oldest(tx: &mut Tx) -> Result<(), StoreError> {
    let held = tx.row(COUNTED, args!["tombstones"]).await?.map_or(Ok(0), |row| row.int(0))?;
    if held > TOMBSTONES {
        let dropped = tx.run(DROP_OLDEST, args![(held - TOMBSTONES).min(FORGOTTEN)]).await?.cast_signed();
        tx.run(COUNT, args![-dropped, "tombstones"]).await?;
        tx.run(COUNT, args![dropped, "tombstones_dropped"]).await?;
    }
    Ok(())
}

pub(super) fn read(stored: &[u8]) -> Result<Post, StoreError> {
    shrunk::from_slice(stored).map_err(|error| StoreError::Unfit(format!("a stored post: {error}")))
}

pub(super) async fn rewrite(tx: &mut Tx, num: i64, post: &Post, commit: i64) -> Result<(), StoreError> {
    withdrawn::note(tx, commit, &[num], Fate::Changed).await?;
    tx.run(REWRITE, args![body(post)?, num]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::plan_of;

    #[tokio::test]
    async fn a_delete_without_a_network_is_looked_up() {
        let plan = plan_of(UNNAMED, args!["[]", "[]", "[]"]).await;
        let scans: Vec<_> = plan.iter().filter(|step| step.starts_with("SCAN")).collect();
        assert!(scans.iter().all(|step| step.starts_with("SCAN j VIRTUAL TABLE")), "{plan:?}");
        assert_eq!(plan.iter().filter(|step| step.contains("native_id=?")).count(), 3, "{plan:?}");
    }
}
