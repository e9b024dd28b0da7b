//! What an account left where: how far it has read, and the secret addresses of its feeds.

use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::StoreError;

use crate::database::Database;
use crate::revoked;
use crate::sql::{Row, Sql, Tx, args, statements};
use crate::timeline::Cursor;
use crate::tokens::Made;

statements! {
    READ_UP_TO = Sql::both("SELECT place, commit_no, post, at FROM reading WHERE account = ? ORDER BY place");
    READ = Sql::each(
        "INSERT INTO reading (account, place, commit_no, post, at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET commit_no = excluded.commit_no, post = excluded.post, at = excluded.at",
        "INSERT INTO reading (account, place, commit_no, post, at) VALUES (?, ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE commit_no = VALUES(commit_no), post = VALUES(post), at = VALUES(at)",
    );
    ADD_FEED = Sql::both("INSERT INTO feed (account, filter, digest, created_at) VALUES (?, ?, ?, ?)");
    FEEDS = Sql::both("SELECT id, account, filter, created_at FROM feed WHERE account = ? ORDER BY id");
    FEEDS_HELD = Sql::both("SELECT COUNT(*) FROM feed WHERE account = ?");
    FEED = Sql::both("SELECT id, account, filter, created_at FROM feed WHERE digest = ?");
    INSTALLATION = Sql::both("SELECT value FROM state WHERE name = 'installation'");
    INSTALLED = Sql::each(
        "INSERT INTO state (name, value) VALUES ('installation', ?) ON CONFLICT DO NOTHING",
        "INSERT INTO state (name, value) VALUES ('installation', ?) ON DUPLICATE KEY UPDATE value = state.value",
    );
    REMOVE_FEED = Sql::both("DELETE FROM feed WHERE account = ? AND id = ?");
    RAISE = Sql::both("UPDATE state SET value = value + 1 WHERE name = 'own'");
    CHANGED = Sql::each(
        "INSERT INTO own_change (account, no) SELECT ?, value FROM state WHERE name = 'own'
         ON CONFLICT DO UPDATE SET no = excluded.no",
        "INSERT INTO own_change (account, no) SELECT ?, value FROM state WHERE name = 'own'
         ON DUPLICATE KEY UPDATE no = VALUES(no)",
    );
    CHANGES = Sql::both("SELECT account, no FROM own_change WHERE no > ? ORDER BY no");
    FORGET_CHANGES = Sql::both("DELETE FROM own_change WHERE account = ?");
    FORGET_READING = Sql::both("DELETE FROM reading WHERE account = ?");
    FORGET_FEEDS = Sql::both("DELETE FROM feed WHERE account = ?");
}

/// How far somebody has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Which timeline: a name of the reader's choosing.
    pub place: String,
    /// Up to which post.
    pub up_to: Cursor,
    /// When that was said.
    pub at: Millis,
}

/// The results of a filter at a secret address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub account: i64,
    /// Of which filter.
    pub filter: i64,
    /// When it was made.
    pub created_at: Millis,
}

impl Database {
    /// How far an account has read, by place.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn readings(&self, account: i64) -> Result<Vec<Reading>, StoreError> {
        let rows = self.rows(READ_UP_TO, args![account]).await?;
        let reading = |row: &Row| {
            let up_to = Cursor { commit: row.int(1)?, post: row.int(2)? };
            Ok(Reading { place: row.text(0)?, up_to, at: row.int(3)? })
        };
        rows.iter().map(reading).collect()
    }

    /// Keeps how far an account has read in a place. False if it has `most` places already, and this is none of them.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn set_reading(
        &self,
        account: i64,
        place: &str,
        up_to: Cursor,
        most: usize,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let mut turn = self.write().await?;
        // First, since it locks: whoever adds at the same time waits here, and then counts this one too.
        changed(&mut turn.tx, account).await?;
        let known = turn.tx.rows(READ_UP_TO, args![account]).await?;
        let mut is_new = true;
        for row in &known {
            is_new &= row.text(0)? != place;
        }
        if is_new && known.len() >= most {
            return Ok(false);
        }
        turn.tx.run(READ, args![account, place, up_to.commit, up_to.post, now]).await?;
        turn.commit().await?;
        Ok(true)
    }

    /// Keeps a feed of a filter by the digest of its address, if the account has fewer feeds than so many.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn add_feed(
        &self,
        account: i64,
        filter: i64,
        digest: &str,
        most: usize,
    ) -> Result<Made, StoreError> {
        let now = self.now();
        let mut turn = self.write().await?;
        // First, since it locks, as above.
        changed(&mut turn.tx, account).await?;
        if let Some(before) = turn.tx.row(FEED, args![digest]).await?.as_ref().map(feed).transpose()? {
            let is_same = (before.account, before.filter) == (account, filter);
            return Ok(if is_same { Made::Before(before.id) } else { Made::Otherwise });
        }
        if revoked::is_revoked(&mut turn.tx, digest).await? {
            return Ok(Made::Revoked);
        }
        let held = turn.tx.row(FEEDS_HELD, args![account]).await?.map_or(Ok(0), |row| row.int(0))?;
        if usize::try_from(held).unwrap_or(usize::MAX) >= most {
            return Ok(Made::TooMany);
        }
        let id = turn.tx.insert(ADD_FEED, args![account, filter, digest, now]).await?;
        turn.commit().await?;
        Ok(Made::Now(id))
    }

    /// The feeds of an account.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn feeds(&self, account: i64) -> Result<Vec<Feed>, StoreError> {
        self.rows(FEEDS, args![account]).await?.iter().map(feed).collect()
    }

    /// The feed of a digest.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn feed(&self, digest: &str) -> Result<Option<Feed>, StoreError> {
        self.rows(FEED, args![digest]).await?.first().map(feed).transpose()
    }

    /// The number that tells this store from all others, for as long as it lasts: where it has none yet, one at random that
    /// the caller gives.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn installation(&self, random: i64) -> Result<i64, StoreError> {
        if let Some(number) = self.installed().await? {
            return Ok(number);
        }
        let mut turn = self.write().await?;
        // Somebody else may have come first.
        turn.tx.run(INSTALLED, args![random]).await?;
        let number = turn.tx.row(INSTALLATION, args![]).await?.map_or(Ok(random), |row| row.int(0))?;
        turn.commit().await?;
        Ok(number)
    }

    /// The same where it has one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn installed(&self) -> Result<Option<i64>, StoreError> {
        self.rows(INSTALLATION, args![]).await?.first().map(|row| row.int(0)).transpose()
    }

    /// Revokes a feed of an account: its address is of no use any more, and no feed is made of its secret. False if it has
    /// none of this number.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remove_feed(&self, account: i64, id: i64) -> Result<bool, StoreError> {
        let now = self.now();
        let mut turn = self.write().await?;
        changed(&mut turn.tx, account).await?;
        revoked::feed(&mut turn.tx, account, id, now).await?;
        let removed = turn.tx.run(REMOVE_FEED, args![account, id]).await? > 0;
        turn.commit().await?;
        Ok(removed)
    }

    /// Accounts whose reading positions, feeds or tokens changed after a number, with the number of that change: see
    /// [`Pulse::own`](crate::Pulse::own).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn own_changes(&self, after: i64) -> Result<Vec<(i64, i64)>, StoreError> {
        let rows = self.rows(CHANGES, args![after]).await?;
        rows.iter().map(|row| Ok((row.int(0)?, row.int(1)?))).collect()
    }
}

/// Notes that something of an account changed which no revision counts.
pub(crate) async fn changed(tx: &mut Tx, account: i64) -> Result<(), StoreError> {
    tx.run(RAISE, args![]).await?;
    tx.run(CHANGED, args![account]).await?;
    Ok(())
}

/// Forgets all of it with an account.
pub(crate) async fn forget_all(tx: &mut Tx, account: i64) -> Result<(), StoreError> {
    tx.run(FORGET_READING, args![account]).await?;
    tx.run(FORGET_FEEDS, args![account]).await?;
    tx.run(FORGET_CHANGES, args![account]).await?;
    Ok(())
}

fn feed(row: &Row) -> Result<Feed, StoreError> {
    Ok(Feed { id: row.int(0)?, account: row.int(1)?, filter: row.int(2)?, created_at: row.int(3)? })
}
