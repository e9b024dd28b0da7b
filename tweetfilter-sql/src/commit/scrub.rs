//! Places that have to be forgotten.

use std::collections::BTreeMap;

use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::StoreError;

use super::anew::{self, Anew};
use super::changes::{AUTHOR, read, rewrite};
use super::letters;
use super::prepare::{scrub, up_to};
use super::said::Scrubbed;
use crate::lists::{numbers, text};
use crate::sql::{Sql, Tx, args, list, statements};

/// Posts of which something is read at once.
const AT_ONCE: usize = 256;

statements! {
    SCRUBBED = Sql::both("SELECT scrub_up_to FROM author WHERE network = ? AND author_id = ?");
    SET_SCRUB = Sql::both("UPDATE author SET scrub_up_to = ? WHERE network = ? AND author_id = ?");
    // Which of them are meant is not for the database to say: ids are compared as numbers, of any length.
    PLACES = Sql::each(
        "SELECT post, native_id FROM placed WHERE network = ? AND author_id = ? AND post >= ?
             AND (post, native_id) > (?, ?) ORDER BY post, native_id LIMIT +?",
        "SELECT post, native_id FROM placed WHERE network = ? AND author_id = ? AND post >= ?
             AND (post, native_id) > (?, ?) ORDER BY post, native_id LIMIT ?",
    );
    BODIES = Sql::each(
        "SELECT p.num, p.network, p.native_id, p.body, p.since, p.is_public, p.audience
         FROM json_each(?) j CROSS JOIN post p ON p.num = j.value WHERE p.body IS NOT NULL",
        concat!(
            "SELECT p.num, p.network, p.native_id, p.body, p.since, p.is_public, p.audience FROM ",
            numbers!(),
            " STRAIGHT_JOIN post p ON p.num = j.n WHERE p.body IS NOT NULL"
        ),
    );
    UNPLACE = Sql::each(
        "DELETE FROM placed WHERE (post, native_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
        concat!(
            "DELETE l FROM JSON_TABLE(?, '$[*]' COLUMNS (post BIGINT PATH '$[0]', ",
            text!("id", "VARCHAR(500)", "$[1]"),
            ")) j STRAIGHT_JOIN placed l ON l.post = j.post AND l.native_id = j.id"
        ),
    );
}

/// Forgets the places of an author's posts up to one, and remembers to do so with those that are still to come.
pub(super) async fn scrub_geo(
    tx: &mut Tx,
    network: &str,
    author: &str,
    last: &str,
    (at, commit): (Millis, i64),
    mut anew: Option<&mut Anew>,
) -> Result<(), StoreError> {
    let before = tx.row(SCRUBBED, args![network, author]).await?;
    let before = before.map_or(Ok(None), |row| row.maybe_text(0))?;
    let last = before.filter(|before| up_to(last, before)).unwrap_or_else(|| last.to_owned());
    tx.run(AUTHOR, args![network, author, at]).await?;
    tx.run(SET_SCRUB, args![last.as_str(), network, author]).await?;
    let scrubbed = Scrubbed::one(network, author, &last);
    letters::scrub(tx, network, author, &scrubbed).await?;
    let (mut post, mut id) = (0, String::new());
    loop {
        let limit = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
        let rows = tx.rows(PLACES, args![network, author, post, post, id.as_str(), limit]).await?;
        let mut meant: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for row in &rows {
            (post, id) = (row.int(0)?, row.text(1)?);
            if up_to(&id, &last) {
                meant.entry(post).or_default().push(id.clone());
            }
        }
        scrub_posts(tx, &meant, &scrubbed, commit, anew.as_deref_mut()).await?;
        if rows.len() < AT_ONCE {
            return Ok(());
        }
    }
}

/// Of some posts, and which places they have.
async fn scrub_posts(
    tx: &mut Tx,
    places: &BTreeMap<i64, Vec<String>>,
    scrubbed: &Scrubbed,
    commit: i64,
    anew: Option<&mut Anew>,
) -> Result<(), StoreError> {
    if places.is_empty() {
        return Ok(());
    }
    let Some(anew) = anew else { return Err(anew::late()) };
    let posts: Vec<_> = places.keys().copied().collect();
    let mut left = Vec::new();
    for row in tx.rows(BODIES, args![list(&posts)?]).await? {
        let mut post = read(&row.bytes(3)?)?;
        let key = (row.text(1)?, row.text(2)?);
        scrub(&mut post, &key, &|network, author, id| scrubbed.has(network, author, id));
        let num = row.int(0)?;
        rewrite(tx, num, &post, commit).await?;
        let (since, public, audience) = (row.int(4)?, row.int(5)? != 0, row.json(6)?);
        left.push(anew::Stripped { num, since, public, audience, post });
    }
    anew.deliver(tx, left).await?;
    let places = places.iter().flat_map(|(post, ids)| ids.iter().map(|id| (*post, id.as_str())));
    tx.run(UNPLACE, args![list(&places.collect::<Vec<_>>())?]).await?;
    Ok(())
}
