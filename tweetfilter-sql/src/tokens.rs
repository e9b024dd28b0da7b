//! Tokens: what a program or a page shows to act for an account. Only their digests are kept.

use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::StoreError;

use crate::database::Database;
use crate::lists::numbers;
use crate::places;
use crate::pulse::Pulse;
use crate::revoked;
use crate::sql::{Row, Sql, Tx, args, list, statements};

statements! {
    ADD = Sql::both("INSERT INTO token (account, name, digest, scope, created_at) VALUES (?, ?, ?, ?, ?)");
    COUNT = Sql::both("SELECT COUNT(*) FROM token WHERE account = ?");
    MADE_BEFORE = Sql::both("SELECT id, account, name, scope FROM token WHERE digest = ?");
    // With what has changed: who asks wants to know that next.
    OF_DIGEST = Sql::both(
        "SELECT t.id, t.account, t.name, t.scope, t.created_at, a.name,
             (SELECT value FROM state WHERE name = 'commit'), (SELECT value FROM state WHERE name = 'revision'),
             (SELECT value FROM state WHERE name = 'tokens'), (SELECT value FROM state WHERE name = 'own'),
             COALESCE((SELECT value FROM state WHERE name = 'rewritten'), 0)
         FROM token t JOIN account a ON a.id = t.account WHERE t.digest = ?",
    );
    ALL = Sql::both(
        "SELECT t.id, t.account, t.name, t.scope, t.created_at, a.name FROM token t
         JOIN account a ON a.id = t.account ORDER BY t.id",
    );
    OF_ACCOUNT = Sql::both(
        "SELECT t.id, t.account, t.name, t.scope, t.created_at, a.name, u.at FROM token t
         JOIN account a ON a.id = t.account LEFT JOIN token_use u ON u.token = t.id
         WHERE t.account = ? ORDER BY t.id",
    );
    WHOSE = Sql::both("SELECT account FROM token WHERE id = ?");
    // One that was revoked meanwhile leaves nothing behind.
    USED = Sql::each(
        "INSERT INTO token_use (token, at) SELECT id, ? FROM token WHERE id IN (SELECT value FROM json_each(?))
         ON CONFLICT DO UPDATE SET at = excluded.at",
        concat!(
            "INSERT INTO token_use (token, at) SELECT id, ? FROM token WHERE id IN (SELECT n FROM ",
            numbers!(),
            ") ON DUPLICATE KEY UPDATE at = VALUES(at)"
        ),
    );
    UNUSED = Sql::both("DELETE FROM token_use WHERE token = ?");
    UNUSED_OF = Sql::both("DELETE FROM token_use WHERE token IN (SELECT id FROM token WHERE account = ?)");
    REVOKE = Sql::both("DELETE FROM token WHERE id = ?");
    REVOKE_OF = Sql::both("DELETE FROM token WHERE account = ?");
    RAISE = Sql::both("UPDATE state SET value = value + 1 WHERE name = 'tokens'");
    PROBE = Sql::both("UPDATE state SET value = ? WHERE name = 'probe'");
}

/// What a token may do; each includes those before it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// See what the account sees.
    Read,
    /// Change its filters too.
    #[default]
    Write,
    /// And see how the whole server is, and try dead letters again.
    Admin,
}

/// A token, without what is secret of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// Whom it acts for.
    pub account: i64,
    /// The account's name.
    pub account_name: String,
    /// What people call it; may be empty.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was made.
    pub created_at: Millis,
}

/// What came of keeping something that is known by its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It is kept, and this is its number.
    Now(i64),
    /// The same was kept before, under this number.
    Before(i64),
    /// There is something of this secret already, and it is another.
    Otherwise,
    /// There was something of this secret, which was revoked.
    Revoked,
    /// The account has as many as it may.
    TooMany,
}

impl Database {
    /// Keeps a token of an account by the digest of its secret; returns its number.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn add_token(
        &self,
        account: i64,
        name: &str,
        digest: &str,
        scope: Scope,
    ) -> Result<i64, StoreError> {
        let refused = |why: &str| Err(StoreError::Refused(why.to_owned()));
        match self.add_token_within(account, name, digest, scope, usize::MAX).await? {
            Made::Now(id) | Made::Before(id) => Ok(id),
            Made::Otherwise => refused("there is another token of this secret"),
            Made::Revoked => refused("a token of this secret was revoked"),
            Made::TooMany => refused("the account has too many tokens"),
        }
    }

    /// The same, if the account has fewer tokens than so many.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn add_token_within(
        &self,
        account: i64,
        name: &str,
        digest: &str,
        scope: Scope,
        most: usize,
    ) -> Result<Made, StoreError> {
        let now = self.now();
        let mut turn = self.write().await?;
        // First, since it locks: whoever adds at the same time waits here, and then counts this one too.
        places::changed(&mut turn.tx, account).await?;
        if let Some(row) = turn.tx.row(MADE_BEFORE, args![digest]).await? {
            let is_same = row.int(1)? == account && row.text(2)? == name && row.text(3)? == word(scope);
            return Ok(if is_same { Made::Before(row.int(0)?) } else { Made::Otherwise });
        }
        if revoked::is_revoked(&mut turn.tx, digest).await? {
            return Ok(Made::Revoked);
        }
        let held = turn.tx.row(COUNT, args![account]).await?.map_or(Ok(0), |row| row.int(0))?;
        if usize::try_from(held).unwrap_or(usize::MAX) >= most {
            return Ok(Made::TooMany);
        }
        let id = turn.tx.insert(ADD, args![account, name, digest, word(scope), now]).await?;
        turn.commit().await?;
        Ok(Made::Now(id))
    }

    /// The token of a digest, and what has changed up to now.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn token(&self, digest: &str) -> Result<Option<(Token, Pulse)>, StoreError> {
        let rows = self.rows(OF_DIGEST, args![digest]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let pulse = Pulse {
            commit: row.int(6)?,
            revision: row.int(7)?,
            tokens: row.int(8)?,
            own: row.int(9)?,
            rewritten: row.int(10)?,
        };
        Ok(Some((token(row)?, pulse)))
    }

    /// All tokens, in order of their numbers.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.rows(ALL, args![]).await?.iter().map(token).collect()
    }

    /// The tokens of an account, in order of their numbers, and when each was used last, give or take some minutes.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn account_tokens(&self, account: i64) -> Result<Vec<(Token, Option<Millis>)>, StoreError> {
        let rows = self.rows(OF_ACCOUNT, args![account]).await?;
        rows.iter().map(|row| Ok((token(row)?, row.maybe_int(6)?))).collect()
    }

    /// Notes that tokens are used, all of them in one write. Those that are there no more are passed over.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn tokens_used(&self, ids: &[i64]) -> Result<(), StoreError> {
        self.run(USED, args![self.now(), list(ids)?]).await.map(|_| ())
    }

    /// Revokes a token: from now on it opens nothing, and none is made of its secret. False if there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn revoke_token(&self, id: i64) -> Result<bool, StoreError> {
        let now = self.now();
        let mut turn = self.write().await?;
        if let Some(row) = turn.tx.row(WHOSE, args![id]).await? {
            let account = row.int(0)?;
            places::changed(&mut turn.tx, account).await?;
            revoked::token(&mut turn.tx, account, id, now).await?;
        }
        turn.tx.run(UNUSED, args![id]).await?;
        let revoked = turn.tx.run(REVOKE, args![id]).await? > 0;
        turn.tx.run(RAISE, args![]).await?;
        turn.commit().await?;
        Ok(revoked)
    }

    /// Writes a little, to see that writing is possible: a full or read-only disk answers reads.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.run(PROBE, args![self.now()]).await.map(|_| ())
    }
}

/// Revokes all tokens of an account.
pub(crate) async fn revoke_all(tx: &mut Tx, account: i64) -> Result<(), StoreError> {
    tx.run(UNUSED_OF, args![account]).await?;
    tx.run(REVOKE_OF, args![account]).await?;
    tx.run(RAISE, args![]).await?;
    Ok(())
}

fn token(row: &Row) -> Result<Token, StoreError> {
    Ok(Token {
        id: row.int(0)?,
        account: row.int(1)?,
        name: row.text(2)?,
        scope: match row.text(3)?.as_str() {
            "read" => Scope::Read,
            "write" => Scope::Write,
            "admin" => Scope::Admin,
            other => return Err(StoreError::Unfit(format!("a token's scope says {other}"))),
        },
        created_at: row.int(4)?,
        account_name: row.text(5)?,
    })
}

fn word(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read",
        Scope::Write => "write",
        Scope::Admin => "admin",
    }
}
