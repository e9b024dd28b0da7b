//! Changes of what is stored: deletes, scrubs, withholds, authors.
//!
//! Each leaves behind what later posts are checked against, so the order of arrival makes no difference.

use std::collections::{BTreeMap, BTreeSet};

use tweetfilter_core::Post;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::shrunk;
use tweetfilter_stream::store::{Friends, Outcome, StoreError};

use super::posts;
use super::prepare::{Key, body, fits, scrub, strip, up_to};
use crate::accounts;
use crate::lists::{keys, numbers, text};
use crate::lookup;
use crate::sql::{Arg, Sql, Tx, args, list, statements};
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
        "SELECT DISTINCT p.network, p.native_id FROM post p JOIN json_each(?) j ON p.native_id = j.value
         WHERE p.network NOT IN ('x', 'bluesky')
         UNION SELECT DISTINCT c.network, c.native_id FROM carried c JOIN json_each(?) j ON c.native_id = j.value
         WHERE c.network NOT IN ('x', 'bluesky')",
        concat!(
            "SELECT DISTINCT p.network, p.native_id FROM post p JOIN JSON_TABLE(?, '$[*]' COLUMNS (",
            text!("id", "VARCHAR(500)", "$"),
            ")) j ON p.native_id = j.id WHERE p.network NOT IN ('x', 'bluesky')
             UNION SELECT DISTINCT c.network, c.native_id FROM carried c JOIN JSON_TABLE(?, '$[*]' COLUMNS (",
            text!("id", "VARCHAR(500)", "$"),
            ")) j ON c.native_id = j.id WHERE c.network NOT IN ('x', 'bluesky')"
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
    DELETE_DEAD = Sql::each(
        "UPDATE dead_letter SET entry = x'', reason = 'its post was deleted since' WHERE id IN (
             SELECT d.id FROM json_each(?) k CROSS JOIN dead_letter d
             ON d.network = k.value ->> 0 AND d.native_id = k.value ->> 1)",
        concat!(
            "UPDATE ",
            keys!(),
            " STRAIGHT_JOIN dead_letter d ON d.network = k.network AND d.native_id = k.native_id
             SET d.entry = '', d.reason = 'its post was deleted since'"
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
    SCRUBBED = Sql::both("SELECT scrub_up_to FROM author WHERE network = ? AND author_id = ?");
    PLACES = Sql::both(
        "SELECT p.num, p.network, p.native_id, p.body, l.native_id FROM placed l JOIN post p ON p.num = l.post
         WHERE l.network = ? AND l.author_id = ? AND p.body IS NOT NULL",
    );
    UNPLACE = Sql::both("DELETE FROM placed WHERE post = ? AND native_id = ?");
    AUTHOR = Sql::each(
        "INSERT INTO author (network, author_id, changed_at) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET changed_at = excluded.changed_at",
        "INSERT INTO author (network, author_id, changed_at) VALUES (?, ?, ?)
         ON DUPLICATE KEY UPDATE changed_at = VALUES(changed_at)",
    );
    SET_SCRUB = Sql::both("UPDATE author SET scrub_up_to = ? WHERE network = ? AND author_id = ?");
    SET_WITHHELD = Sql::both("UPDATE author SET withheld = ? WHERE network = ? AND author_id = ?");
    SET_STATUS = Sql::both("UPDATE author SET inactive = ?, status = ? WHERE network = ? AND author_id = ?");
    SET_HANDLE = Sql::both("UPDATE author SET handle = ? WHERE network = ? AND author_id = ?");
    RENAMED = Sql::each(
        "UPDATE OR REPLACE identity SET handle = ? WHERE network = ? AND native_id = ? AND handle <> ?",
        "UPDATE IGNORE identity SET handle = ? WHERE network = ? AND native_id = ? AND handle <> ?",
    );
    WITHHOLD = Sql::each(
        "INSERT INTO withheld (network, native_id, countries, at) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET countries = excluded.countries, at = excluded.at",
        "INSERT INTO withheld (network, native_id, countries, at) VALUES (?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE countries = VALUES(countries), at = VALUES(at)",
    );
    RESTORE = Sql::both("DELETE FROM withheld WHERE network = ? AND native_id = ?");
    ACCOUNT = Sql::both("SELECT id FROM account WHERE id = ?");
    MARK = Sql::both("UPDATE post SET withheld = ? WHERE num = ?");
}

/// Refuses what no column can hold.
pub(super) fn check(outcome: &Outcome) -> Result<(), StoreError> {
    for Friends { network, ids, .. } in &outcome.friends {
        ids.iter().try_for_each(|id| fits(&[network], &[id]))?;
    }
    outcome.changes.iter().try_for_each(|change| match change {
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

/// Applies changes to what is stored, and remembers them for what is not yet.
pub(super) async fn apply(
    tx: &mut Tx,
    changes: &[Change],
    at: Millis,
    commit: i64,
) -> Result<(), StoreError> {
    let mut deletes = BTreeSet::new();
    for change in changes {
        match change {
            Change::Delete { network, id } => {
                deletes.insert((network.clone(), id.clone()));
            }
            Change::ScrubGeo { network, author, up_to } => {
                scrub_geo(tx, network, author, up_to, at, commit).await?;
            }
            Change::StatusWithheld { network, id, countries } => {
                withhold(tx, (network.clone(), id.clone()), countries, at, commit).await?;
            }
            Change::UserWithheld { network, author, countries } => {
                tx.run(AUTHOR, args![network.as_str(), author.as_str(), at]).await?;
                tx.run(SET_WITHHELD, args![some(countries)?, network.as_str(), author.as_str()]).await?;
                if !countries.is_empty() {
                    withdrawn::note_author(tx, commit, network, author).await?;
                }
            }
            Change::AccountStatus { network, author, active, status } => {
                tx.run(AUTHOR, args![network.as_str(), author.as_str(), at]).await?;
                let values = args![!*active, status.as_str(), network.as_str(), author.as_str()];
                tx.run(SET_STATUS, values).await?;
                if !*active {
                    lookup::forget_profile(tx, network, author).await?;
                    withdrawn::note_author(tx, commit, network, author).await?;
                }
            }
            Change::Identity { network, account } => {
                let (id, handle) = (account.id.as_str(), account.handle.as_str());
                let mut changed = lookup::renamed(tx, network, account).await?;
                // Without one, it only says that something is new: the handle that is known may be right.
                if !handle.is_empty() {
                    tx.run(AUTHOR, args![network.as_str(), id, at]).await?;
                    tx.run(SET_HANDLE, args![handle, network.as_str(), id]).await?;
                    changed |= tx.run(RENAMED, args![handle, network.as_str(), id, handle]).await? > 0;
                }
                if changed {
                    tx.run(COUNT, args![1, "revision"]).await?;
                }
            }
            // Whose friends they are stands in the entry: see `friends`.
            _ => {}
        }
    }
    if deletes.is_empty() { Ok(()) } else { delete(tx, deletes, at, commit).await }
}

/// Keeps whom accounts follow, of those that are still there.
pub(super) async fn friends(tx: &mut Tx, lists: &[Friends]) -> Result<(), StoreError> {
    for Friends { account, network, ids } in lists {
        if tx.row(ACCOUNT, args![*account]).await?.is_some() {
            accounts::friends(tx, *account, network, ids).await?;
        }
    }
    Ok(())
}

async fn delete(tx: &mut Tx, mut deletes: BTreeSet<Key>, at: Millis, commit: i64) -> Result<(), StoreError> {
    let unnamed: Vec<_> =
        deletes.iter().filter(|(network, _)| network.is_empty()).map(|(_, id)| id.clone()).collect();
    if !unnamed.is_empty() {
        let ids = list(&unnamed)?;
        for row in tx.rows(UNNAMED, args![ids.clone(), ids]).await? {
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
    tx.run(DELETE_DEAD, args![keys.clone()]).await?;

    let mut gone = BTreeSet::new();
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
        } else {
            gone.insert(num);
        }
    }
    tx.run(UNCARRY, args![keys]).await?;
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

async fn scrub_geo(
    tx: &mut Tx,
    network: &str,
    author: &str,
    last: &str,
    at: Millis,
    commit: i64,
) -> Result<(), StoreError> {
    let before = tx.row(SCRUBBED, args![network, author]).await?;
    let before = before.map_or(Ok(None), |row| row.maybe_text(0))?;
    let last = before.filter(|before| up_to(last, before)).unwrap_or_else(|| last.to_owned());
    tx.run(AUTHOR, args![network, author, at]).await?;
    tx.run(SET_SCRUB, args![last.as_str(), network, author]).await?;
    let mut done = BTreeSet::new();
    for row in tx.rows(PLACES, args![network, author]).await? {
        let (num, placed) = (row.int(0)?, row.text(4)?);
        if !up_to(&placed, &last) {
            continue;
        }
        if done.insert(num) {
            let mut post = read(&row.bytes(3)?)?;
            let key = (row.text(1)?, row.text(2)?);
            scrub(&mut post, &key, &|n, a, id| n == network && a == author && up_to(id, &last));
            rewrite(tx, num, &post, commit).await?;
        }
        tx.run(UNPLACE, args![num, placed]).await?;
    }
    Ok(())
}

async fn withhold(
    tx: &mut Tx,
    key: Key,
    countries: &[String],
    at: Millis,
    commit: i64,
) -> Result<(), StoreError> {
    let countries = some(countries)?;
    match &countries {
        Arg::Null => tx.run(RESTORE, args![key.0.as_str(), key.1.as_str()]).await?,
        some => tx.run(WITHHOLD, args![key.0.as_str(), key.1.as_str(), some.clone(), at]).await?,
    };
    let keys = list(&[key])?;
    let mut posts = BTreeSet::new();
    for sql in [POSTS, CARRIERS] {
        for row in tx.rows(sql, args![keys.clone()]).await? {
            posts.insert(row.int(0)?);
        }
    }
    if !matches!(countries, Arg::Null) {
        let posts: Vec<_> = posts.iter().copied().collect();
        withdrawn::note(tx, commit, &posts, Fate::Removed).await?;
    }
    for post in posts {
        tx.run(MARK, args![countries.clone(), post]).await?;
    }
    Ok(())
}

/// Countries as they are stored: none is null.
fn some(countries: &[String]) -> Result<Arg, StoreError> {
    if countries.is_empty() { Ok(Arg::Null) } else { list(countries) }
}

fn read(stored: &[u8]) -> Result<Post, StoreError> {
    shrunk::from_slice(stored).map_err(|error| StoreError::Unfit(format!("a stored post: {error}")))
}

async fn rewrite(tx: &mut Tx, num: i64, post: &Post, commit: i64) -> Result<(), StoreError> {
    withdrawn::note(tx, commit, &[num], Fate::Changed).await?;
    tx.run(REWRITE, args![body(post)?, num]).await?;
    Ok(())
}
