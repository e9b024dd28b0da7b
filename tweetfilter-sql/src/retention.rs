//! Forgets what is older than it has to be kept, in small steps.

use std::time::Duration;

use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::StoreError;

use crate::commit::forget;
use crate::database::Database;
use crate::lists::numbers;
use crate::pack::SPAN;
use crate::sql::{Sql, args, list, statements};

statements! {
    LAST_OLD = Sql::both("SELECT COALESCE(MAX(no), 0) FROM commit_log WHERE at < ? AND no <= ?");
    FIRST = Sql::both("SELECT COALESCE(MIN(no), 0) FROM commit_log");
    // Numbers of posts grow with the commits, and a post that was renewed since is kept.
    OLD_POSTS = Sql::both(
        "SELECT num, since, received_at FROM post ORDER BY num LIMIT ?",
    );
    REMOVE_POSTS = Sql::each(
        "DELETE FROM post WHERE num IN (SELECT value FROM json_each(?))",
        concat!("DELETE p FROM ", numbers!(), " STRAIGHT_JOIN post p ON p.num = j.n"),
    );
    REMOVE_PACKS = Sql::both("DELETE FROM delivery_pack WHERE commit_no <= ?");
    REMOVE_SPANS = Sql::each("DELETE FROM delivery_span WHERE span < ?", "");
    REMOVE_COMMITS = Sql::both("DELETE FROM commit_log WHERE no <= ?");
    REMOVE_TOMBSTONES = Sql::each(
        "DELETE FROM tombstone WHERE (network, native_id) IN
             (SELECT network, native_id FROM tombstone WHERE at < ? ORDER BY at LIMIT ?)",
        "DELETE FROM tombstone WHERE at < ? ORDER BY at LIMIT ?",
    );
    COUNT = Sql::both("UPDATE state SET value = value - ? WHERE name = 'tombstones'");
    VACUUM = Sql::each("PRAGMA incremental_vacuum(2000)", "");
}

/// Posts of one step.
const POSTS: i64 = 1_000;
/// Commits of one step.
const COMMITS: i64 = 64;

/// What a step of retention removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Posts.
    pub posts: u64,
    /// Deliveries, as packs.
    pub packs: u64,
    /// Tombstones.
    pub tombstones: u64,
    /// Profiles of authors.
    pub profiles: u64,
}

impl Removed {
    /// Whether there is nothing left to remove for now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Database {
    /// Removes a little of what is older than a time: posts, deliveries, matches, tombstones. Call it until nothing is
    /// left, and let others work in between. Gives the space back to the disk.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn forget_older(&self, keep: Duration) -> Result<Removed, StoreError> {
        let keep = Millis::try_from(keep.as_millis()).unwrap_or(Millis::MAX);
        self.forget_before(self.now().saturating_sub(keep)).await
    }

    async fn forget_before(&self, time: Millis) -> Result<Removed, StoreError> {
        let mut removed = Removed::default();
        let mut turn = self.write().await?;
        let tx = &mut turn.tx;
        let mut old = Vec::new();
        for row in tx.rows(OLD_POSTS, args![POSTS]).await? {
            if row.int(2)? >= time {
                break;
            }
            old.push(row.int(0)?);
        }
        if !old.is_empty() {
            forget(tx, &old).await?;
            removed.posts = tx.run(REMOVE_POSTS, args![list(&old)?]).await?;
        }
        let int = |row: Option<crate::sql::Row>| row.map_or(Ok(0), |row| row.int(0));
        let first = int(tx.row(FIRST, args![]).await?)?;
        let last_old = int(tx.row(LAST_OLD, args![time, first + COMMITS - 1]).await?)?;
        if last_old > 0 {
            removed.packs = tx.run(REMOVE_PACKS, args![last_old]).await?;
            crate::withdrawn::forget(tx, last_old).await?;
            tx.run(REMOVE_COMMITS, args![last_old]).await?;
            if tx.is_sqlite() {
                tx.run(REMOVE_SPANS, args![last_old / SPAN]).await?;
            }
        }
        removed.tombstones = tx.run(REMOVE_TOMBSTONES, args![time, POSTS]).await?;
        tx.run(COUNT, args![removed.tombstones.cast_signed()]).await?;
        removed.profiles = crate::lookup::forget_profiles(tx, time, POSTS).await?;
        turn.commit().await?;
        if self.buffer().is_some() {
            let mut turn = self.write().await?;
            turn.tx.rows(VACUUM, args![]).await?;
            turn.commit().await?;
        }
        Ok(removed)
    }
}
