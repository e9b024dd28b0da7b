//! What accounts see: their timelines, and what is new since a commit.

use std::collections::HashMap;

use tweetfilter_core::Post;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::shrunk;
use tweetfilter_stream::store::{StoreError, Verdict};

use crate::database::Database;
use crate::lists::numbers;
use crate::pack::{self, Item};
use crate::sql::{Sql, Tx, args, list, statements};
use crate::withdrawn::{self, Withdrawn};

/// Packs that are read at once.
const PACKS: i64 = 64;
/// Commits that a look at what is new goes on at most, so that what they took back stays little.
const REACH: i64 = 512;

statements! {
    // A span has the commits of which an account has packs; each is looked up by its number.
    BEFORE = Sql::each(
        "SELECT d.commit_no, d.account, d.revision, d.items
         FROM delivery_span s CROSS JOIN commit_log c CROSS JOIN delivery_pack d
         WHERE s.account = ?1 AND s.span <= ?2 / 256 AND c.no >= s.span * 256 AND c.no < s.span * 256 + 256
             AND c.no <= ?2 AND d.commit_no = c.no AND d.account = ?1
         ORDER BY s.span DESC, c.no DESC LIMIT ?3",
        "SELECT commit_no, account, revision, items FROM delivery_pack WHERE account = ? AND commit_no <= ?
         ORDER BY commit_no DESC LIMIT ?",
    );
    AFTER = Sql::each(
        "SELECT d.commit_no, d.account, d.revision, d.items
         FROM delivery_span s CROSS JOIN commit_log c CROSS JOIN delivery_pack d
         WHERE s.account = ?1 AND s.span >= ?2 / 256 AND c.no >= s.span * 256 AND c.no < s.span * 256 + 256
             AND c.no > ?2 AND d.commit_no = c.no AND d.account = ?1
         ORDER BY s.span, c.no LIMIT ?3",
        "SELECT commit_no, account, revision, items FROM delivery_pack WHERE account = ? AND commit_no > ?
         ORDER BY commit_no LIMIT ?",
    );
    OF_ALL = Sql::both(
        "SELECT commit_no, account, revision, items FROM delivery_pack WHERE commit_no > ? AND commit_no <= ?
         ORDER BY commit_no, account",
    );
    MATCHED = Sql::each(
        "SELECT d.commit_no, d.account, d.revision, d.items, m.post FROM matches m
         JOIN delivery_pack d ON d.commit_no = m.commit_no AND d.account = m.account
         WHERE m.account = ?1 AND m.filter = ?2 AND (m.commit_no, m.post) < (?3, ?4)
         ORDER BY m.commit_no DESC, m.post DESC LIMIT ?5",
        "SELECT d.commit_no, d.account, d.revision, d.items, m.post FROM matches m
         JOIN delivery_pack d ON d.commit_no = m.commit_no AND d.account = m.account
         WHERE m.account = ? AND m.filter = ? AND (m.commit_no, m.post) < (?, ?)
         ORDER BY m.commit_no DESC, m.post DESC LIMIT ?",
    );
    SHOWN = Sql::each(
        "SELECT p.num, p.since, p.network, p.native_id, p.version, p.received_at, p.source, p.is_public, p.body
         FROM json_each(?) j CROSS JOIN shown p WHERE p.num = j.value",
        concat!(
            "SELECT p.num, p.since, p.network, p.native_id, p.version, p.received_at, p.source, p.is_public, p.body
             FROM ", numbers!(), " STRAIGHT_JOIN shown p ON p.num = j.n"
        ),
    );
    LAST = Sql::both("SELECT value FROM state WHERE name = 'commit'");
    UNPACKED = Sql::both(
        "SELECT commit_no, native_id, verdict, filters FROM delivery WHERE account = ? ORDER BY commit_no, post",
    );
}

/// A place in a timeline, right behind a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The commit that delivered the post.
    pub commit: i64,
    /// The post's number.
    pub post: i64,
}

/// Which part of a timeline is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What comes before this one; `None` begins with the newest.
    pub before: Option<Cursor>,
    /// At most so many posts.
    pub limit: usize,
    /// Only what this filter matched.
    pub filter: Option<i64>,
    /// With those that filters hide.
    pub hidden: bool,
}

impl Default for Page {
    fn default() -> Self {
        Self { before: None, limit: 50, filter: None, hidden: false }
    }
}

/// A post as an account sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelinePost {
    /// Its place in the timeline.
    pub cursor: Cursor,
    /// Who sees it.
    pub account: i64,
    /// Its network.
    pub network: String,
    /// Its id there.
    pub native_id: String,
    /// The version of its content.
    pub version: Millis,
    /// When it was received first.
    pub received_at: Millis,
    /// The source that it came from first.
    pub source: String,
    /// Whether everybody sees it.
    pub public: bool,
    /// What the filters decided.
    pub verdict: Verdict,
    /// The filters that matched, in the account's order.
    pub filters: Vec<i64>,
    /// The revision of the filters that it was tried on.
    pub revision: u64,
    /// The post.
    pub post: Post,
}

/// What was committed after a commit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tail {
    /// In order of their commits.
    pub posts: Vec<TimelinePost>,
    /// Go on behind this commit.
    pub up_to: i64,
    /// What the commits up to there took back from the account; not told of all accounts.
    pub withdrawn: Vec<Withdrawn>,
}

/// A delivery that is not known to be shown yet.
struct Delivered {
    account: i64,
    revision: i64,
    cursor: Cursor,
    bits: u8,
    filters: Vec<i64>,
}

impl Database {
    /// Posts of an account, newest first. Costs what it returns, and what is hidden or gone in between.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn timeline(&self, account: i64, page: &Page) -> Result<Vec<TimelinePost>, StoreError> {
        let mut tx = self.read().await?;
        let mut before = page.before.unwrap_or(Cursor { commit: i64::MAX, post: 0 });
        let mut posts = Vec::new();
        while posts.len() < page.limit {
            let (delivered, more) = read_before(&mut tx, account, before, page.filter).await?;
            // Whole packs were read, so what follows stands before the last of them.
            let next = delivered.last().map(|last| last.cursor);
            let wanted = delivered
                .into_iter()
                .filter(|one| one.cursor < before && (page.hidden || !pack::verdict(one.bits).hidden));
            let wanted: Vec<_> = wanted.collect();
            for part in wanted.chunks(page.limit.clamp(1, 500)) {
                posts.extend(shown(&mut tx, part).await?);
                if posts.len() >= page.limit {
                    break;
                }
            }
            match next {
                Some(next) if more => before = next,
                _ => break,
            }
        }
        tx.commit().await?;
        posts.truncate(page.limit);
        Ok(posts)
    }

    /// All deliveries of an account, by the view that other programs read: commit, id, verdict as a number, and the
    /// filters as JSON.
    ///
    /// # Errors
    /// See [`StoreError`].
    #[doc(hidden)] // For tests; it has no limit.
    pub async fn unpacked(&self, account: i64) -> Result<Vec<(i64, String, i64, String)>, StoreError> {
        let rows = self.rows(UNPACKED, args![account]).await?;
        rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?, row.int(2)?, row.text(3)?))).collect()
    }

    /// What was committed after a commit, for one account or all: at most `limit` commits of it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn tail(&self, account: Option<i64>, after: i64, limit: u32) -> Result<Tail, StoreError> {
        let mut tx = self.read().await?;
        let last = tx.row(LAST, args![]).await?.map_or(Ok(0), |row| row.int(0))?;
        let limit = i64::from(limit.max(1));
        let mut up_to = last;
        let mut withdrawn = Vec::new();
        let rows = if let Some(account) = account {
            up_to = up_to.min(after.saturating_add(REACH));
            let rows = tx.rows(AFTER, args![account, after, limit]).await?;
            if let Some(row) = rows.last().filter(|_| i64::try_from(rows.len()) == Ok(limit)) {
                up_to = up_to.min(row.int(0)?);
            }
            withdrawn = withdrawn::between(&mut tx, account, after, up_to).await?;
            rows
        } else {
            up_to = up_to.min(after.saturating_add(limit));
            tx.rows(OF_ALL, args![after, up_to]).await?
        };
        let mut delivered = Vec::new();
        for row in rows {
            // A commit may have appeared since `last` was read.
            if row.int(0)? <= up_to {
                let mut pack = unpack(&row)?;
                pack.reverse();
                delivered.extend(pack);
            }
        }
        let mut posts = Vec::new();
        for part in delivered.chunks(500) {
            posts.extend(shown(&mut tx, part).await?);
        }
        tx.commit().await?;
        Ok(Tail { posts, up_to: up_to.max(after), withdrawn })
    }
}

/// Deliveries from a place on, newest first, and whether there may be more.
async fn read_before(
    tx: &mut Tx,
    account: i64,
    before: Cursor,
    filter: Option<i64>,
) -> Result<(Vec<Delivered>, bool), StoreError> {
    let mut delivered = Vec::new();
    let rows = if let Some(filter) = filter {
        let rows = tx.rows(MATCHED, args![account, filter, before.commit, before.post, PACKS]).await?;
        for row in &rows {
            let post = row.int(4)?;
            delivered.extend(unpack(row)?.into_iter().filter(|one| one.cursor.post == post));
        }
        rows
    } else {
        // The commit of the place itself is read again: not all of it may have been shown.
        let rows = tx.rows(BEFORE, args![account, before.commit, PACKS]).await?;
        for row in &rows {
            delivered.extend(unpack(row)?);
        }
        rows
    };
    let more = i64::try_from(rows.len()) == Ok(PACKS);
    Ok((delivered, more))
}

/// The deliveries of a pack, newest first.
fn unpack(row: &crate::sql::Row) -> Result<Vec<Delivered>, StoreError> {
    let (commit, account, revision) = (row.int(0)?, row.int(1)?, row.int(2)?);
    let mut items: Vec<Item> = row.json(3)?;
    items.sort_unstable_by_key(|item| std::cmp::Reverse(item.0));
    let of = |(post, bits, filters)| {
        let cursor = Cursor { commit, post };
        Delivered { account, revision, cursor, bits, filters }
    };
    Ok(items.into_iter().map(of).collect())
}

/// The posts of deliveries that may be shown, in the same order.
async fn shown(tx: &mut Tx, delivered: &[Delivered]) -> Result<Vec<TimelinePost>, StoreError> {
    let mut nums: Vec<_> = delivered.iter().map(|one| one.cursor.post).collect();
    nums.sort_unstable();
    nums.dedup();
    let mut rows = HashMap::new();
    if !nums.is_empty() {
        for row in tx.rows(SHOWN, args![list(&nums)?]).await? {
            rows.insert(row.int(0)?, row);
        }
    }
    let mut posts = Vec::new();
    for one in delivered {
        let Some(row) = rows.get(&one.cursor.post) else { continue };
        // It was delivered in a version that is gone.
        if row.int(1)? > one.cursor.commit {
            continue;
        }
        let post = shrunk::from_slice(&row.bytes(8)?);
        posts.push(TimelinePost {
            cursor: one.cursor,
            account: one.account,
            network: row.text(2)?,
            native_id: row.text(3)?,
            version: row.int(4)?,
            received_at: row.int(5)?,
            source: row.text(6)?,
            public: row.int(7)? != 0,
            verdict: pack::verdict(one.bits),
            filters: one.filters.clone(),
            revision: one.revision.cast_unsigned(),
            post: post.map_err(|error| StoreError::Unfit(format!("a stored post: {error}")))?,
        });
    }
    Ok(posts)
}
