//! Filters, and what workers know of them.

use std::collections::HashSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tweetfilter_core::Dialect;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::buffer::EntryId;
use tweetfilter_stream::fail::fail_point;
use tweetfilter_stream::store::{Action, Committed, Outcome, Snapshot, Store, StoreError, StoredFilter};

use crate::accounts::{self, raise};
use crate::basis::Basis;
use crate::budget::Holdings;
use crate::database::Database;
use crate::handles;
use crate::sets;
use crate::sql::{Boxed, Row, Sql, args, list, statements};

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
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    EDIT = Sql::both(
        "UPDATE filter SET name = ?, text = ?, dialect = ?, action = ?, enabled = ?, expires_at = ?, revision = ?
         WHERE id = ?",
    );
    COUNT = Sql::both("SELECT COUNT(*) FROM filter WHERE account = ?");
    REMOVE = Sql::both("DELETE FROM filter WHERE id = ?");
    // Each of the list is looked up, and not the list for each filter: `+` keeps the index of accounts out of it. Where a filter
    // stands is no change of it.
    ORDER = Sql::each(
        "UPDATE filter SET position = j.key + 1 FROM json_each(?1) j
         WHERE filter.id = j.value AND +filter.account = ?2 AND filter.position <> j.key + 1",
        "UPDATE JSON_TABLE(?, '$[*]' COLUMNS (place FOR ORDINALITY, id BIGINT PATH '$')) j
         STRAIGHT_JOIN filter f ON f.id = j.id SET f.position = j.place WHERE f.account = ? AND f.position <> j.place",
    );
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

/// A filter to be kept: a new one, or what another is to say.
#[derive(Clone, Copy, Debug)]
pub struct Save<'a> {
    /// The number of the filter that is replaced, and the revision that it must still be of.
    pub replaces: Option<(i64, Option<u64>)>,
    /// What it says.
    pub filter: &'a NewFilter,
    /// Whether it is used; without it a new one is, and another stays as it was.
    pub enabled: Option<bool>,
}

impl<'a> Save<'a> {
    /// A new filter, which is used.
    #[must_use]
    pub fn new(filter: &'a NewFilter) -> Self {
        Self { replaces: None, filter, enabled: None }
    }
}

/// What became of filters that were to be kept together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saved {
    /// All are kept, under these numbers.
    Done(Vec<i64>),
    /// None is: the account has so many already that it would have too many.
    TooMany(usize),
    /// None is: the account has no filter that the one of this place could replace.
    Missing(usize),
    /// None is: somebody has changed the filter that the one of this place would replace; of what revision it is now.
    Meanwhile(usize, u64),
    /// None is: the account's filters are others than those that were read.
    Others,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is made.
    Done,
    /// There is no such filter or set.
    Missing,
    /// Somebody has changed the filter or set; this is its revision now.
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
                sets: sets::shared(&mut tx).await?,
                own_sets: sets::of_each(&mut tx).await?,
                follows: accounts::follows(&mut tx).await?,
                handles: handles::known(&mut tx).await?,
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
        let committed = self.stored(outcome, leases).await?;
        fail_point("commit.after");
        Ok(committed)
    }
}

impl Database {
    fn stored<'a>(&'a self, outcome: &'a Outcome, leases: &'a [EntryId]) -> Boxed<'a, Committed> {
        Box::pin(self.store(outcome, leases))
    }

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
        let all: Vec<_> = filters.iter().map(Save::new).collect();
        match self.save_filters(account, &all, usize::MAX).await? {
            Saved::Done(ids) => Ok(ids),
            other => Err(StoreError::Unfit(format!("no filter was added: {other:?}"))),
        }
    }

    /// Adds and replaces filters of an account, all or none of them. It may have `most` of them then.
    ///
    /// # Errors
    /// As [`Database::add_filter`].
    pub async fn save_filters(
        &self,
        account: i64,
        all: &[Save<'_>],
        most: usize,
    ) -> Result<Saved, StoreError> {
        self.save_filters_on(account, all, most, None).await
    }

    /// As [`Database::save_filters`], if with a basis the account's filters are still those that were read: whoever
    /// decides by them what is to be added adds nothing that another has added meanwhile.
    ///
    /// # Errors
    /// As [`Database::add_filter`].
    pub async fn save_filters_on(
        &self,
        account: i64,
        all: &[Save<'_>],
        most: usize,
        basis: Option<Basis>,
    ) -> Result<Saved, StoreError> {
        let change = |held: &mut Holdings| all.iter().for_each(|save| held.save(save));
        let priced = self.write_priced(account, change).await;
        let is_over = matches!(priced, Err(StoreError::OverBudget(_)));
        // What another has added meanwhile may have been counted twice.
        if is_over
            && let Some(basis) = basis
            && Basis::of(&self.account_filters(account).await?) != basis
        {
            return Ok(Saved::Others);
        }
        let (mut turn, revision) = priced?;
        let tx = &mut turn.tx;
        // Nobody else changes filters until this has ended.
        if let Some(basis) = basis
            && Basis::read(tx, account).await? != basis
        {
            return Ok(Saved::Others);
        }
        let added = all.iter().filter(|save| save.replaces.is_none()).count();
        if added > 0 && most < usize::MAX {
            let held = tx.row(COUNT, args![account]).await?.map_or(Ok(0), |row| row.int(0))?;
            let held = usize::try_from(held).unwrap_or(usize::MAX);
            if held.saturating_add(added) > most {
                return Ok(Saved::TooMany(held));
            }
        }
        let mut position = tx.row(LAST, args![account]).await?.map_or(Ok(0), |row| row.int(0))?;
        let mut ids = Vec::with_capacity(all.len());
        for (index, Save { replaces, filter, enabled }) in all.iter().enumerate() {
            let NewFilter { name, text, dialect, action, expires_at } = filter;
            let (name, text, dialect, action) = (name.as_str(), text.as_str(), word(dialect), word(action));
            let Some((id, known)) = *replaces else {
                position += 1;
                let (on, at) = (enabled.unwrap_or(true), *expires_at);
                let values = args![account, position, name, text, dialect, action, on, at, revision];
                ids.push(tx.insert(ADD, values).await?);
                continue;
            };
            let row = tx.row(ONE, args![id]).await?.map(|row| filter_row(&row)).transpose()?;
            let Some(row) = row.filter(|row| row.account == account) else {
                return Ok(Saved::Missing(index));
            };
            if known.is_some_and(|known| known != row.revision) {
                return Ok(Saved::Meanwhile(index, row.revision));
            }
            let on = enabled.unwrap_or(row.enabled);
            let values = args![name, text, dialect, action, on, *expires_at, revision, id];
            tx.run(EDIT, values).await?;
            ids.push(id);
        }
        turn.commit().await?;
        Ok(Saved::Done(ids))
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
        let Some(row) = self.filter(id).await? else { return Ok(Changed::Missing) };
        let save = Save { replaces: Some((id, known)), filter, enabled };
        Ok(match self.save_filters(row.account, &[save], usize::MAX).await? {
            Saved::Meanwhile(_, now) => Changed::Meanwhile(now),
            Saved::Missing(_) => Changed::Missing,
            Saved::Done(_) | Saved::TooMany(_) | Saved::Others => Changed::Done,
        })
    }

    /// Switches a filter on or off. False if there is none.
    ///
    /// # Errors
    /// As [`Database::add_filter`], if it is switched on.
    pub async fn enable_filter(&self, id: i64, enabled: bool) -> Result<bool, StoreError> {
        loop {
            let Some(row) = self.filter(id).await? else { return Ok(false) };
            let known = Some(row.revision);
            match self.change_filter(id, known, &row.filter, Some(enabled)).await? {
                Changed::Done => return Ok(true),
                Changed::Missing => return Ok(false),
                // What somebody else has said of it meanwhile stays.
                Changed::Meanwhile(_) => {}
            }
        }
    }

    /// Removes a filter; what it matched stays. False if there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remove_filter(&self, id: i64) -> Result<bool, StoreError> {
        Ok(self.remove_filter_of(id, None).await? == Changed::Done)
    }

    /// The same of a filter that is still of a revision.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remove_filter_of(&self, id: i64, known: Option<u64>) -> Result<Changed, StoreError> {
        let mut turn = self.write().await?;
        // It locks out all who change filters.
        raise(&mut turn.tx).await?;
        let row = turn.tx.row(ONE, args![id]).await?.map(|row| filter_row(&row)).transpose()?;
        let Some(row) = row else { return Ok(Changed::Missing) };
        if known.is_some_and(|known| known != row.revision) {
            return Ok(Changed::Meanwhile(row.revision));
        }
        turn.tx.run(REMOVE, args![id]).await?;
        turn.commit().await?;
        Ok(Changed::Done)
    }

    /// Puts the filters of an account in an order; those that are not named come first, as they were.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn order_filters(&self, account: i64, ids: &[i64]) -> Result<(), StoreError> {
        self.order_filters_on(account, ids, None).await.map(|_| ())
    }

    /// The same, if with a basis the account's filters are still those that were read; whether they are.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn order_filters_on(
        &self,
        account: i64,
        ids: &[i64],
        basis: Option<Basis>,
    ) -> Result<bool, StoreError> {
        let mut turn = self.write().await?;
        raise(&mut turn.tx).await?;
        if let Some(basis) = basis
            && Basis::read(&mut turn.tx, account).await? != basis
        {
            return Ok(false);
        }
        let named: HashSet<&i64> = ids.iter().collect();
        let mut order = Vec::new();
        for row in turn.tx.rows(OF_ACCOUNT, args![account]).await? {
            let id = row.int(0)?;
            if !named.contains(&id) {
                order.push(id);
            }
        }
        order.extend_from_slice(ids);
        turn.tx.run(ORDER, args![list(&order)?, account]).await?;
        turn.commit().await?;
        Ok(true)
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

pub(crate) fn read_word<T: DeserializeOwned>(word: &str) -> Result<T, StoreError> {
    serde_json::from_value(Value::String(word.to_owned()))
        .map_err(|error| StoreError::Unfit(format!("a filter says {word}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::plan_of;

    #[tokio::test]
    async fn filters_are_put_in_order_by_looking_each_up() {
        let plan = plan_of(ORDER, args!["[]", 1]).await;
        let steps: Vec<_> = plan.iter().map(String::as_str).collect();
        assert!(
            matches!(steps[..], [list, filter] if list.starts_with("SCAN j VIRTUAL TABLE") && filter.contains("(rowid=?)")),
            "{steps:?}"
        );
    }
}
