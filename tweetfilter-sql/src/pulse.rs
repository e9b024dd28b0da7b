//! Numbers by which those who wait or keep a copy know that something has changed.

use tweetfilter_stream::store::StoreError;

use crate::database::Database;
use crate::sql::{Sql, Tx, args, statements};

statements! {
    ANSWERS = Sql::both("SELECT 1");
    PULSE = Sql::both(
        "SELECT name, value FROM state WHERE name IN ('commit', 'revision', 'tokens', 'own', 'rewritten')",
    );
    REWROTE = Sql::each(
        "INSERT INTO state (name, value) VALUES ('rewritten', 1) ON CONFLICT DO UPDATE SET value = value + 1",
        "INSERT INTO state (name, value) VALUES ('rewritten', 1) ON DUPLICATE KEY UPDATE value = value + 1",
    );
}

/// Numbers that rise when something changes; what waits for changes looks at these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// The last commit.
    pub commit: i64,
    /// Of accounts, filters and named sets.
    pub revision: i64,
    /// Of revoked tokens.
    pub tokens: i64,
    /// Of what accounts keep besides: reading positions, feeds, tokens. [`Database::own_changes`] says whose.
    pub own: i64,
    /// Of what stands in timelines without a commit of its own: results that a look back decided anew, what was
    /// forgotten, and what is shown again that was withheld.
    pub rewritten: i64,
}

impl Database {
    /// Looks whether it answers at all, whatever its tables are like.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn answers(&self) -> Result<(), StoreError> {
        self.rows(ANSWERS, args![]).await.map(|_| ())
    }

    /// What has changed, in one look.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn pulse(&self) -> Result<Pulse, StoreError> {
        let mut pulse = Pulse::default();
        for row in self.rows(PULSE, args![]).await? {
            let value = row.int(1)?;
            match row.text(0)?.as_str() {
                "commit" => pulse.commit = value,
                "revision" => pulse.revision = value,
                "own" => pulse.own = value,
                "rewritten" => pulse.rewritten = value,
                _ => pulse.tokens = value,
            }
        }
        Ok(pulse)
    }
}

/// Notes that timelines are others than before, and not by what was delivered. Last of a transaction: others wait for the row.
pub(crate) async fn rewrote(tx: &mut Tx) -> Result<(), StoreError> {
    tx.run(REWROTE, args![]).await.map(|_| ())
}
