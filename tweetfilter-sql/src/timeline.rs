//! What accounts see: their timelines, and what is new since a commit.

use std::collections::HashMap;

use tweetfilter_core::Post;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::{StoreError, Verdict};

use crate::database::Database;
use crate::kept::{columns, packed};
use crate::lists::numbers;
use crate::pack::{self, Item};
use crate::sql::{Row, Sql, args, list, statements};
use crate::withdrawn::{self, Withdrawn};

/// Packs that are read at once, at first and at most.
const FIRST_PACKS: i64 = 8;
const PACKS: i64 = 64;
/// Packs and deliveries after which a stretch of a timeline goes on to no more, and posts that it asks for, if they turn
/// out to be gone.
const MOST_PACKS: usize = 512;
const MOST_DELIVERIES: usize = 16_384;
const ASKED: usize = 4_096;
/// Commits that a look at what is new goes on at most, so that what they took back stays little.
const REACH: i64 = 512;

// On SQLite `LIMIT +?`: a bare parameter there has the statement prepared anew for each value.
statements! {
    // A span has the commits of which an account has packs; each is looked up by its number.
    BEFORE = Sql::each(
        "SELECT d.commit_no, d.account, d.revision, d.items
         FROM delivery_span s CROSS JOIN commit_log c CROSS JOIN delivery_pack d
         WHERE s.account = ?1 AND s.span <= ?2 / 256 AND c.no >= s.span * 256 AND c.no < s.span * 256 + 256
             AND c.no <= ?2 AND d.commit_no = c.no AND d.account = ?1
             AND NOT EXISTS (SELECT 1 FROM removed_account WHERE account = ?1)
         ORDER BY s.span DESC, c.no DESC LIMIT +?3",
        "SELECT commit_no, account, revision, items FROM delivery_pack d WHERE account = ? AND commit_no <= ?
         AND NOT EXISTS (SELECT 1 FROM removed_account r WHERE r.account = d.account)
         ORDER BY commit_no DESC LIMIT ?",
    );
    AFTER = Sql::each(
        "SELECT d.commit_no, d.account, d.revision, d.items
         FROM delivery_span s CROSS JOIN commit_log c CROSS JOIN delivery_pack d
         WHERE s.account = ?1 AND s.span >= ?2 / 256 AND c.no >= s.span * 256 AND c.no < s.span * 256 + 256
             AND c.no > ?2 AND d.commit_no = c.no AND d.account = ?1
             AND NOT EXISTS (SELECT 1 FROM removed_account WHERE account = ?1)
         ORDER BY s.span, c.no LIMIT +?3",
        "SELECT commit_no, account, revision, items FROM delivery_pack d WHERE account = ? AND commit_no > ?
         AND NOT EXISTS (SELECT 1 FROM removed_account r WHERE r.account = d.account)
         ORDER BY commit_no LIMIT ?",
    );
    OF_ALL = Sql::both(
        "SELECT commit_no, account, revision, items FROM delivery_pack d WHERE commit_no > ? AND commit_no <= ?
         AND NOT EXISTS (SELECT 1 FROM removed_account r WHERE r.account = d.account)
         ORDER BY commit_no, account",
    );
    MATCHED = Sql::each(
        "SELECT d.commit_no, d.account, d.revision, d.items, m.post FROM matches m
         JOIN delivery_pack d ON d.commit_no = m.commit_no AND d.account = m.account
         WHERE m.account = ?1 AND m.filter = ?2 AND (m.commit_no, m.post) < (?3, ?4)
         AND NOT EXISTS (SELECT 1 FROM removed_account r WHERE r.account = d.account)
         ORDER BY m.commit_no DESC, m.post DESC LIMIT +?5",
        "SELECT d.commit_no, d.account, d.revision, d.items, m.post FROM matches m
         JOIN delivery_pack d ON d.commit_no = m.commit_no AND d.account = m.account
         WHERE m.account = ? AND m.filter = ? AND (m.commit_no, m.post) < (?, ?)
         AND NOT EXISTS (SELECT 1 FROM removed_account r WHERE r.account = d.account)
         ORDER BY m.commit_no DESC, m.post DESC LIMIT ?",
    );
    SHOWN = Sql::each(
        concat!(packed!(), "FROM json_each(?) j CROSS JOIN shown p WHERE p.num = j.value"),
        concat!(columns!(), "FROM ", numbers!(), " STRAIGHT_JOIN shown p ON p.num = j.n"),
    );
    // The packs of some accounts in a few commits.
    OF_SOME = Sql::each(
        "SELECT d.commit_no, d.account, d.revision, d.items
         FROM commit_log c CROSS JOIN json_each(?1) j CROSS JOIN delivery_pack d
         WHERE c.no > ?2 AND c.no <= ?3 AND d.commit_no = c.no AND d.account = j.value
         AND NOT EXISTS (SELECT 1 FROM removed_account r WHERE r.account = d.account) ORDER BY c.no",
        concat!(
            "SELECT d.commit_no, d.account, d.revision, d.items FROM ", numbers!(),
            " STRAIGHT_JOIN delivery_pack d ON d.account = j.n
             WHERE d.commit_no > ? AND d.commit_no <= ?
             AND NOT EXISTS (SELECT 1 FROM removed_account r WHERE r.account = d.account) ORDER BY d.commit_no"
        ),
    );
    LAST = Sql::both("SELECT value FROM state WHERE name = 'commit'");
    FIRST = Sql::both(
        "SELECT COALESCE((SELECT MIN(no) FROM commit_log), value + 1) FROM state WHERE name = 'commit'",
    );
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

/// What was found of a timeline, and where it goes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stretch {
    /// Newest first; fewer than were wanted, or none, where it ends early.
    pub posts: Vec<TimelinePost>,
    /// What comes before this place was not looked at; `None` if that is nothing.
    pub next: Option<Cursor>,
    /// Packs that were read for it.
    pub packs: usize,
    /// Deliveries that these held.
    pub deliveries: usize,
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
    /// The first commit that is still kept, or will be: what earlier ones gave is not told; not told of all accounts.
    pub first: i64,
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
        let (mut page, mut posts) = (page.clone(), Vec::new());
        while page.limit > 0 {
            let stretch = self.timeline_stretch(account, &page).await?;
            page.limit -= stretch.posts.len();
            posts.extend(stretch.posts);
            page.before = stretch.next;
            if page.before.is_none() {
                break;
            }
        }
        Ok(posts)
    }

    /// The same, but it reads no more than a bounded number of deliveries: where nearly all are hidden or gone it ends
    /// early, and says where to go on.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn timeline_stretch(&self, account: i64, page: &Page) -> Result<Stretch, StoreError> {
        let mut before = page.before.unwrap_or(Cursor { commit: i64::MAX, post: 0 });
        let mut stretch = Stretch::default();
        if page.limit == 0 {
            return Ok(stretch);
        }
        // A filter's packs are read a post at a time; others have a post or more.
        let few = if page.filter.is_some() { page.limit } else { page.limit / 2 };
        let mut packs = i64::try_from(few).unwrap_or(PACKS).clamp(FIRST_PACKS, PACKS);
        let mut asked = 0;
        loop {
            let (delivered, read) = self.delivered_before(account, before, page.filter, packs).await?;
            let more = i64::try_from(read) == Ok(packs);
            stretch.packs += read;
            stretch.deliveries += delivered.len();
            // As many as hold what may still be looked at, by those before.
            let left = MOST_DELIVERIES.saturating_sub(stretch.deliveries);
            let few = left * stretch.packs / stretch.deliveries.max(1);
            packs = i64::try_from(few).unwrap_or(PACKS).clamp(1, PACKS);
            // Whole packs were read, so what follows stands before the last of them.
            let next = delivered.last().map(|last| last.cursor);
            let wanted = delivered
                .into_iter()
                .filter(|one| one.cursor < before && (page.hidden || !pack::verdict(one.bits).hidden));
            let wanted: Vec<_> = wanted.collect();
            for part in wanted.chunks(page.limit.min(500)) {
                stretch.posts.extend(self.shown(part).await?);
                asked += part.len();
                if stretch.posts.len() >= page.limit {
                    stretch.posts.truncate(page.limit);
                    stretch.next = stretch.posts.last().map(|last| last.cursor);
                    return Ok(stretch);
                }
                if asked >= ASKED.max(page.limit) {
                    stretch.next = part.last().map(|last| last.cursor);
                    return Ok(stretch);
                }
            }
            let Some(next) = next.filter(|_| more) else { break };
            if stretch.packs >= MOST_PACKS || stretch.deliveries >= MOST_DELIVERIES {
                stretch.next = Some(next);
                break;
            }
            before = next;
        }
        Ok(stretch)
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
        // One statement after the other: a version of a post that is stored in between is news of its own commit.
        let last = self.rows(LAST, args![]).await?.first().map_or(Ok(0), |row| row.int(0))?;
        let limit = i64::from(limit.max(1));
        let mut up_to = last;
        let (mut withdrawn, mut first) = (Vec::new(), 0);
        let rows = if let Some(account) = account {
            up_to = up_to.min(after.saturating_add(REACH));
            let rows = self.rows(AFTER, args![account, after, limit]).await?;
            if let Some(row) = rows.last().filter(|_| i64::try_from(rows.len()) == Ok(limit)) {
                up_to = up_to.min(row.int(0)?);
            }
            let mut tx = self.read().await?;
            withdrawn = withdrawn::between(&mut tx, account, after, up_to).await?;
            tx.commit().await?;
            // At last: what was forgotten while this was read may be missing too.
            first = self.first_commit().await?;
            rows
        } else {
            up_to = up_to.min(after.saturating_add(limit));
            self.rows(OF_ALL, args![after, up_to]).await?
        };
        let posts = self.told(&rows, up_to).await?;
        Ok(Tail { posts, up_to: up_to.max(after), first, withdrawn })
    }

    /// The number of the first commit that is kept; where none is, of the next.
    pub(crate) async fn first_commit(&self) -> Result<i64, StoreError> {
        self.rows(FIRST, args![]).await?.first().map_or(Ok(0), |row| row.int(0))
    }

    /// What commits behind one and up to another gave to some accounts, in their order; `None` if they took something
    /// back of what somebody saw, which [`Database::tail`] says to each.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn tail_of(
        &self,
        accounts: &[i64],
        after: i64,
        up_to: i64,
    ) -> Result<Option<Vec<TimelinePost>>, StoreError> {
        if self.withdrew(after, up_to).await? {
            return Ok(None);
        }
        let rows = self.rows(OF_SOME, args![list(accounts)?, after, up_to]).await?;
        self.told(&rows, up_to).await.map(Some)
    }

    /// The posts of packs in order of their commits, up to one of these.
    async fn told(&self, rows: &[Row], up_to: i64) -> Result<Vec<TimelinePost>, StoreError> {
        let mut delivered = Vec::new();
        for row in rows {
            // A commit may have appeared since the last one was asked for.
            if row.int(0)? <= up_to {
                let mut pack = unpack(row)?;
                pack.reverse();
                delivered.extend(pack);
            }
        }
        let mut posts = Vec::new();
        for part in delivered.chunks(500) {
            posts.extend(self.shown(part).await?);
        }
        Ok(posts)
    }

    /// Deliveries from a place on, newest first, and of how many packs.
    async fn delivered_before(
        &self,
        account: i64,
        before: Cursor,
        filter: Option<i64>,
        packs: i64,
    ) -> Result<(Vec<Delivered>, usize), StoreError> {
        let mut delivered = Vec::new();
        let rows = if let Some(filter) = filter {
            let rows = self.rows(MATCHED, args![account, filter, before.commit, before.post, packs]).await?;
            for row in &rows {
                let post = row.int(4)?;
                delivered.extend(unpack(row)?.into_iter().filter(|one| one.cursor.post == post));
            }
            rows
        } else {
            // The commit of the place itself is read again: not all of it may have been shown.
            let rows = self.rows(BEFORE, args![account, before.commit, packs]).await?;
            for row in &rows {
                delivered.extend(unpack(row)?);
            }
            rows
        };
        Ok((delivered, rows.len()))
    }

    /// The posts of deliveries that may be shown, in the same order.
    async fn shown(&self, delivered: &[Delivered]) -> Result<Vec<TimelinePost>, StoreError> {
        let mut nums: Vec<_> = delivered.iter().map(|one| one.cursor.post).collect();
        nums.sort_unstable();
        nums.dedup();
        if nums.is_empty() {
            return Ok(Vec::new());
        }
        let kept = self.kept(SHOWN, args![list(&nums)?]).await?;
        let mut found: HashMap<_, _> = kept.heads().iter().map(|head| (head.num, (head, None))).collect();
        let mut posts = Vec::with_capacity(delivered.len());
        for one in delivered {
            let Some((head, decoded)) = found.get_mut(&one.cursor.post) else { continue };
            // It was delivered in a version that is gone.
            if head.since > one.cursor.commit {
                continue;
            }
            // Several accounts may have got it; it is decoded once.
            let post = match decoded.take() {
                Some(post) => post,
                None => kept.post(head)?,
            };
            if nums.len() < delivered.len() {
                *decoded = Some(Post::clone(&post));
            }
            posts.push(TimelinePost {
                cursor: one.cursor,
                verdict: pack::verdict(one.bits),
                filters: one.filters.clone(),
                revision: one.revision.cast_unsigned(),
                ..head.seen(one.account, post)
            });
        }
        Ok(posts)
    }
}

/// The deliveries of a pack, newest first.
fn unpack(row: &Row) -> Result<Vec<Delivered>, StoreError> {
    let (commit, account, revision) = (row.int(0)?, row.int(1)?, row.int(2)?);
    let mut items: Vec<Item> = row.json(3)?;
    items.sort_unstable_by_key(|item| std::cmp::Reverse(item.0));
    let of = |(post, bits, filters)| {
        let cursor = Cursor { commit, post };
        Delivered { account, revision, cursor, bits, filters }
    };
    Ok(items.into_iter().map(of).collect())
}
