//! Accounts that are no more: what they saw goes in small steps, so that nobody who commits waits for it.
//!
//! Their names, filters and tokens go at once, and [`timeline`](crate::Database::timeline) and
//! [`tail`](crate::Database::tail) show nothing of those who stand here. A worker may still know one for a moment, so each
//! is looked at again an hour later, and then forgotten.

use std::time::Duration;

use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::StoreError;

use crate::database::Database;
use crate::naming::Naming;
use crate::sql::{Sql, Tx, args, list, statements};

/// How long a worker may know an account that is gone.
const LATE: Duration = Duration::from_secs(3_600);
/// Rows of one step, and on SQLite spans of 256 commits.
const ROWS: i64 = 1_000;
const SPANS: i64 = 4;

statements! {
    NOTE = Sql::each(
        "INSERT INTO removed_account (account, removed_at, look_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        "INSERT INTO removed_account (account, removed_at, look_at) VALUES (?, ?, ?)
         ON DUPLICATE KEY UPDATE account = account",
    );
    NEXT = Sql::both("SELECT account, removed_at FROM removed_account WHERE look_at <= ? ORDER BY look_at LIMIT 1");
    LATER = Sql::both("UPDATE removed_account SET look_at = ? WHERE account = ?");
    DONE = Sql::both("DELETE FROM removed_account WHERE account = ?");
    // Packs are kept by their commits: each of a span is looked up by its number.
    OF_ACCOUNT = Sql::each("SELECT span FROM delivery_span WHERE account = ? ORDER BY span LIMIT +?", "");
    PACKS = Sql::each(
        "DELETE FROM delivery_pack WHERE account = ?1 AND commit_no IN (
             SELECT c.no FROM json_each(?2) s CROSS JOIN commit_log c
             WHERE c.no >= s.value * 256 AND c.no < s.value * 256 + 256)",
        "DELETE FROM delivery_pack WHERE account = ? ORDER BY commit_no LIMIT ?",
    );
    FORGET_SPANS = Sql::each(
        "DELETE FROM delivery_span WHERE account = ?1 AND span IN (SELECT value FROM json_each(?2))",
        "",
    );
    MATCHES = Sql::each(
        "DELETE FROM matches WHERE (account, filter, commit_no, post) IN (
             SELECT account, filter, commit_no, post FROM matches WHERE account = ? LIMIT ?)",
        "DELETE FROM matches WHERE account = ? ORDER BY filter, commit_no, post LIMIT ?",
    );
    SCOPE = Sql::both("DELETE FROM handle_scope WHERE scope = ?");
    NAMED = Sql::each(
        "DELETE FROM named_handle WHERE (scope, network, handle) IN (
             SELECT scope, network, handle FROM named_handle WHERE scope = ? LIMIT ?)",
        "DELETE FROM named_handle WHERE scope = ? ORDER BY network, handle LIMIT ?",
    );
}

impl Database {
    /// Removes a little of what accounts saw that are no more; false if nothing is to be removed for now. Call it until
    /// then, and let others work in between; cut off, it goes on where it was.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn forget_removed(&self) -> Result<bool, StoreError> {
        let now = self.now();
        // Mostly there is nothing, and that takes no turn of those who write.
        if self.rows(NEXT, args![now]).await?.is_empty() {
            return Ok(false);
        }
        let mut turn = self.write().await?;
        let tx = &mut turn.tx;
        let Some(row) = tx.row(NEXT, args![now]).await? else { return Ok(false) };
        let (account, removed_at) = (row.int(0)?, row.int(1)?);
        let scope = Naming::Account(account).to_string();
        let any_named = tx.run(SCOPE, args![&*scope]).await? | tx.run(NAMED, args![scope, ROWS]).await? > 0;
        let any_matches = tx.run(MATCHES, args![account, ROWS]).await? > 0;
        let left = packs(tx, account).await? | any_matches | any_named;
        let late = Millis::try_from(LATE.as_millis()).unwrap_or(Millis::MAX);
        if !left && now.saturating_sub(removed_at) >= late {
            tx.run(DONE, args![account]).await?;
        } else if !left {
            tx.run(LATER, args![now.saturating_add(late), account]).await?;
        }
        turn.commit().await?;
        Ok(true)
    }
}

/// Notes that what an account saw is to be removed.
pub(crate) async fn note(tx: &mut Tx, account: i64, now: Millis) -> Result<(), StoreError> {
    tx.run(NOTE, args![account, now, now]).await.map(|_| ())
}

/// Removes some packs of an account; whether there were any.
async fn packs(tx: &mut Tx, account: i64) -> Result<bool, StoreError> {
    if !tx.is_sqlite() {
        return Ok(tx.run(PACKS, args![account, ROWS]).await? > 0);
    }
    let rows = tx.rows(OF_ACCOUNT, args![account, SPANS]).await?;
    let spans = rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>, _>>()?;
    if !spans.is_empty() {
        let spans = list(&spans)?;
        tx.run(PACKS, args![account, spans.clone()]).await?;
        tx.run(FORGET_SPANS, args![account, spans]).await?;
    }
    Ok(!rows.is_empty())
}
