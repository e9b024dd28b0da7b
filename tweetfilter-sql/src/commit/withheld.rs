//! Posts that are withheld, and those that carry one.
//!
//! The mark of a post says all countries in which it, or something that it carries, is withheld. It is always made anew
//! from what is known of all of these, so it makes no difference what was said or arrived first.

use std::collections::{BTreeMap, BTreeSet};

use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::StoreError;

use super::changes::POSTS;
use super::prepare::Key;
use crate::lists::{keys, numbers};
use crate::sql::{Arg, Sql, Tx, args, list, statements};
use crate::withdrawn::{self, Fate};

statements! {
    WITHHOLD = Sql::each(
        "INSERT INTO withheld (network, native_id, countries, at, said_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET countries = excluded.countries, at = excluded.at, said_at = excluded.said_at",
        "INSERT INTO withheld (network, native_id, countries, at, said_at) VALUES (?, ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE countries = VALUES(countries), at = VALUES(at), said_at = VALUES(said_at)",
    );
    SAID = Sql::both("SELECT countries, said_at FROM withheld WHERE network = ? AND native_id = ?");
    CARRYING = Sql::each(
        "SELECT c.post FROM json_each(?) k
         CROSS JOIN carried c ON c.network = k.value ->> 0 AND c.native_id = k.value ->> 1",
        concat!(
            "SELECT c.post FROM ",
            keys!(),
            " STRAIGHT_JOIN carried c ON c.network = k.network AND c.native_id = k.native_id"
        ),
    );
    OWN = Sql::each(
        "SELECT p.num, w.countries FROM json_each(?) j CROSS JOIN post p ON p.num = j.value
         CROSS JOIN withheld w ON w.network = p.network AND w.native_id = p.native_id",
        concat!(
            "SELECT p.num, w.countries FROM ",
            numbers!(),
            " STRAIGHT_JOIN post p ON p.num = j.n
              STRAIGHT_JOIN withheld w ON w.network = p.network AND w.native_id = p.native_id"
        ),
    );
    CARRIED = Sql::each(
        "SELECT c.post, w.countries FROM json_each(?) j CROSS JOIN carried c ON c.post = j.value
         CROSS JOIN withheld w ON w.network = c.network AND w.native_id = c.native_id",
        concat!(
            "SELECT c.post, w.countries FROM ",
            numbers!(),
            " STRAIGHT_JOIN carried c ON c.post = j.n
              STRAIGHT_JOIN withheld w ON w.network = c.network AND w.native_id = c.native_id"
        ),
    );
    MARK = Sql::each(
        "UPDATE post SET withheld = ?2 WHERE num IN (SELECT value FROM json_each(?1))",
        concat!("UPDATE ", numbers!(), " STRAIGHT_JOIN post p ON p.num = j.n SET p.withheld = ?"),
    );
}

/// Withholds a post in some countries, or no longer in any, with whatever carries it, unless something was said of it
/// later; tells whether it may be shown again. That it is withheld no longer is kept, too: what was said before may come.
pub(super) async fn withhold(
    tx: &mut Tx,
    key: Key,
    countries: &[String],
    (said, at): (Millis, Millis),
    commit: i64,
) -> Result<bool, StoreError> {
    let mut restored = false;
    if let Some(known) = tx.row(SAID, args![key.0.as_str(), key.1.as_str()]).await? {
        if known.int(1)? > said {
            return Ok(false);
        }
        restored = countries.is_empty() && together([known.text(0)?.as_str()].into_iter())?.is_some();
    }
    tx.run(WITHHOLD, args![key.0.as_str(), key.1.as_str(), list(countries)?, at, said]).await?;
    let keys = list(&[key])?;
    let mut posts = BTreeSet::new();
    for sql in [POSTS, CARRYING] {
        for row in tx.rows(sql, args![keys.clone()]).await? {
            posts.insert(row.int(0)?);
        }
    }
    let posts: Vec<_> = posts.into_iter().collect();
    if !countries.is_empty() {
        withdrawn::note(tx, commit, &posts, Fate::Removed).await?;
    }
    mark(tx, &posts).await?;
    Ok(restored)
}

/// Marks posts by what is known of them and of what they carry.
pub(super) async fn mark(tx: &mut Tx, posts: &[i64]) -> Result<(), StoreError> {
    if posts.is_empty() {
        return Ok(());
    }
    let mut said: BTreeMap<i64, Vec<String>> = posts.iter().map(|&post| (post, Vec::new())).collect();
    let numbers = list(posts)?;
    for sql in [OWN, CARRIED] {
        for row in tx.rows(sql, args![numbers.clone()]).await? {
            said.entry(row.int(0)?).or_default().push(row.text(1)?);
        }
    }
    let mut marks: BTreeMap<Option<String>, Vec<i64>> = BTreeMap::new();
    for (post, said) in said {
        marks.entry(together(said.iter().map(String::as_str))?).or_default().push(post);
    }
    for (mark, posts) in marks {
        tx.run(MARK, args![list(&posts)?, mark.as_deref()]).await?;
    }
    Ok(())
}

/// All countries of lists as they are stored; none is null.
pub(super) fn together<'l>(lists: impl Iterator<Item = &'l str>) -> Result<Option<String>, StoreError> {
    let mut all = BTreeSet::new();
    for countries in lists {
        let countries: Vec<String> = serde_json::from_str(countries)
            .map_err(|error| StoreError::Unfit(format!("countries: {error}")))?;
        all.extend(countries);
    }
    if all.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(&all).map(Some).map_err(|error| StoreError::Refused(error.to_string()))
}

/// Countries as they are stored: none is null.
pub(super) fn some(countries: &[String]) -> Result<Arg, StoreError> {
    if countries.is_empty() { Ok(Arg::Null) } else { list(countries) }
}
