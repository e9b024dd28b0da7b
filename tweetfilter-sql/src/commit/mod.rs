//! Stores what became of a batch.
//!
//! A transaction begins by locking the row of the last commit's number, so that commits stand one behind the other:
//! their numbers appear in order, and a delete and the post that it is about always see each other, whichever comes
//! first. What takes time without the database is done before.

mod anew;
mod batch;
mod changes;
mod letters;
mod posts;
mod prepare;
mod said;
mod scrub;
mod states;
mod versions;
mod withheld;

pub(crate) use posts::forget;

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use tweetfilter_core::post::Millis;
use tweetfilter_stream::buffer::EntryId;
use tweetfilter_stream::fail::fail_point;
use tweetfilter_stream::store::{Committed, Outcome, StoreError};

use crate::buffer;
use crate::database::{Database, Engine};
use crate::lists::text;
use crate::pulse::rewrote;
use crate::sql::{Sql, args, list, statements};
use anew::Anew;
use batch::Batch;
use prepare::Prepared;

/// Rows and bytes that a transaction of MariaDB may have.
const ROWS: usize = 5_000;
const BYTES: usize = 4 << 20;

/// What is noted as received so much later than now, in milliseconds, was noted by a clock that was wrong.
const AHEAD: Millis = 60_000;

statements! {
    LOCK = Sql::each(
        "SELECT name, value FROM state WHERE name IN ('commit', 'post') ORDER BY name",
        "SELECT name, value FROM state WHERE name IN ('commit', 'post') ORDER BY name FOR UPDATE",
    );
    // By someone who put an older copy of it in place of the counters.
    SET_BACK = Sql::both(
        "SELECT s.value FROM state s WHERE s.name = 'commit'
             AND (s.value < (SELECT COALESCE(MAX(no), 0) FROM commit_log)
                  OR s.value < (SELECT COALESCE(MAX(commit_no), 0) FROM delivery_pack))",
    );
    RAISE = Sql::both("UPDATE state SET value = ? WHERE name = ?");
    LOG = Sql::both("INSERT INTO commit_log (no, at) VALUES (?, ?)");
    COUNT = Sql::each(
        "INSERT INTO outcome_count (source, stored, suppressed, repeated, stale, dead, strangers, unmatched, last_at)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
             value ->> 8
         FROM json_each(?) WHERE true ON CONFLICT (source) DO UPDATE SET
             stored = stored + excluded.stored, suppressed = suppressed + excluded.suppressed,
             repeated = repeated + excluded.repeated, stale = stale + excluded.stale,
             dead = dead + excluded.dead, strangers = strangers + excluded.strangers,
             unmatched = unmatched + excluded.unmatched,
             last_at = CASE WHEN last_at > ? THEN excluded.last_at ELSE MAX(last_at, excluded.last_at) END",
        concat!(
            "INSERT INTO outcome_count (source, stored, suppressed, repeated, stale, dead, strangers, unmatched, last_at)
             SELECT c.* FROM JSON_TABLE(?, '$[*]' COLUMNS (",
            text!("source", "VARCHAR(190)", "$[0]"),
            ", stored BIGINT PATH '$[1]', suppressed BIGINT PATH '$[2]', repeated BIGINT PATH '$[3]',
               stale BIGINT PATH '$[4]', dead BIGINT PATH '$[5]', strangers BIGINT PATH '$[6]',
               unmatched BIGINT PATH '$[7]', last_at BIGINT PATH '$[8]')) c
             ON DUPLICATE KEY UPDATE
             stored = outcome_count.stored + VALUES(stored),
             suppressed = outcome_count.suppressed + VALUES(suppressed),
             repeated = outcome_count.repeated + VALUES(repeated), stale = outcome_count.stale + VALUES(stale),
             dead = outcome_count.dead + VALUES(dead), strangers = outcome_count.strangers + VALUES(strangers),
             unmatched = outcome_count.unmatched + VALUES(unmatched),
             last_at = IF(outcome_count.last_at > ?, VALUES(last_at),
                 GREATEST(outcome_count.last_at, VALUES(last_at)))"
        ),
    );
}

/// All statements of commits.
pub(crate) fn all() -> impl Iterator<Item = &'static Sql> {
    let many = posts::MANY.iter().flat_map(|many| &many.0);
    let others = [
        anew::STATEMENTS,
        batch::STATEMENTS,
        posts::STATEMENTS,
        said::STATEMENTS,
        changes::STATEMENTS,
        withheld::STATEMENTS,
        scrub::STATEMENTS,
        states::STATEMENTS,
        letters::STATEMENTS,
        versions::STATEMENTS,
    ];
    STATEMENTS.iter().chain(many).chain(others.into_iter().flatten())
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
        let mut anew = Anew::new(self, &outcome.changes).await?;
        let (mut all, last) = (Committed::default(), parts.len() - 1);
        for (index, part) in parts.into_iter().enumerate() {
            // The first part has the changes, which hold for the posts of all of them.
            let done = match self
                .part(outcome, (index == 0, index == last), part, own, batch.as_mut(), anew.as_mut())
                .await
            {
                Err(StoreError::Refused(_)) if self.is_set_back().await? => return Err(set_back()),
                done => done?,
            };
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

    /// Whether the number of the next commit was given before: that is nothing about the posts.
    async fn is_set_back(&self) -> Result<bool, StoreError> {
        Ok(!self.rows(SET_BACK, args![]).await?.is_empty())
    }

    async fn part(
        &self,
        outcome: &Outcome,
        (first, last_part): (bool, bool),
        posts: &[Prepared<'_>],
        own: &[EntryId],
        mut batch: Option<&mut Batch<'_>>,
        anew: Option<&mut Anew>,
    ) -> Result<Committed, StoreError> {
        let mut turn = self.write().await?;
        let tx = &mut turn.tx;
        let mut last = BTreeMap::new();
        for row in tx.rows(LOCK, args![]).await? {
            last.insert(row.text(0)?, row.int(1)?);
        }
        // Nobody else commits meanwhile. Before, somebody may have, if these are no longer leased: a commit in the file of the
        // buffer finds that out by itself, and of others the notes may be gone.
        if batch.is_some() && outcome.until.is_some_and(|until| self.now() >= until) {
            return Err(late());
        }
        let counter = |name: &str| last.get(name).copied().unwrap_or_default();
        let number = counter("commit") + 1;
        let mut counts = CountBySource::new();
        let mut restored = false;
        if first {
            batch::cross_out(tx, &outcome.acknowledged).await?;
            if let Some(batch) = batch.as_ref().filter(|_| outcome.again) {
                batch.begin(tx).await?;
            }
            letters::keep(tx, &outcome.dead, &mut counts).await?;
            restored = changes::apply(tx, &outcome.changes, outcome.at, number, anew).await?;
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
                    let at = received(outcome, s);
                    (s, c.stored, c.suppressed, c.repeated, c.stale, c.dead, c.strangers, c.unmatched, at)
                })
                .collect();
            tx.run(COUNT, args![list(&rows)?, outcome.at.saturating_add(AHEAD)]).await?;
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
        if restored {
            rewrote(tx).await?;
        }
        fail_point("commit.open");
        turn.commit().await?;
        Ok(committed)
    }
}

/// When the newest of a source's entries was received; 0 if nobody knows. That was no later than they were evaluated,
/// whatever the clock said by which it was noted.
fn received(outcome: &Outcome, source: &str) -> Millis {
    if outcome.received.is_empty() {
        return outcome.at;
    }
    outcome.received.get(source).map_or(0, |at| outcome.at.min(*at))
}

fn late() -> StoreError {
    StoreError::Retry(
        "the leases of its entries ran out first, and another worker may have done them".to_owned(),
    )
}

fn set_back() -> StoreError {
    StoreError::Unfit(
        "the store counts fewer commits than it holds, as if a part of it were from an older backup. Restore all of its \
         tables from one backup"
            .to_owned(),
    )
}

/// Cuts posts into parts that a transaction may have; at least one part.
fn parts<'a, 'o>(posts: &'a [Prepared<'o>]) -> Vec<&'a [Prepared<'o>]> {
    let (mut parts, mut from) = (Vec::new(), 0);
    let (mut rows, mut bytes, mut accounts) = (0, 0, HashSet::new());
    for (index, post) in posts.iter().enumerate() {
        let deliveries = &post.evaluated.deliveries;
        let matches: usize = deliveries.iter().map(|delivery| delivery.filters.len()).sum();
        let own =
            (1 + matches + post.carried.len() + post.placed.len(), post.body.len() + 8 * deliveries.len());
        (rows, bytes) = (rows + own.0, bytes + own.1);
        accounts.extend(deliveries.iter().map(|delivery| delivery.account));
        if index > from && (rows + accounts.len() > ROWS || bytes > BYTES) {
            parts.push(&posts[from..index]);
            from = index;
            (rows, bytes) = own;
            accounts = deliveries.iter().map(|delivery| delivery.account).collect();
        }
    }
    parts.push(&posts[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use tweetfilter_core::Post;
    use tweetfilter_stream::store::Evaluated;

    #[test]
    fn each_part_holds_as_much_as_a_transaction_may() {
        let evaluated = Evaluated {
            post: Post::default(),
            version: 0,
            source: String::new(),
            at: 0,
            place: None,
            public: false,
            deliveries: Vec::new(),
            strangers: 0,
            stored: None,
        };
        let post = |rows: usize, bytes: usize| Prepared {
            evaluated: &evaluated,
            key: Default::default(),
            body: "x".repeat(bytes),
            carried: vec![Default::default(); rows],
            placed: Vec::new(),
        };
        let lengths = |posts: &[Prepared<'_>]| parts(posts).iter().map(|part| part.len()).collect::<Vec<_>>();
        assert_eq!(lengths(&[]), [0]);
        assert_eq!(lengths(&[(); 6].map(|()| post(2_000, 0))), [2, 2, 2]);
        assert_eq!(lengths(&[(); 4].map(|()| post(0, 3 << 20))), [1, 1, 1, 1]);
        assert_eq!(lengths(&[post(9_000, 0), post(0, 0), post(0, 5 << 20)]), [1, 1, 1]);
    }
}
