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
use crate::budget;
use crate::database::Database;
use crate::lookup;
use crate::sql::{Row, Sql, Tx, args, list, statements};

statements! {
    LIVE = Sql::both("SELECT id, account, text, dialect, action FROM filter WHERE enabled = 1 ORDER BY account, position, id");
    EXPIRED = Sql::both("SELECT id FROM filter WHERE enabled = 1 AND expires_at <= ?");
    EXPIRE = Sql::both("UPDATE filter SET enabled = 0, revision = ? WHERE enabled = 1 AND expires_at <= ?");
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
    OWN_SETS = Sql::both("SELECT account, name, terms FROM account_set ORDER BY account, name");
    SETS_OF = Sql::both("SELECT account, name, terms FROM account_set WHERE account = ? ORDER BY name");
    OWN_SET = Sql::each(
        "INSERT INTO account_set (account, name, terms, revision) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET terms = excluded.terms, revision = excluded.revision",
        "INSERT INTO account_set (account, name, terms, revision) VALUES (?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE terms = VALUES(terms), revision = VALUES(revision)",
    );
    REMOVE_OWN = Sql::both("DELETE FROM account_set WHERE account = ? AND name = ?");
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

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is kept.
    Done,
    /// There is no such filter.
    Missing,
    /// Somebody has changed the filter; this is its revision now.
    Meanwhile(u64),
}

impl Store for Database {
    async fn filters(&self, known: Option<u64>) -> Result<Option<Snapshot>, StoreError> {
        let now = self.now();
        if !self.rows(EXPIRED, args![now]).await?.is_empty() {
            let mut turn = self.write().await?;
            let revision = raise(&mut turn.tx).await?;
            // If another was first, nothing is changed, the revision neither.
            if turn.tx.run(EXPIRE, args![revision, now]).await? > 0 {
                turn.commit().await?;
            }
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
            snapshot = Some(Snapshot {
                revision,
                accounts: accounts::all(&mut tx).await?,
                filters,
                sets: sets(&mut tx).await?,
                own_sets: own_sets(&mut tx, None).await?,
                follows: accounts::follows(&mut tx).await?,
                handles: lookup::known(&mut tx).await?,
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
    /// [`StoreError::OverBudget`] if the account's filters would cost more than they may; see [`StoreError`].
    pub async fn add_filter(&self, account: i64, filter: &NewFilter) -> Result<i64, StoreError> {
        let ids = self.add_filters(account, std::slice::from_ref(filter)).await?;
        ids.first().copied().ok_or_else(|| StoreError::Unfit("no filter was added".to_owned()))
    }

    /// Adds filters behind the others of an account, all or none of them; returns their numbers.
    ///
    /// # Errors
    /// As [`Database::add_filter`].
    pub async fn add_filters(&self, account: i64, filters: &[NewFilter]) -> Result<Vec<i64>, StoreError> {
        let mut turn = self.write().await?;
        let revision = raise(&mut turn.tx).await?;
        let mut position = turn.tx.row(LAST, args![account]).await?.map_or(Ok(0), |row| row.int(0))?;
        let mut ids = Vec::with_capacity(filters.len());
        for NewFilter { name, text, dialect, action, expires_at } in filters {
            position += 1;
            let (dialect, action) = (word(dialect), word(action));
            let values = args![
                account,
                position,
                name.as_str(),
                text.as_str(),
                dialect,
                action,
                *expires_at,
                revision
            ];
            ids.push(turn.tx.insert(ADD, values).await?);
        }
        budget::hold(&mut turn.tx, account, self.budget).await?;
        turn.commit().await?;
        Ok(ids)
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

    /// Replaces what a filter says. False if there is none. What makes the filters of an account cheaper is always
    /// possible.
    ///
    /// # Errors
    /// As [`Database::add_filter`].
    pub async fn edit_filter(&self, id: i64, filter: &NewFilter) -> Result<bool, StoreError> {
        Ok(self.change_filter(id, None, filter, None).await? == Changed::Done)
    }

    /// Replaces what a filter says, and whether it is used, if it is still of a revision.
    ///
    /// # Errors
    /// As [`Database::add_filter`].
    pub async fn change_filter(
        &self,
        id: i64,
        known: Option<u64>,
        filter: &NewFilter,
        enabled: Option<bool>,
    ) -> Result<Changed, StoreError> {
        let NewFilter { name, text, dialect, action, expires_at } = filter;
        let mut turn = self.write().await?;
        // It locks out all who change filters.
        let revision = raise(&mut turn.tx).await?;
        let Some(row) = turn.tx.row(ONE, args![id]).await? else { return Ok(Changed::Missing) };
        let now = filter_row(&row)?.revision;
        if known.is_some_and(|known| known != now) {
            return Ok(Changed::Meanwhile(now));
        }
        let account = row.int(1)?;
        let before = budget::of(&mut turn.tx, account).await?;
        let (dialect, action) = (word(dialect), word(action));
        let values = args![name.as_str(), text.as_str(), dialect, action, *expires_at, revision, id];
        turn.tx.run(EDIT, values).await?;
        if let Some(enabled) = enabled {
            turn.tx.run(ENABLE, args![enabled, revision, id]).await?;
        }
        budget::hold(&mut turn.tx, account, self.budget.max(before)).await?;
        turn.commit().await?;
        Ok(Changed::Done)
    }

    /// Switches a filter on or off. False if there is none.
    ///
    /// # Errors
    /// As [`Database::add_filter`], if it is switched on.
    pub async fn enable_filter(&self, id: i64, enabled: bool) -> Result<bool, StoreError> {
        let mut turn = self.write().await?;
        let revision = raise(&mut turn.tx).await?;
        let Some(row) = turn.tx.row(ONE, args![id]).await? else { return Ok(false) };
        turn.tx.run(ENABLE, args![enabled, revision, id]).await?;
        if enabled && row.int(7)? == 0 {
            budget::hold(&mut turn.tx, row.int(1)?, self.budget).await?;
        }
        turn.commit().await?;
        Ok(true)
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

    /// Keeps a named set of an account, or with `None` one that the filters of all accounts know; its terms one a line.
    /// One of this name is replaced.
    ///
    /// # Errors
    /// [`StoreError::OverBudget`] if the account's filters would cost more with it than they may; see [`StoreError`].
    pub async fn set_named(&self, account: Option<i64>, name: &str, terms: &str) -> Result<(), StoreError> {
        let mut turn = self.write().await?;
        let revision = raise(&mut turn.tx).await?;
        match account {
            None => turn.tx.run(SET, args![name, terms, revision]).await?,
            Some(account) => {
                let before = budget::of(&mut turn.tx, account).await?;
                let done = turn.tx.run(OWN_SET, args![account, name, terms, revision]).await?;
                budget::hold(&mut turn.tx, account, self.budget.max(before)).await?;
                done
            }
        };
        turn.commit().await
    }

    /// The named sets of an account, or with `None` those of all, by name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn named_sets(&self, account: Option<i64>) -> Result<Vec<(String, String)>, StoreError> {
        let mut tx = self.read().await?;
        let sets = match account {
            None => sets(&mut tx).await?,
            Some(account) => own_sets(&mut tx, Some(account))
                .await?
                .into_iter()
                .map(|(_, name, terms)| (name, terms))
                .collect(),
        };
        tx.commit().await?;
        Ok(sets)
    }

    /// The named sets of all, then those of each account with its number.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn all_named_sets(&self) -> Result<Vec<(Option<i64>, String, String)>, StoreError> {
        let mut tx = self.read().await?;
        let shared = sets(&mut tx).await?.into_iter().map(|(name, terms)| (None, name, terms));
        let own = own_sets(&mut tx, None).await?.into_iter();
        let all = shared.chain(own.map(|(account, name, terms)| (Some(account), name, terms))).collect();
        tx.commit().await?;
        Ok(all)
    }

    /// Removes a named set of an account, or with `None` one of all. False if there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remove_named(&self, account: Option<i64>, name: &str) -> Result<bool, StoreError> {
        let mut turn = self.write().await?;
        raise(&mut turn.tx).await?;
        let removed = match account {
            None => turn.tx.run(REMOVE_SET, args![name]).await?,
            Some(account) => turn.tx.run(REMOVE_OWN, args![account, name]).await?,
        };
        turn.commit().await?;
        Ok(removed > 0)
    }
}

/// The lists of an account, or of each.
pub(crate) async fn own_sets(
    tx: &mut Tx,
    account: Option<i64>,
) -> Result<Vec<(i64, String, String)>, StoreError> {
    let rows = match account {
        Some(account) => tx.rows(SETS_OF, args![account]).await?,
        None => tx.rows(OWN_SETS, args![]).await?,
    };
    rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?, row.text(2)?))).collect()
}

/// The lists of all.
pub(crate) async fn sets(tx: &mut Tx) -> Result<Vec<(String, String)>, StoreError> {
    tx.rows(SETS, args![]).await?.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
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

pub(crate) fn read_word<T: DeserializeOwned>(word: &str) -> Result<T, StoreError> {
    serde_json::from_value(Value::String(word.to_owned()))
        .map_err(|error| StoreError::Unfit(format!("a filter says {word}: {error}")))
}
