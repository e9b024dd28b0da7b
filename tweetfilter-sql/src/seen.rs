//! Whatever an account saw: what was delivered to it, and what everybody sees, matched by a filter or not.
//!
//! Posts are looked at in order of their numbers, a stretch of numbers at a time, so that a look costs the same
//! whether it finds something or not.

use std::collections::HashMap;

use tweetfilter_core::post::Millis;
use tweetfilter_stream::shrunk;
use tweetfilter_stream::store::{StoreError, Verdict};

use crate::database::Database;
use crate::lists::numbers;
use crate::pack::{self, Item};
use crate::sql::{Row, Sql, Tx, args, list, statements};
use crate::timeline::{Cursor, TimelinePost};

statements! {
    SEEN = Sql::each(
        "SELECT p.num, p.since, p.network, p.native_id, p.version, p.received_at, p.source, p.is_public, p.body
         FROM shown p WHERE p.num >= ? AND p.num < ?
             AND (p.is_public = 1 OR EXISTS (SELECT 1 FROM json_each(p.audience) j WHERE j.value = ?))
         ORDER BY p.num DESC",
        "SELECT p.num, p.since, p.network, p.native_id, p.version, p.received_at, p.source, p.is_public, p.body
         FROM shown p WHERE p.num >= ? AND p.num < ?
             AND (p.is_public = 1 OR JSON_CONTAINS(p.audience, CAST(? AS CHAR)))
         ORDER BY p.num DESC",
    );
    RECEIVED = Sql::both("SELECT received_at FROM post WHERE num >= ? ORDER BY num LIMIT 1");
    ENDS = Sql::both("SELECT COALESCE(MIN(num), 0), COALESCE(MAX(num), 0) FROM post");
    // In all packs of an account, where a post was matched.
    WHERE_MATCHED = Sql::each(
        "SELECT DISTINCT m.commit_no, m.post FROM json_each(?) j CROSS JOIN matches m
         WHERE m.post = j.value AND m.account = ?",
        concat!(
            "SELECT DISTINCT m.commit_no, m.post FROM ", numbers!(),
            " STRAIGHT_JOIN matches m ON m.post = j.n WHERE m.account = ?"
        ),
    );
    PACKS = Sql::each(
        "SELECT d.commit_no, d.revision, d.items FROM json_each(?) j CROSS JOIN delivery_pack d
         WHERE d.commit_no = j.value AND d.account = ?",
        concat!(
            "SELECT d.commit_no, d.revision, d.items FROM ", numbers!(),
            " STRAIGHT_JOIN delivery_pack d ON d.commit_no = j.n WHERE d.account = ?"
        ),
    );
}

impl Database {
    /// The numbers of the first and the last post that are kept; 0 and 0 if there are none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn post_numbers(&self) -> Result<(i64, i64), StoreError> {
        let rows = self.rows(ENDS, args![]).await?;
        rows.first().map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?)))
    }

    /// When the first post from a number on was received.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn received_at(&self, number: i64) -> Result<Option<Millis>, StoreError> {
        self.rows(RECEIVED, args![number]).await?.first().map(|row| row.int(0)).transpose()
    }

    /// What an account saw of the posts with these numbers, newest first, without what its filters said: see
    /// [`Database::with_verdicts`].
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn seen(
        &self,
        account: i64,
        numbers: std::ops::Range<i64>,
    ) -> Result<Vec<TimelinePost>, StoreError> {
        let rows = self.rows(SEEN, args![numbers.start, numbers.end, account]).await?;
        rows.iter().map(|row| seen(row, account)).collect()
    }

    /// One post, if the account saw it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn seen_post(&self, account: i64, number: i64) -> Result<Option<TimelinePost>, StoreError> {
        let mut posts = self.seen(account, number..number.saturating_add(1)).await?;
        self.with_verdicts(account, &mut posts).await?;
        Ok(posts.pop())
    }

    /// Adds to posts that an account saw what its filters said of them.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn with_verdicts(&self, account: i64, posts: &mut [TimelinePost]) -> Result<(), StoreError> {
        if posts.is_empty() {
            return Ok(());
        }
        let mut tx = self.read().await?;
        let said = said(&mut tx, account, posts).await?;
        tx.commit().await?;
        for post in posts {
            let Some((commit, revision, bits, filters)) = said.get(&post.cursor.post) else { continue };
            // A delivery of a version that is gone says nothing about this one.
            if *commit >= post.cursor.commit {
                (post.verdict, post.revision) = (pack::verdict(*bits), revision.cast_unsigned());
                post.filters.clone_from(filters);
            }
        }
        Ok(())
    }
}

/// By post: the last commit in which filters matched it, their revision, the verdict, and which.
type Said = HashMap<i64, (i64, i64, u8, Vec<i64>)>;

async fn said(tx: &mut Tx, account: i64, posts: &[TimelinePost]) -> Result<Said, StoreError> {
    let numbers: Vec<_> = posts.iter().map(|post| post.cursor.post).collect();
    let mut matched: HashMap<i64, Vec<i64>> = HashMap::new();
    for row in tx.rows(WHERE_MATCHED, args![list(&numbers)?, account]).await? {
        matched.entry(row.int(0)?).or_default().push(row.int(1)?);
    }
    let mut said = Said::new();
    if matched.is_empty() {
        return Ok(said);
    }
    let commits: Vec<_> = matched.keys().copied().collect();
    for row in tx.rows(PACKS, args![list(&commits)?, account]).await? {
        let (commit, revision) = (row.int(0)?, row.int(1)?);
        let wanted = matched.get(&commit).map_or(&[][..], Vec::as_slice);
        for (post, bits, filters) in row.json::<Vec<Item>>(2)? {
            let newer = said.get(&post).is_none_or(|known| known.0 < commit);
            if newer && wanted.contains(&post) {
                said.insert(post, (commit, revision, bits, filters));
            }
        }
    }
    Ok(said)
}

fn seen(row: &Row, account: i64) -> Result<TimelinePost, StoreError> {
    let post = shrunk::from_slice(&row.bytes(8)?);
    Ok(TimelinePost {
        cursor: Cursor { commit: row.int(1)?, post: row.int(0)? },
        account,
        network: row.text(2)?,
        native_id: row.text(3)?,
        version: row.int(4)?,
        received_at: row.int(5)?,
        source: row.text(6)?,
        public: row.int(7)? != 0,
        verdict: Verdict::default(),
        filters: Vec::new(),
        revision: 0,
        post: post.map_err(|error| StoreError::Unfit(format!("a stored post: {error}")))?,
    })
}
