//! Who names which handles: stated by whoever looks them up, as of the filters that there are.
//!
//! What names handles is a scope: an account with its filters, lists, identities and follows, or a list that the filters of
//! all know. What nothing names any more is forgotten.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::StoreError;

use crate::accounts::{raise, revision};
use crate::database::Database;
use crate::digest::digest;
use crate::handles::{FRESH, NOBODY, millis};
use crate::lists::handles;
use crate::sql::{Sql, Tx, args, list, statements};

/// Handles that are written at once.
const ROWS: usize = 5_000;
/// When a list that an account names is due: never, since it is none of its handles.
const NEVER: Millis = Millis::MAX;

statements! {
    SCOPES = Sql::both("SELECT scope, digest FROM handle_scope WHERE network = ?");
    ADD_SCOPE = Sql::each(
        "INSERT INTO handle_scope (scope, network, digest, turn) VALUES (?, ?, ?, 0)
         ON CONFLICT DO UPDATE SET digest = excluded.digest",
        "INSERT INTO handle_scope (scope, network, digest, turn) VALUES (?, ?, ?, 0)
         ON DUPLICATE KEY UPDATE digest = VALUES(digest)",
    );
    DROP_SCOPE = Sql::both("DELETE FROM handle_scope WHERE scope = ? AND network = ?");
    OF_SCOPE = Sql::both("SELECT handle FROM named_handle WHERE scope = ? AND network = ?");
    // One that another names already is due with that, and one that is known when its answer is old.
    NAME = Sql::each(
        "INSERT INTO named_handle (scope, network, handle, due_at)
         SELECT ?1, ?2, j.value, COALESCE((SELECT MAX(n.due_at) FROM named_handle n
             WHERE n.network = ?2 AND n.handle = j.value), (SELECT CASE WHEN h.asked_at = 0 THEN 0 WHEN h.author_id IS NULL
             THEN h.asked_at + ?3 ELSE h.asked_at + ?4 END FROM handle h WHERE h.network = ?2 AND h.handle = j.value), 0)
         FROM json_each(?5) j WHERE true ON CONFLICT DO NOTHING",
        concat!(
            "INSERT INTO named_handle (scope, network, handle, due_at)
             SELECT ?, ?, j.handle, COALESCE((SELECT MAX(n.due_at) FROM named_handle n
                 WHERE n.network = ? AND n.handle = j.handle), (SELECT CASE WHEN h.asked_at = 0 THEN 0 WHEN h.author_id IS NULL
                 THEN h.asked_at + ? ELSE h.asked_at + ? END FROM handle h WHERE h.network = ? AND h.handle = j.handle), 0)
             FROM ", handles!(), " ON DUPLICATE KEY UPDATE due_at = named_handle.due_at"
        ),
    );
    NAME_LISTS = Sql::each(
        "INSERT INTO named_handle (scope, network, handle, due_at) SELECT ?, ?, value, ? FROM json_each(?) WHERE true
         ON CONFLICT DO NOTHING",
        concat!(
            "INSERT INTO named_handle (scope, network, handle, due_at) SELECT ?, ?, j.handle, ? FROM ", handles!(),
            " ON DUPLICATE KEY UPDATE due_at = named_handle.due_at"
        ),
    );
    UNNAME = Sql::each(
        "DELETE FROM named_handle WHERE scope = ? AND network = ? AND handle IN (SELECT value FROM json_each(?))",
        concat!(
            "DELETE n FROM ", handles!(),
            " STRAIGHT_JOIN named_handle n ON n.scope = ? AND n.network = ? AND n.handle = j.handle"
        ),
    );
    ADD = Sql::each(
        "INSERT INTO handle (network, handle, asked_at) SELECT ?, value, 0 FROM json_each(?) WHERE true
         ON CONFLICT DO NOTHING",
        concat!(
            "INSERT INTO handle (network, handle, asked_at) SELECT ?, j.handle, 0 FROM ", handles!(),
            " ON DUPLICATE KEY UPDATE asked_at = handle.asked_at"
        ),
    );
    ANY_KNOWN = Sql::each(
        "SELECT 1 FROM json_each(?) j CROSS JOIN handle h ON h.network = ? AND h.handle = j.value
         WHERE h.author_id IS NOT NULL LIMIT 1",
        concat!(
            "SELECT 1 FROM ", handles!(), " STRAIGHT_JOIN handle h ON h.network = ? AND h.handle = j.handle
             WHERE h.author_id IS NOT NULL LIMIT 1"
        ),
    );
    UNNAMED = Sql::both(
        "SELECT h.handle, h.author_id FROM handle h WHERE h.network = ? AND NOT EXISTS (
             SELECT 1 FROM named_handle n WHERE n.network = h.network AND n.handle = h.handle) LIMIT ?",
    );
    FORGET = Sql::each(
        "DELETE FROM handle WHERE network = ? AND handle IN (SELECT value FROM json_each(?))
             AND NOT EXISTS (SELECT 1 FROM named_handle n WHERE n.network = handle.network AND n.handle = handle.handle)",
        concat!(
            "DELETE h FROM ", handles!(), " STRAIGHT_JOIN handle h ON h.network = ? AND h.handle = j.handle
             WHERE NOT EXISTS (SELECT 1 FROM named_handle n WHERE n.network = h.network AND n.handle = h.handle)"
        ),
    );
}

/// What names handles.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Naming {
    /// The filters, lists, identities and follows of an account.
    Account(i64),
    /// A list that the filters of all know.
    List(String),
}

/// The handles that are named in one scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedIn {
    /// In lower case.
    pub handles: BTreeSet<String>,
    /// Lists of all in which an account's filters name more, by name.
    pub lists: BTreeSet<String>,
}

impl fmt::Display for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "{account}"),
            // No handle, and no number of an account, has braces.
            Self::List(name) => write!(f, "{{{name}}}"),
        }
    }
}

impl NamedIn {
    /// As rows: handles, and lists in braces.
    fn rows(&self) -> BTreeSet<String> {
        let lists = self.lists.iter().map(|name| Naming::List(name.clone()).to_string());
        self.handles.iter().map(|handle| handle.to_ascii_lowercase()).chain(lists).collect()
    }
}

impl Database {
    /// States all handles of a network that are named as of a revision, by what names them: those that were not are to be
    /// asked for, and what is named no more is not. Where the revision is another by now, nothing is changed, and false.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn state_handles(
        &self,
        network: &str,
        revision: u64,
        named: &BTreeMap<Naming, NamedIn>,
    ) -> Result<bool, StoreError> {
        let mut stated = HashMap::new();
        for row in self.rows(SCOPES, args![network]).await? {
            stated.insert(row.text(0)?, row.text(1)?);
        }
        let mut any_known = false;
        for (naming, all) in named {
            let (scope, all) = (naming.to_string(), all.rows());
            let digest = digest(all.iter().map(|name| name.as_bytes()));
            if stated.remove(&scope).as_ref() == Some(&digest) {
                continue;
            }
            let Some(known) = self.state_scope(network, &scope, revision, &all, Some(&digest)).await? else {
                return Ok(false);
            };
            any_known |= known;
        }
        for scope in stated.into_keys() {
            if self.state_scope(network, &scope, revision, &BTreeSet::new(), None).await?.is_none() {
                return Ok(false);
            }
        }
        self.forget_unnamed(network).await?;
        if any_known {
            // Accounts know what they may know once they name it.
            let mut turn = self.write().await?;
            raise(&mut turn.tx).await?;
            turn.commit().await?;
        }
        Ok(true)
    }

    /// The same of one scope, which is left out without a digest. Bit by bit: the digest stands when all is done. Says whether
    /// it is known of a new one whose it is; `None` if the revision is another.
    async fn state_scope(
        &self,
        network: &str,
        scope: &str,
        as_of: u64,
        all: &BTreeSet<String>,
        digest: Option<&str>,
    ) -> Result<Option<bool>, StoreError> {
        let mut any_known = false;
        let rows = self.rows(OF_SCOPE, args![scope, network]).await?;
        let before = rows.iter().map(|row| row.text(0)).collect::<Result<BTreeSet<_>, _>>()?;
        let gone: Vec<_> = before.difference(all).collect();
        let new: Vec<_> = all.difference(&before).collect();
        let parts =
            gone.chunks(ROWS).map(|part| (part, true)).chain(new.chunks(ROWS).map(|part| (part, false)));
        for (part, is_gone) in parts {
            let mut turn = self.write().await?;
            if revision(&mut turn.tx).await?.cast_unsigned() != as_of {
                return Ok(None);
            }
            if is_gone {
                unname(&mut turn.tx, network, scope, part).await?;
            } else {
                turn.tx.run(ADD_SCOPE, args![scope, network, ""]).await?;
                any_known |= name(&mut turn.tx, network, scope, part).await?;
            }
            turn.commit().await?;
        }
        let mut turn = self.write().await?;
        match digest {
            Some(digest) => turn.tx.run(ADD_SCOPE, args![scope, network, digest]).await?,
            None => turn.tx.run(DROP_SCOPE, args![scope, network]).await?,
        };
        turn.commit().await?;
        Ok(Some(any_known))
    }

    /// States that handles are named in a scope, beside what else is: whoever states all of them next takes that into
    /// account.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn name_handles(
        &self,
        network: &str,
        naming: &Naming,
        named: &NamedIn,
    ) -> Result<(), StoreError> {
        let (scope, names) = (naming.to_string(), named.rows());
        for part in names.iter().collect::<Vec<_>>().chunks(ROWS) {
            let mut turn = self.write().await?;
            turn.tx.run(ADD_SCOPE, args![&*scope, network, ""]).await?;
            if name(&mut turn.tx, network, &scope, part).await? {
                raise(&mut turn.tx).await?;
            }
            turn.commit().await?;
        }
        Ok(())
    }

    /// Forgets handles of a network that nothing names any more.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn forget_unnamed(&self, network: &str) -> Result<(), StoreError> {
        loop {
            // Mostly there are none, and that takes no turn of those who write.
            let unnamed = self.rows(UNNAMED, args![network, ROWS as i64]).await?;
            if unnamed.is_empty() {
                return Ok(());
            }
            let mut any_known = false;
            let mut handles = Vec::new();
            for row in &unnamed {
                any_known |= row.maybe_text(1)?.is_some();
                handles.push(row.text(0)?);
            }
            let mut turn = self.write().await?;
            let handles = list(&handles)?;
            let values = if turn.tx.is_sqlite() { args![network, handles] } else { args![handles, network] };
            let forgotten = turn.tx.run(FORGET, values).await?;
            if any_known && forgotten > 0 {
                raise(&mut turn.tx).await?;
            }
            turn.commit().await?;
            if forgotten == 0 {
                return Ok(());
            }
        }
    }
}

/// Adds handles, and lists in braces, to a scope; whether it may be known of a new one whose it is.
async fn name(tx: &mut Tx, network: &str, scope: &str, names: &[&String]) -> Result<bool, StoreError> {
    let (lists, handles): (Vec<&String>, Vec<_>) = names.iter().partition(|name| name.starts_with('{'));
    let mut any = false;
    if !lists.is_empty() {
        any = tx.run(NAME_LISTS, args![scope, network, NEVER, list(&lists)?]).await? > 0;
    }
    if handles.is_empty() {
        return Ok(any);
    }
    let handles = list(&handles)?;
    tx.run(ADD, args![network, handles.clone()]).await?;
    let (nobodys, fresh) = (millis(NOBODY), millis(FRESH));
    let values = if tx.is_sqlite() {
        args![scope, network, nobodys, fresh, handles.clone()]
    } else {
        args![scope, network, network, nobodys, fresh, network, handles.clone()]
    };
    let any_new = tx.run(NAME, values).await? > 0;
    Ok(any || any_new && tx.row(ANY_KNOWN, args![handles, network]).await?.is_some())
}

/// Takes names out of a scope.
async fn unname(tx: &mut Tx, network: &str, scope: &str, names: &[&String]) -> Result<(), StoreError> {
    let names = list(names)?;
    let values = if tx.is_sqlite() { args![scope, network, names] } else { args![names, scope, network] };
    tx.run(UNNAME, values).await.map(|_| ())
}
