//! Whatever an account saw: what was delivered to it, and what everybody sees, matched by a filter or not.
//!
//! Posts are looked at in order of their numbers, a stretch of numbers at a time, so that a look costs the same
//! whether it finds something or not.

use std::collections::{HashMap, HashSet};

use tweetfilter_core::Post;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::{StoreError, Verdict};

use crate::database::{Database, Engine};
use crate::kept::{Kept, columns, packed};
use crate::lists::numbers;
use crate::pack::{self, Item};
use crate::sql::{Sql, args, list, statements};
use crate::timeline::TimelinePost;

statements! {
    SEEN = Sql::each(
        concat!(
            packed!(),
            // The account's digits stand in the list if it does: they are looked for first.
            "FROM shown p WHERE p.num >= ?1 AND p.num < ?2 AND (p.is_public = 1 OR instr(p.audience, ?3) > 0)
             AND (p.is_public = 1 OR EXISTS (SELECT 1 FROM json_each(p.audience) j WHERE j.value = ?3))"
        ),
        concat!(
            columns!(),
            "FROM shown p WHERE p.num >= ? AND p.num < ?
             AND (p.is_public = 1 OR JSON_CONTAINS(p.audience, CAST(? AS CHAR)))"
        ),
    );
    // Where only a filter of the account matched what everybody sees, its number stands with a minus.
    DELIVERED = Sql::each(
        "SELECT p.num, p.since FROM post p WHERE p.num >= ?1 AND p.num < ?2 AND instr(p.audience, ?3) > 0
             AND EXISTS (SELECT 1 FROM json_each(p.audience) j WHERE j.value IN (?3, -?3))",
        "SELECT p.num, p.since FROM post p WHERE p.num >= ? AND p.num < ?
             AND (JSON_CONTAINS(p.audience, CAST(? AS CHAR)) OR JSON_CONTAINS(p.audience, CAST(? AS CHAR)))",
    );
    RECEIVED = Sql::both("SELECT received_at FROM post WHERE num >= ? ORDER BY num LIMIT 1");
    // One at a time: asked for both at once, SQLite reads the whole table.
    ENDS = Sql::both(
        "SELECT COALESCE((SELECT MIN(num) FROM post), 0), COALESCE((SELECT MAX(num) FROM post), 0)",
    );
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

/// By number, what an account's filters said of posts: the verdict, and which filters matched.
pub type Verdicts = HashMap<i64, (Verdict, Vec<i64>)>;

/// Posts that an account saw, as they are stored.
#[derive(Debug)]
pub struct SeenRows {
    account: i64,
    kept: Kept,
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
        self.seen_rows(account, numbers).await?.read(|_, _| true)
    }

    /// The same, not decoded yet.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn seen_rows(
        &self,
        account: i64,
        numbers: std::ops::Range<i64>,
    ) -> Result<SeenRows, StoreError> {
        let kept = self.kept(SEEN, args![numbers.start, numbers.end, account]).await?;
        Ok(SeenRows { account, kept: kept.newest_first() })
    }

    /// What the filters of an account said of those of the posts with these numbers that stand in its timeline: of what
    /// was delivered to it, and of what everybody sees that a filter of it matched.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn timeline_verdicts(
        &self,
        account: i64,
        numbers: std::ops::Range<i64>,
    ) -> Result<Verdicts, StoreError> {
        let (start, end) = (numbers.start, numbers.end);
        let args = match self.engine {
            Engine::Sqlite(_) => args![start, end, account],
            Engine::Maria(_) => args![start, end, account, -account],
        };
        let mut delivered = Vec::new();
        for row in self.rows(DELIVERED, args).await? {
            delivered.push((row.int(0)?, row.int(1)?));
        }
        let numbers: Vec<i64> = delivered.iter().map(|(number, _)| *number).collect();
        let mut said = self.said(account, &numbers).await?;
        let of = |(number, since): (i64, i64)| {
            // A delivery of a version that is gone says nothing about this one.
            let now = said.remove(&number).filter(|said| said.0 >= since);
            let (bits, filters) = now.map_or((0, Vec::new()), |(_, _, bits, filters)| (bits, filters));
            (number, (pack::verdict(bits), filters))
        };
        Ok(delivered.into_iter().map(of).collect())
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
        let numbers: Vec<_> = posts.iter().map(|post| post.cursor.post).collect();
        let said = self.said(account, &numbers).await?;
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

    async fn said(&self, account: i64, numbers: &[i64]) -> Result<Said, StoreError> {
        let mut said = Said::new();
        if numbers.is_empty() {
            return Ok(said);
        }
        let mut matched: HashMap<i64, HashSet<i64>> = HashMap::new();
        for row in self.rows(WHERE_MATCHED, args![list(numbers)?, account]).await? {
            matched.entry(row.int(0)?).or_default().insert(row.int(1)?);
        }
        if matched.is_empty() {
            return Ok(said);
        }
        let commits: Vec<_> = matched.keys().copied().collect();
        for row in self.rows(PACKS, args![list(&commits)?, account]).await? {
            let (commit, revision) = (row.int(0)?, row.int(1)?);
            let Some(wanted) = matched.get(&commit) else { continue };
            for (post, bits, filters) in row.json::<Vec<Item>>(2)? {
                let newer = said.get(&post).is_none_or(|known| known.0 < commit);
                if newer && wanted.contains(&post) {
                    said.insert(post, (commit, revision, bits, filters));
                }
            }
        }
        Ok(said)
    }
}

/// By post: the last commit in which filters matched it, their revision, the verdict, and which.
type Said = HashMap<i64, (i64, i64, u8, Vec<i64>)>;

impl SeenRows {
    /// Decodes all of them, newest first, and gives those that are wanted. It takes its time, and waits for nothing.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] for a post that can't be read.
    pub fn read(
        self,
        mut wanted: impl FnMut(&Post, Millis) -> bool,
    ) -> Result<Vec<TimelinePost>, StoreError> {
        Ok(self.read_while(|_, post, received_at| Some(wanted(post, received_at)))?.0)
    }

    /// The same, given the number of each too, until the answer is `None`: then also says which it was.
    ///
    /// # Errors
    /// As [`SeenRows::read`].
    pub fn read_while(
        self,
        mut wanted: impl FnMut(i64, &Post, Millis) -> Option<bool>,
    ) -> Result<(Vec<TimelinePost>, Option<i64>), StoreError> {
        let mut posts = Vec::new();
        for head in self.kept.heads() {
            let post = self.kept.post(head)?;
            match wanted(head.num, &post, head.received_at) {
                Some(true) => posts.push(head.seen(self.account, post)),
                Some(false) => {}
                None => return Ok((posts, Some(head.num))),
            }
        }
        Ok((posts, None))
    }
}
