//! Dead letters, which forget what has to be forgotten like everything else.
//!
//! `dead_post` says which posts an entry holds, so that what is said of one of them later finds it; what was said
//! before is looked up when the letter is written.

use std::collections::BTreeSet;

use serde_json::Value;
use tweetfilter_stream::entry::{Content, Entry};
use tweetfilter_stream::store::{DeadLetter, StoreError};

use super::CountBySource;
use super::prepare::{self, Key};
use super::said::{Deleted, Scrubbed};
use crate::digest::digest;
use crate::lists::{keys, text};
use crate::sql::{Sql, Tx, args, list, statements};

/// What is said in place of an entry that is kept no more.
const DELETED: &str = "its post was deleted since";

statements! {
    KNOWN = Sql::both("SELECT id, LENGTH(entry) FROM dead_letter WHERE digest = ?");
    ADD = Sql::both(
        "INSERT INTO dead_letter (digest, source, network, native_id, reason, at, entry) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    REMOVE = Sql::both("DELETE FROM dead_letter WHERE id = ?");
    ENTRY = Sql::both("SELECT entry FROM dead_letter WHERE id = ?");
    CHANGE = Sql::both("UPDATE dead_letter SET entry = ? WHERE id = ?");
    EMPTY = Sql::both("UPDATE dead_letter SET entry = ?, reason = ? WHERE id = ?");
    NAME = Sql::each(
        "INSERT INTO dead_post (letter, network, native_id, author_id)
         SELECT ?, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",
        concat!(
            "INSERT INTO dead_post (letter, network, native_id, author_id)
             SELECT ?, j.* FROM JSON_TABLE(?, '$[*]' COLUMNS (",
            text!("network", "VARCHAR(190)", "$[0]"),
            ", ",
            text!("native_id", "VARCHAR(500)", "$[1]"),
            ", ",
            text!("author_id", "VARCHAR(500)", "$[2]"),
            ")) j ON DUPLICATE KEY UPDATE letter = VALUES(letter)"
        ),
    );
    FORGET = Sql::both("DELETE FROM dead_post WHERE letter = ?");
    HOLDING = Sql::each(
        "SELECT DISTINCT d.letter FROM json_each(?) k CROSS JOIN dead_post d
         ON d.network = k.value ->> 0 AND d.native_id = k.value ->> 1",
        concat!(
            "SELECT DISTINCT d.letter FROM ",
            keys!(),
            " STRAIGHT_JOIN dead_post d ON d.network = k.network AND d.native_id = k.native_id"
        ),
    );
    BY_AUTHOR = Sql::both("SELECT DISTINCT letter FROM dead_post WHERE network = ? AND author_id = ?");
}

/// A post that an entry holds, itself or within another.
struct Held {
    key: Key,
    author: String,
    /// Whether it tells where it was written.
    placed: bool,
}

impl Held {
    fn is_nameable(&self) -> bool {
        prepare::fits(&[&self.key.0], &[&self.key.1, &self.author]).is_ok()
    }
}

/// What may be kept of an entry.
#[derive(Debug, PartialEq, Eq)]
enum Kept {
    All,
    Rest(Vec<u8>),
    Nothing,
}

/// Keeps what can't be stored, without what was deleted or scrubbed before.
pub(super) async fn keep(
    tx: &mut Tx,
    letters: &[DeadLetter],
    counts: &mut CountBySource,
) -> Result<(), StoreError> {
    for letter in letters {
        let name = digest([&letter.entry[..]]);
        // Both stores are to count it alike, and to one of them spaces at the end are none.
        let source: String = letter.source.trim_end().chars().take(prepare::NAME).collect();
        let source = source.trim_end().to_owned();
        // One that is known gets a new number: who takes the old one off, to try it again, does not take this one too.
        // One that was deleted meanwhile stays empty.
        match tx.row(KNOWN, args![name.as_str()]).await? {
            Some(known) if known.int(1)? == 0 => continue,
            Some(known) => remove(tx, known.int(0)?).await?,
            // Messages and bytes that are no posts are counted elsewhere.
            None if letter.is_post() => counts.entry(source.clone()).or_default().dead += 1,
            None => {}
        }
        let held = held(&letter.entry);
        // Nothing was said of what no column holds.
        let nameable: Vec<&Held> = held.iter().filter(|post| post.is_nameable()).collect();
        let posts: Vec<&Key> = nameable.iter().map(|post| &post.key).collect();
        let deleted = Deleted::of(tx, &posts).await?;
        let authors = nameable.iter().map(|post| (post.key.0.as_str(), post.author.as_str()));
        let scrubbed = Scrubbed::of(tx, authors).await?;
        let (reason, entry) = match without(&letter.entry, &held, &deleted, &scrubbed) {
            Kept::All => (letter.reason.chars().take(4_000).collect(), letter.entry.clone()),
            Kept::Rest(rest) => (letter.reason.chars().take(4_000).collect(), rest),
            Kept::Nothing => (DELETED.to_owned(), Vec::new()),
        };
        let is_kept = !entry.is_empty();
        let own = held.first().filter(|post| post.is_nameable());
        let (network, id) = own.map(|post| post.key.clone()).unwrap_or_default();
        let values = args![name, source, network, id, reason, letter.at, entry];
        let number = tx.insert(ADD, values).await?;
        if is_kept && !nameable.is_empty() {
            let rows = nameable.iter().map(|post| (&post.key.0, &post.key.1, &post.author));
            tx.run(NAME, args![number, list(&rows.collect::<Vec<_>>())?]).await?;
        }
    }
    Ok(())
}

/// Takes posts that were deleted out of the letters that hold them.
pub(super) async fn delete(tx: &mut Tx, posts: &BTreeSet<Key>) -> Result<(), StoreError> {
    let keys: Vec<_> = posts.iter().collect();
    let letters = tx.rows(HOLDING, args![list(&keys)?]).await?;
    if letters.is_empty() {
        return Ok(());
    }
    let deleted = posts.iter().cloned().collect();
    for letter in letters {
        forget(tx, letter.int(0)?, &deleted, &Scrubbed::default()).await?;
    }
    Ok(())
}

/// Takes the places of an author's posts out of the letters that hold them.
pub(super) async fn scrub(
    tx: &mut Tx,
    network: &str,
    author: &str,
    scrubbed: &Scrubbed,
) -> Result<(), StoreError> {
    for letter in tx.rows(BY_AUTHOR, args![network, author]).await? {
        forget(tx, letter.int(0)?, &Deleted::default(), scrubbed).await?;
    }
    Ok(())
}

async fn forget(tx: &mut Tx, letter: i64, deleted: &Deleted, scrubbed: &Scrubbed) -> Result<(), StoreError> {
    let Some(row) = tx.row(ENTRY, args![letter]).await? else { return Ok(()) };
    let entry = row.bytes(0)?;
    match without(&entry, &held(&entry), deleted, scrubbed) {
        Kept::All => {}
        Kept::Rest(rest) => {
            tx.run(CHANGE, args![rest, letter]).await?;
        }
        Kept::Nothing => {
            tx.run(EMPTY, args![Vec::new(), DELETED, letter]).await?;
            tx.run(FORGET, args![letter]).await?;
        }
    }
    Ok(())
}

async fn remove(tx: &mut Tx, letter: i64) -> Result<(), StoreError> {
    tx.run(REMOVE, args![letter]).await?;
    tx.run(FORGET, args![letter]).await?;
    Ok(())
}

/// The posts of an entry, its own first, as far as they can be read: it may be one that no worker understands.
fn held(entry: &[u8]) -> Vec<Held> {
    let mut held = Vec::new();
    let Ok(entry) = serde_json::from_slice::<Value>(entry) else { return held };
    for key in ["post", "edit"] {
        if let Some(post) = entry.get(key) {
            hold(post, "", "", &mut held);
        }
    }
    held
}

fn hold(post: &Value, network: &str, id: &str, held: &mut Vec<Held>) {
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let or = |own: String, other: &str| if own.is_empty() { other.to_owned() } else { own };
    let network = or(text(post, "network"), network);
    let author = post.pointer("/author/account").map(|account| text(account, "id")).unwrap_or_default();
    let placed = post.get("place").is_some() || post.get("coordinates").is_some();
    let key = (network.clone(), if id.is_empty() { text(post, "id") } else { id.to_owned() });
    held.push(Held { key, author, placed });
    for reference in ["retweet_of", "quote_of"].iter().filter_map(|key| post.get(key)) {
        if let Some(original) = reference.get("post").filter(|original| original.is_object()) {
            hold(original, &network, &text(reference, "id"), held);
        }
    }
}

/// What may be kept of an entry that holds these posts.
fn without(entry: &[u8], held: &[Held], deleted: &Deleted, scrubbed: &Scrubbed) -> Kept {
    let is_deleted = |network: &str, id: &str| deleted.has(network, id);
    let is_scrubbed = |network: &str, author: &str, id: &str| scrubbed.has(network, author, id);
    let meant = |post: &Held| {
        let (network, id) = (&post.key.0, &post.key.1);
        is_deleted(network, id) || (post.placed && is_scrubbed(network, &post.author, id))
    };
    let Some(own) = held.first().filter(|_| held.iter().any(meant)) else { return Kept::All };
    // What can't be read can't be changed either.
    let Ok(mut entry) = Entry::from_slice(entry) else { return Kept::Nothing };
    let (Content::Post(post) | Content::Edit(post)) = &mut entry.content else { return Kept::Nothing };
    if is_deleted(&own.key.0, &own.key.1) || !prepare::strip(post, &own.key.0, &is_deleted) {
        return Kept::Nothing;
    }
    prepare::scrub(post, &own.key, &is_scrubbed);
    entry.to_vec().map_or(Kept::Nothing, Kept::Rest)
}
