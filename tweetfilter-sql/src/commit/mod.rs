//! Stores what became of a batch.
//!
//! A transaction begins by locking the row of the last commit's number, so that commits stand one behind the other:
//! their numbers appear in order, and a delete and the post that it is about always see each other, whichever comes
//! first. What takes time without the database is done before.

mod batch;
mod changes;
mod posts;
mod prepare;

pub(crate) use posts::forget;

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use tweetfilter_stream::buffer::EntryId;
use tweetfilter_stream::entry::{Content, Entry};
use tweetfilter_stream::fail::fail_point;
use tweetfilter_stream::store::{Committed, DeadLetter, Outcome, StoreError};

use crate::buffer;
use crate::database::{Database, Engine};
use crate::digest::digest;
use crate::lists::text;
use crate::sql::{Sql, Tx, args, list, statements};
use batch::Batch;
use prepare::Prepared;

/// Rows and bytes that a transaction of MariaDB may have.
const ROWS: usize = 5_000;
const BYTES: usize = 4 << 20;

statements! {
    LOCK = Sql::each(
        "SELECT name, value FROM state WHERE name IN ('commit', 'post') ORDER BY name",
        "SELECT name, value FROM state WHERE name IN ('commit', 'post') ORDER BY name FOR UPDATE",
    );
    RAISE = Sql::both("UPDATE state SET value = ? WHERE name = ?");
    LOG = Sql::both("INSERT INTO commit_log (no, at) VALUES (?, ?)");
    DEAD = Sql::each(
        "INSERT INTO dead_letter (digest, source, network, native_id, reason, at, entry) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (digest) DO NOTHING",
        "INSERT INTO dead_letter (digest, source, network, native_id, reason, at, entry) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE id = id",
    );
    DEAD_KNOWN = Sql::both("SELECT id FROM dead_letter WHERE digest = ?");
    DEAD_AGAIN = Sql::both("DELETE FROM dead_letter WHERE digest = ? AND LENGTH(entry) > 0");
    COUNT = Sql::each(
        "INSERT INTO outcome_count (source, stored, suppressed, repeated, stale, dead, strangers, unmatched)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
         FROM json_each(?) WHERE true ON CONFLICT (source) DO UPDATE SET
             stored = stored + excluded.stored, suppressed = suppressed + excluded.suppressed,
             repeated = repeated + excluded.repeated, stale = stale + excluded.stale,
             dead = dead + excluded.dead, strangers = strangers + excluded.strangers,
             unmatched = unmatched + excluded.unmatched",
        concat!(
            "INSERT INTO outcome_count (source, stored, suppressed, repeated, stale, dead, strangers, unmatched)
             SELECT c.* FROM JSON_TABLE(?, '$[*]' COLUMNS (",
            text!("source", "VARCHAR(190)", "$[0]"),
            ", stored BIGINT PATH '$[1]', suppressed BIGINT PATH '$[2]', repeated BIGINT PATH '$[3]',
               stale BIGINT PATH '$[4]', dead BIGINT PATH '$[5]', strangers BIGINT PATH '$[6]',
               unmatched BIGINT PATH '$[7]')) c
             ON DUPLICATE KEY UPDATE
             stored = outcome_count.stored + VALUES(stored),
             suppressed = outcome_count.suppressed + VALUES(suppressed),
             repeated = outcome_count.repeated + VALUES(repeated), stale = outcome_count.stale + VALUES(stale),
             dead = outcome_count.dead + VALUES(dead), strangers = outcome_count.strangers + VALUES(strangers),
             unmatched = outcome_count.unmatched + VALUES(unmatched)"
        ),
    );
}

/// All statements of commits.
pub(crate) fn all() -> impl Iterator<Item = &'static Sql> {
    let many = posts::MANY.iter().flat_map(|many| &many.0);
    STATEMENTS.iter().chain(batch::STATEMENTS).chain(posts::STATEMENTS).chain(many).chain(changes::STATEMENTS)
}

/// What became of the posts of a source.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Count {
    stored: i64,
    suppressed: i64,
    repeated: i64,
    stale: i64,
    dead: i64,
    strangers: i64,
    unmatched: i64,
}

impl Count {
    fn add(&mut self, other: &Self) {
        self.stored += other.stored;
        self.suppressed += other.suppressed;
        self.repeated += other.repeated;
        self.stale += other.stale;
        self.dead += other.dead;
        self.strangers += other.strangers;
        self.unmatched += other.unmatched;
    }
}

type CountBySource = BTreeMap<String, Count>;

impl Database {
    pub(crate) async fn store(&self, outcome: &Outcome, leases: &[EntryId]) -> Result<Committed, StoreError> {
        let prepared = outcome.posts.iter().map(Prepared::new).collect::<Result<Vec<_>, _>>()?;
        changes::check(outcome)?;
        let parts = match self.engine {
            Engine::Sqlite(_) => vec![&prepared[..]],
            Engine::Maria(_) => parts(&prepared),
        };
        // Those of the buffer in the same file are acknowledged with the commit.
        let own = matches!(self.engine, Engine::Sqlite(_)) && buffer::are_own(leases);
        let (own, mut batch) = if own { (leases, None) } else { (&[][..], Batch::new(leases)) };
        let (mut all, last) = (Committed::default(), parts.len() - 1);
        for (index, part) in parts.into_iter().enumerate() {
            // The first part has the changes, which hold for the posts of all of them.
            let done = self.part(outcome, (index == 0, index == last), part, own, batch.as_mut()).await?;
            all = Committed {
                number: done.number,
                acked: done.acked,
                new: all.new + done.new,
                suppressed: all.suppressed + done.suppressed,
                deliveries: all.deliveries + done.deliveries,
                matches: all.matches + done.matches,
            };
        }
        Ok(all)
    }

    async fn part(
        &self,
        outcome: &Outcome,
        (first, last_part): (bool, bool),
        posts: &[Prepared<'_>],
        own: &[EntryId],
        mut batch: Option<&mut Batch<'_>>,
    ) -> Result<Committed, StoreError> {
        let mut turn = self.write().await?;
        let tx = &mut turn.tx;
        let mut last = BTreeMap::new();
        for row in tx.rows(LOCK, args![]).await? {
            last.insert(row.text(0)?, row.int(1)?);
        }
        let counter = |name: &str| last.get(name).copied().unwrap_or_default();
        let number = counter("commit") + 1;
        let mut counts = CountBySource::new();
        if first {
            batch::cross_out(tx, &outcome.acknowledged).await?;
            if let Some(batch) = batch.as_ref().filter(|_| outcome.again) {
                batch.begin(tx).await?;
            }
            dead_letters(tx, &outcome.dead, &mut counts).await?;
            changes::apply(tx, &outcome.changes, outcome.at, number).await?;
            changes::friends(tx, &outcome.friends).await?;
            for (source, copies) in &outcome.copies {
                counts.entry(source.clone()).or_default().repeated += copies.cast_signed();
            }
            for (source, posts) in &outcome.unmatched {
                counts.entry(source.clone()).or_default().unmatched += posts.cast_signed();
            }
        }
        let mut committed = Committed { number, ..Committed::default() };
        let mut post = counter("post");
        posts::store(tx, posts, outcome.revision, &mut post, &mut committed, &mut counts).await?;
        if !counts.is_empty() {
            let rows: Vec<_> = counts
                .iter()
                .map(|(s, c)| {
                    (s, c.stored, c.suppressed, c.repeated, c.stale, c.dead, c.strangers, c.unmatched)
                })
                .collect();
            tx.run(COUNT, args![list(&rows)?]).await?;
        }
        if let Some(batch) = &mut batch {
            batch.note(tx, &counts, (first, last_part), outcome.at).await?;
        }
        tx.run(LOG, args![number, outcome.at]).await?;
        tx.run(RAISE, args![post, "post"]).await?;
        tx.run(RAISE, args![number, "commit"]).await?;
        if !own.is_empty() {
            buffer::ack(tx, own).await?;
            committed.acked = true;
        }
        fail_point("commit.open");
        turn.commit().await?;
        Ok(committed)
    }
}

/// Cuts posts into parts that a transaction may have; at least one part.
fn parts<'a, 'o>(posts: &'a [Prepared<'o>]) -> Vec<&'a [Prepared<'o>]> {
    let (mut parts, mut from) = (Vec::new(), 0);
    let (mut rows, mut bytes, mut accounts) = (0, 0, HashSet::new());
    for (index, post) in posts.iter().enumerate() {
        let deliveries = &post.evaluated.deliveries;
        let matches: usize = deliveries.iter().map(|delivery| delivery.filters.len()).sum();
        rows += 1 + matches + post.carried.len() + post.placed.len();
        bytes += post.body.len() + 8 * deliveries.len();
        accounts.extend(deliveries.iter().map(|delivery| delivery.account));
        if index > from && (rows + accounts.len() > ROWS || bytes > BYTES) {
            parts.push(&posts[from..index]);
            from = index;
            (rows, bytes) = (1 + matches, post.body.len());
            accounts = deliveries.iter().map(|delivery| delivery.account).collect();
        }
    }
    parts.push(&posts[from..]);
    parts
}

async fn dead_letters(
    tx: &mut Tx,
    dead: &[DeadLetter],
    counts: &mut CountBySource,
) -> Result<(), StoreError> {
    for letter in dead {
        // So that a delete of the post finds it.
        let (mut network, mut id) = (String::new(), String::new());
        if let Ok(Entry { content: Content::Post(post) | Content::Edit(post), .. }) =
            Entry::from_slice(&letter.entry)
            && prepare::fits(&[&post.network], &[&post.id]).is_ok()
        {
            (network, id) = (post.network, post.id);
        }
        let source: String = letter.source.chars().take(prepare::NAME).collect();
        let reason: String = letter.reason.chars().take(4_000).collect();
        let name = digest([&letter.entry[..]]);
        // One that is known gets a new number: who takes the old one off, to try it again, does not take this one too.
        // One that was deleted meanwhile stays empty.
        let is_known = tx.row(DEAD_KNOWN, args![name.as_str()]).await?.is_some();
        if is_known {
            tx.run(DEAD_AGAIN, args![name.as_str()]).await?;
        }
        let values = args![name, source.as_str(), network, id, reason, letter.at, letter.entry.clone()];
        tx.run(DEAD, values).await?;
        if !is_known && letter.is_post() {
            counts.entry(source).or_default().dead += 1;
        }
    }
    Ok(())
}
