//! Secrets that were revoked: who still has one does not bring it back to life by making something with it again.

use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::StoreError;

use crate::database::Database;
use crate::sql::{Sql, Tx, args, statements};
use crate::tokens::Made;

statements! {
    TOKEN = Sql::each(
        "INSERT INTO revoked_secret (account, digest, at) SELECT account, digest, ? FROM token WHERE id = ?
         ON CONFLICT DO UPDATE SET at = excluded.at",
        "INSERT INTO revoked_secret (account, digest, at) SELECT account, digest, ? FROM token WHERE id = ?
         ON DUPLICATE KEY UPDATE at = VALUES(at)",
    );
    FEED = Sql::each(
        "INSERT INTO revoked_secret (account, digest, at)
         SELECT account, digest, ? FROM feed WHERE account = ? AND id = ?
         ON CONFLICT DO UPDATE SET at = excluded.at",
        "INSERT INTO revoked_secret (account, digest, at)
         SELECT account, digest, ? FROM feed WHERE account = ? AND id = ?
         ON DUPLICATE KEY UPDATE at = VALUES(at)",
    );
    IS_REVOKED = Sql::both("SELECT id FROM revoked_secret WHERE digest = ?");
    KNOWN = Sql::both(
        "SELECT 0 FROM token WHERE digest = ? UNION ALL SELECT 0 FROM feed WHERE digest = ?
         UNION ALL SELECT 1 FROM revoked_secret WHERE digest = ?",
    );
    TOO_OLD = Sql::both("SELECT id FROM revoked_secret WHERE account = ? ORDER BY id DESC LIMIT 1 OFFSET ?");
    FORGET = Sql::both("DELETE FROM revoked_secret WHERE account = ? AND id <= ?");
    FORGET_ALL = Sql::both("DELETE FROM revoked_secret WHERE account = ?");
}

/// Secrets of an account that are known to be revoked: of more, those that were revoked first are forgotten. They are
/// not forgotten by time, since nobody forgets a secret that leaked.
const MOST: i64 = 10_000;

impl Database {
    /// What would come of keeping something else by a digest: [`Made::Otherwise`] where a token or a feed is kept by it,
    /// [`Made::Revoked`] where one was; `None` where it is free.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn known_secret(&self, digest: &str) -> Result<Option<Made>, StoreError> {
        let rows = self.rows(KNOWN, args![digest, digest, digest]).await?;
        let known = rows.first().map(|row| row.int(0)).transpose()?;
        Ok(known.map(|revoked| if revoked == 0 { Made::Otherwise } else { Made::Revoked }))
    }
}

/// Notes that a token of an account is about to be revoked.
pub(crate) async fn token(tx: &mut Tx, account: i64, id: i64, now: Millis) -> Result<(), StoreError> {
    tx.run(TOKEN, args![now, id]).await?;
    bound(tx, account).await
}

/// Notes that a feed of an account is about to be revoked.
pub(crate) async fn feed(tx: &mut Tx, account: i64, id: i64, now: Millis) -> Result<(), StoreError> {
    tx.run(FEED, args![now, account, id]).await?;
    bound(tx, account).await
}

async fn bound(tx: &mut Tx, account: i64) -> Result<(), StoreError> {
    if let Some(row) = tx.row(TOO_OLD, args![account, MOST]).await? {
        tx.run(FORGET, args![account, row.int(0)?]).await?;
    }
    Ok(())
}

/// Whether something of this digest was revoked, whosever it was.
pub(crate) async fn is_revoked(tx: &mut Tx, digest: &str) -> Result<bool, StoreError> {
    Ok(tx.row(IS_REVOKED, args![digest]).await?.is_some())
}

/// Forgets all of it with an account.
pub(crate) async fn forget_all(tx: &mut Tx, account: i64) -> Result<(), StoreError> {
    tx.run(FORGET_ALL, args![account]).await.map(|_| ())
}
