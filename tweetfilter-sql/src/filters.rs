//! Filters and named sets, and what workers know of them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tweetfilter_core::Dialect;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::buffer::EntryId;
use tweetfilter_stream::fail::fail_point;
use tweetfilter_stream::store::{Action, Committed, Outcome, Snapshot, Store, StoreError, StoredFilter};

use crate::accounts::{self, raise};
use crate::database::Database;
use crate::sql::{Row, Sql, args, list, statements};

statements! {
    LIVE = Sql::both("SELECT id, account, text, dialect, action FROM filter WHERE enabled = 1 ORDER BY account, position, id");
    EXPIRED = Sql::both("SELECT id FROM filter WHERE enabled = 1 AND expires_at <= ?");
    EXPIRE = Sql::both("UPDATE filter SET enabled = 0 WHERE enabled = 1 AND expires_at <= ?");
    OF_ACCOUNT = Sql::both(
        "SELECT id, account, position, name, text, dialect, action, enabled, expires_at, revision FROM filter
         WHERE account = ? ORDER BY position, id",
    );
    ONE = Sql::both(
        "SELECT id, account, position, name, text, dialect, action, enabled, expires_at, revision FROM filter
         WHERE id = ?",
    );
    LAST = Sql::both("SELECT COALESCE(MAX(position), 0) FROM filter WHERE account = ?");
    ADD = Sql::both(
        "INSERT INTO filter (account, position, name, text, dialect, action, enabled, expires_at, revision)
         VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)",
    );
    EDIT = Sql::both(
        "UPDATE filter SET name = ?, text = ?, dialect = ?, action = ?, expires_at = ?, revision = ? WHERE id = ?",
    );
    ENABLE = Sql::both("UPDATE filter SET enabled = ?, revision = ? WHERE id = ?");
    REMOVE = Sql::both("DELETE FROM filter WHERE id = ?");
    ORDER = Sql::each(
        "UPDATE filter SET position = j.key + 1, revision = ?2 FROM json_each(?1) j
         WHERE filter.id = j.value AND filter.account = ?3",
        "UPDATE JSON_TABLE(?, '$[*]' COLUMNS (place FOR ORDINALITY, id BIGINT PATH '$')) j
         STRAIGHT_JOIN filter f ON f.id = j.id SET f.position = j.place, f.revision = ? WHERE f.account = ?",
    );
    SETS = Sql::both("SELECT name, terms FROM named_set ORDER BY name");
    SET = Sql::each(
        "INSERT INTO named_set (name, terms, revision) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET terms = excluded.terms, revision = excluded.revision",
        "INSERT INTO named_set (name, terms, revision) VALUES (?, ?, ?)
         ON DUPLICATE KEY UPDATE terms = VALUES(terms), revision = VALUES(revision)",
    );
    REMOVE_SET = Sql::both("DELETE FROM named_set WHERE name = ?");
}

/// A filter to be kept. Whoever adds it has parsed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewFilter {
    /// What people call it; may be empty.
    pub name: String,
    /// The expression.
    pub text: String,
    /// How it reads a post.
    pub dialect: Dialect,
    /// What a match does.
    pub action: Action,
    /// When it is switched off by itself.
    pub expires_at: Option<Millis>,
}

/// A filter as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterRow {
    /// Unique over all accounts, and never used again.
    pub id: i64,
    /// Whose it is.
    pub account: i64,
    /// Its place among the filters of its account.
    pub position: i64,
    /// What was said when it was added or changed last.
    pub filter: NewFilter,
    /// Whether it is used.
    pub enabled: bool,
    /// Of its last change.
    pub revision: u64,
}

impl Store for Database {
    async fn filters(&self, known: Option<u64>) -> Result<Option<Snapshot>, StoreError> {
        let now = self.now();
        if !self.rows(EXPIRED, args![now]).await?.is_empty() {
            let mut turn = self.write().await?;
            if turn.tx.run(EXPIRE, args![now]).await? > 0 {
                raise(&mut turn.tx).await?;
            }
            turn.commit().await?;
        }
        let mut tx = self.read().await?;
        let mut revision = accounts::revision(&mut tx).await?.cast_unsigned();
        let mut snapshot = None;
        while known != Some(revision) {
            let mut filters = Vec::new();
            for row in tx.rows(LIVE, args![]).await? {
                filters.push(StoredFilter {
                    id: row.int(0)?,
                    account: row.int(1)?,
                    text: row.text(2)?,
                    dialect: read_word(&row.text(3)?)?,
                    action: read_word(&row.text(4)?)?,
                });
            }
            let sets = tx.rows(SETS, args![]).await?;
            snapshot = Some(Snapshot {
                revision,
                accounts: accounts::all(&mut tx).await?,
                filters,
                sets: sets.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect::<Result<_, _>>()?,
                follows: accounts::follows(&mut tx).await?,
            });
            // Each read of MariaDB sees the newest: what was changed in between is not of this revision.
            let now = accounts::revision(&mut tx).await?.cast_unsigned();
            if now == revision {
                break;
            }
            revision = now;
        }
        tx.commit().await?;
        Ok(snapshot)
    }

    async fn commit(&self, outcome: &Outcome, leases: &[EntryId]) -> Result<Committed, StoreError> {
        fail_point("commit.before");
        let committed = self.store(outcome, leases).await?;
        fail_point("commit.after");
        Ok(committed)
    }
}

impl Database {
    /// Adds a filter behind the others of its account; returns its number.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn add_filter(&self, account: i64, filter: &NewFilter) -> Result<i64, StoreError> {
        let NewFilter { name, text, dialect, action, expires_at } = filter;
        let mut turn = self.write().await?;
        let revision = raise(&mut turn.tx).await?;
        let last = turn.tx.row(LAST, args![account]).await?.map_or(Ok(0), |row| row.int(0))?;
        let (dialect, action) = (word(dialect), word(action));
        let values =
            args![account, last + 1, name.as_str(), text.as_str(), dialect, action, *expires_at, revision];
        let id = turn.tx.insert(ADD, values).await?;
        turn.commit().await?;
        Ok(id)
    }

    /// The filters of an account, in its order.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn account_filters(&self, account: i64) -> Result<Vec<FilterRow>, StoreError> {
        self.rows(OF_ACCOUNT, args![account]).await?.iter().map(filter_row).collect()
    }

    /// One filter.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn filter(&self, id: i64) -> Result<Option<FilterRow>, StoreError> {
        self.rows(ONE, args![id]).await?.first().map(filter_row).transpose()
    }

    /// Replaces what a filter says. False if there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn edit_filter(&self, id: i64, filter: &NewFilter) -> Result<bool, StoreError> {
        let NewFilter { name, text, dialect, action, expires_at } = filter;
        let mut turn = self.write().await?;
        let revision = raise(&mut turn.tx).await?;
        let (dialect, action) = (word(dialect), word(action));
        let values = args![name.as_str(), text.as_str(), dialect, action, *expires_at, revision, id];
        let changed = turn.tx.run(EDIT, values).await? > 0;
        turn.commit().await?;
        Ok(changed)
    }

    /// Switches a filter on or off. False if there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn enable_filter(&self, id: i64, enabled: bool) -> Result<bool, StoreError> {
        let mut turn = self.write().await?;
        let revision = raise(&mut turn.tx).await?;
        let changed = turn.tx.run(ENABLE, args![enabled, revision, id]).await? > 0;
        turn.commit().await?;
        Ok(changed)
    }

    /// Removes a filter; what it matched stays. False if there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remove_filter(&self, id: i64) -> Result<bool, StoreError> {
        let mut turn = self.write().await?;
        raise(&mut turn.tx).await?;
        let removed = turn.tx.run(REMOVE, args![id]).await? > 0;
        turn.commit().await?;
        Ok(removed)
    }

    /// Puts the filters of an account in an order; those that are not named come first, as they were.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn order_filters(&self, account: i64, ids: &[i64]) -> Result<(), StoreError> {
        let mut turn = self.write().await?;
        let revision = raise(&mut turn.tx).await?;
        let mut order = Vec::new();
        for row in turn.tx.rows(OF_ACCOUNT, args![account]).await? {
            let id = row.int(0)?;
            if !ids.contains(&id) {
                order.push(id);
            }
        }
        order.extend_from_slice(ids);
        turn.tx.run(ORDER, args![list(&order)?, revision, account]).await?;
        turn.commit().await
    }

    /// Keeps a named set, its terms one a line; one of this name is replaced.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn set_named(&self, name: &str, terms: &str) -> Result<(), StoreError> {
        let mut turn = self.write().await?;
        let revision = raise(&mut turn.tx).await?;
        turn.tx.run(SET, args![name, terms, revision]).await?;
        turn.commit().await
    }

    /// All named sets, by name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn named_sets(&self) -> Result<Vec<(String, String)>, StoreError> {
        let rows = self.rows(SETS, args![]).await?;
        rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
    }

    /// Removes a named set. False if there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remove_named(&self, name: &str) -> Result<bool, StoreError> {
        let mut turn = self.write().await?;
        raise(&mut turn.tx).await?;
        let removed = turn.tx.run(REMOVE_SET, args![name]).await? > 0;
        turn.commit().await?;
        Ok(removed)
    }
}

fn filter_row(row: &Row) -> Result<FilterRow, StoreError> {
    let filter = NewFilter {
        name: row.text(3)?,
        text: row.text(4)?,
        dialect: read_word(&row.text(5)?)?,
        action: read_word(&row.text(6)?)?,
        expires_at: row.maybe_int(8)?,
    };
    Ok(FilterRow {
        id: row.int(0)?,
        account: row.int(1)?,
        position: row.int(2)?,
        filter,
        enabled: row.int(7)? != 0,
        revision: row.int(9)?.cast_unsigned(),
    })
}

/// The word for a value, the same as in JSON.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

fn read_word<T: DeserializeOwned>(word: &str) -> Result<T, StoreError> {
    serde_json::from_value(Value::String(word.to_owned()))
        .map_err(|error| StoreError::Unfit(format!("a filter says {word}: {error}")))
}
