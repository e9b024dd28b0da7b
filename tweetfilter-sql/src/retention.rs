//! Forgets what is older than it has to be kept, in small steps.

use std::time::Duration;

use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::StoreError;

use crate::commit::forget;
use crate::database::Database;
use crate::lists::numbers;
use crate::pack::SPAN;
use crate::sql::{Sql, Tx, args, list, statements};

statements! {
    LAST_OLD = Sql::both("SELECT COALESCE(MAX(no), 0) FROM commit_log WHERE at < ? AND no <= ?");
    FIRST = Sql::both("SELECT COALESCE(MIN(no), 0) FROM commit_log");
    AT = Sql::both("SELECT at FROM commit_log WHERE no >= ? ORDER BY no LIMIT 1");
    // Of a commit that is still to come nothing is known by its time: those after it say how old it is.
    FIRST_MADE = Sql::both("SELECT no FROM commit_log WHERE at <= ? ORDER BY no LIMIT 1");
    OLDEST_POSTS = Sql::both("SELECT received_at FROM post ORDER BY received_at LIMIT ?");
    OLD_POSTS = Sql::both("SELECT num, received_at FROM post WHERE received_at < ? ORDER BY received_at LIMIT ?");
    // A post that was received in the future, as some clock said, is as old as its commit.
    ODD_POSTS = Sql::both(
        "SELECT num FROM post WHERE received_at > ? AND since < ? ORDER BY received_at LIMIT ?",
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
    // What was missing in a recording ended long ago, and is known since it was read.
    REMOVE_GAPS = Sql::each(
        "DELETE FROM gap WHERE id IN (SELECT id FROM gap WHERE to_at < ? AND told_at < ? ORDER BY id LIMIT ?)",
        "DELETE FROM gap WHERE to_at < ? AND told_at < ? ORDER BY id LIMIT ?",
    );
    // A new version of a post that is there, or of one that carries it, asks for it again.
    REMOVE_WITHHELD = Sql::each(
        "DELETE FROM withheld WHERE (network, native_id) IN (
             SELECT w.network, w.native_id FROM withheld w WHERE w.at < ?
             AND NOT EXISTS (SELECT 1 FROM post p WHERE p.network = w.network AND p.native_id = w.native_id)
             AND NOT EXISTS (SELECT 1 FROM carried c WHERE c.network = w.network AND c.native_id = w.native_id)
             ORDER BY w.at LIMIT ?)",
        "DELETE FROM withheld WHERE at < ?
             AND NOT EXISTS (SELECT 1 FROM post p WHERE p.network = withheld.network AND p.native_id = withheld.native_id)
             AND NOT EXISTS (SELECT 1 FROM carried c
                 WHERE c.network = withheld.network AND c.native_id = withheld.native_id)
             ORDER BY at LIMIT ?",
    );
    REMOVE_AUTHORS = Sql::each(
        "DELETE FROM author WHERE (network, author_id) IN (
             SELECT network, author_id FROM author WHERE changed_at < ? AND withheld IS NULL ORDER BY changed_at LIMIT ?)",
        "DELETE FROM author WHERE changed_at < ? AND withheld IS NULL ORDER BY changed_at LIMIT ?",
    );
    REMOVE_BATCHES = Sql::both("DELETE FROM unacknowledged WHERE at < ?");
    REMOVE_CRASHES = Sql::both("DELETE FROM crash_event WHERE at < ?");
    COUNT = Sql::both("UPDATE state SET value = value - ? WHERE name = 'tombstones'");
    ADD = Sql::each(
        "INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
        "INSERT INTO state (name, value) VALUES (?, ?) ON DUPLICATE KEY UPDATE value = value + VALUES(value)",
    );
    RAISE = Sql::each(
        "INSERT INTO state (name, value) VALUES (?, ?)
         ON CONFLICT DO UPDATE SET value = MAX(value, excluded.value)",
        "INSERT INTO state (name, value) VALUES (?, ?)
         ON DUPLICATE KEY UPDATE value = GREATEST(value, VALUES(value))",
    );
    VACUUM = Sql::each("PRAGMA incremental_vacuum(2000)", "");
}

/// Posts of one step.
const POSTS: i64 = 1_000;
/// Commits that are removed at once.
const COMMITS: i64 = 64;
/// Commits of one step, and packs after which it goes on to no more: commits may have thousands of them, or none.
const MOST_COMMITS: i64 = 64 * COMMITS;
const PACKS: u64 = 4_096;

/// Where `state` counts posts that were forgotten for want of room.
pub(crate) const FORGOTTEN: &str = "forgotten_for_room";
/// And where it says when the newest of them was received.
pub(crate) const FORGOTTEN_UP_TO: &str = "forgotten_up_to";
/// And when that was done last.
pub(crate) const FORGOTTEN_AT: &str = "forgotten_at";

/// What a step of retention removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Posts.
    pub posts: u64,
    /// Commits that nobody can follow from any more.
    pub commits: u64,
    /// Deliveries, as packs.
    pub packs: u64,
    /// Tombstones.
    pub tombstones: u64,
    /// Profiles of authors.
    pub profiles: u64,
    /// Dead letters.
    pub dead: u64,
    /// Gaps.
    pub gaps: u64,
    /// Posts of which it was known that they are withheld.
    pub withheld: u64,
    /// Authors of whom something was known.
    pub authors: u64,
    /// When the first and the last of the posts were received.
    pub received: Option<(Millis, Millis)>,
}

impl Removed {
    /// Whether there is nothing left to remove for now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Tells those who keep a copy of a timeline, if any can have been changed.
    async fn tell(&self, tx: &mut Tx) -> Result<(), StoreError> {
        if self.posts + self.packs > 0 { crate::pulse::rewrote(tx).await } else { Ok(()) }
    }
}

impl Database {
    /// Removes a little of what is older than a time: posts, deliveries, matches, dead letters, gaps, tombstones, crashes.
    /// Call it until nothing is left, and let others work in between. Gives the space back to the disk, unless that is so
    /// short of it that this file needs it for itself.
    ///
    /// What was said of posts and authors goes as well, where nothing is there any more that it could be about: that a post
    /// is withheld when neither it nor what carries it is stored; what was said of an author when it is twice as old,
    /// since posts of theirs may have come up to that time; and never that an author is withheld, who goes on writing.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn forget_older(&self, keep: Duration) -> Result<Removed, StoreError> {
        let keep = Millis::try_from(keep.as_millis()).unwrap_or(Millis::MAX);
        let time = self.now().saturating_sub(keep);
        let mut turn = self.write().await?;
        let tx = &mut turn.tx;
        let mut removed = forget_before(tx, time, self.now()).await?;
        removed.tombstones = tx.run(REMOVE_TOMBSTONES, args![time, POSTS]).await?;
        tx.run(COUNT, args![removed.tombstones.cast_signed()]).await?;
        tx.run(REMOVE_CRASHES, args![time]).await?;
        tx.run(REMOVE_BATCHES, args![time]).await?;
        removed.dead = crate::dead::forget_older(tx, time, POSTS).await?;
        removed.gaps = tx.run(REMOVE_GAPS, args![time, time, POSTS]).await?;
        removed.withheld = tx.run(REMOVE_WITHHELD, args![time, POSTS]).await?;
        removed.authors = tx.run(REMOVE_AUTHORS, args![time.saturating_sub(keep), POSTS]).await?;
        removed.profiles = crate::lookup::forget_profiles(tx, time, POSTS).await?;
        removed.tell(tx).await?;
        turn.commit().await?;
        let short = self.room().await?.is_some_and(|room| room.free < room.reserve);
        if self.buffer().is_some() && !short {
            let mut turn = self.write().await?;
            turn.tx.rows(VACUUM, args![]).await?;
            turn.commit().await?;
        }
        Ok(removed)
    }

    /// Removes a little of the oldest posts with their deliveries and matches, however old they are, to make
    /// [room](Database::room): their space stays in the file, for newer ones. What was deleted is remembered all the same.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn forget_oldest(&self) -> Result<Removed, StoreError> {
        let mut turn = self.write().await?;
        let tx = &mut turn.tx;
        // Posts and commits go together, as far as one step comes with either.
        let first = int(tx.row(FIRST, args![]).await?)?;
        let of_commits = tx.row(AT, args![first + MOST_COMMITS - 1]).await?;
        let of_posts = tx.rows(OLDEST_POSTS, args![POSTS]).await?;
        let received = of_posts.last().map(|row| row.int(0)).transpose()?;
        let times = [of_commits.map(|row| row.int(0)).transpose()?, received];
        let Some(time) = times.into_iter().flatten().min() else { return Ok(Removed::default()) };
        let now = self.now();
        let removed = forget_before(tx, time.saturating_add(1), now).await?;
        if let Some((_, last)) = removed.received {
            tx.run(ADD, args![FORGOTTEN, removed.posts.cast_signed()]).await?;
            tx.run(RAISE, args![FORGOTTEN_UP_TO, last]).await?;
            tx.run(RAISE, args![FORGOTTEN_AT, now]).await?;
        }
        removed.tell(tx).await?;
        turn.commit().await?;
        Ok(removed)
    }
}

/// Removes some posts, deliveries and matches from before a time. Each goes by its own time, so that one whose clock was
/// wrong holds up no other.
async fn forget_before(tx: &mut Tx, time: Millis, now: Millis) -> Result<Removed, StoreError> {
    let mut removed = Removed::default();
    let mut old = Vec::new();
    for row in tx.rows(OLD_POSTS, args![time, POSTS]).await? {
        let received = row.int(1)?;
        old.push(row.int(0)?);
        let (first, last) = removed.received.unwrap_or((received, received));
        removed.received = Some((first.min(received), last.max(received)));
    }
    let kept = int(tx.row(FIRST, args![]).await?)?;
    for row in tx.rows(ODD_POSTS, args![now, kept, POSTS]).await? {
        old.push(row.int(0)?);
    }
    if !old.is_empty() {
        forget(tx, &old).await?;
        removed.posts = tx.run(REMOVE_POSTS, args![list(&old)?]).await?;
    }
    while removed.packs < PACKS && removed.commits < MOST_COMMITS.cast_unsigned() {
        let Some(first) = tx.row(FIRST_MADE, args![now]).await? else { break };
        let first = first.int(0)?;
        let last_old = int(tx.row(LAST_OLD, args![time, first + COMMITS - 1]).await?)?;
        if last_old == 0 {
            break;
        }
        removed.packs += tx.run(REMOVE_PACKS, args![last_old]).await?;
        crate::withdrawn::forget(tx, last_old).await?;
        removed.commits += tx.run(REMOVE_COMMITS, args![last_old]).await?;
        if tx.is_sqlite() {
            tx.run(REMOVE_SPANS, args![last_old / SPAN]).await?;
        }
    }
    Ok(removed)
}

fn int(row: Option<crate::sql::Row>) -> Result<i64, StoreError> {
    row.map_or(Ok(0), |row| row.int(0))
}
