//! Whose handles are: whose turn it is to have one asked for, and what came of that.
//!
//! What [names](crate::naming) handles takes turns, so that a long list holds up nobody but itself. What is handed out is
//! claimed for a minute, so that several who ask do not ask the same.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tweetfilter_core::post::{Account, Millis};
use tweetfilter_stream::store::StoreError;

use crate::accounts::raise;
use crate::database::Database;
use crate::lists::handles;
use crate::lookup::CLAIM;
use crate::naming::Naming;
use crate::sql::{Row, Sql, Tx, args, list, statements};

/// How long it holds whose a handle is.
pub const FRESH: Duration = Duration::from_secs(86_400);
/// How long it holds that nobody has a handle.
pub const NOBODY: Duration = Duration::from_secs(600);
statements! {
    KNOWN = Sql::both("SELECT network, handle, author_id FROM handle WHERE author_id IS NOT NULL ORDER BY network, handle");
    // Lists that an account names stand behind its handles, as `{name}`.
    KNOWN_TO = Sql::both(
        "SELECT h.network, h.handle, h.author_id FROM named_handle n
             INNER JOIN handle h ON h.network = n.network AND h.handle = n.handle
         WHERE n.scope = ? AND h.author_id IS NOT NULL
         UNION SELECT h.network, h.handle, h.author_id FROM named_handle m
             INNER JOIN named_handle n ON n.scope = m.handle AND n.network = m.network
             INNER JOIN handle h ON h.network = n.network AND h.handle = n.handle
         WHERE m.scope = ? AND m.handle >= '{' AND h.author_id IS NOT NULL",
    );
    NOBODYS = Sql::each(
        "SELECT h.handle FROM json_each(?1) j CROSS JOIN handle h ON h.network = ?2 AND h.handle = j.value
         WHERE h.author_id IS NULL AND h.asked_at > 0 AND (
             EXISTS (SELECT 1 FROM named_handle n WHERE n.scope = ?3 AND n.network = ?2 AND n.handle = h.handle)
             OR EXISTS (SELECT 1 FROM named_handle m
                 INNER JOIN named_handle n ON n.scope = m.handle AND n.network = ?2 AND n.handle = h.handle
                 WHERE m.scope = ?3 AND m.network = ?2 AND m.handle >= '{'))",
        concat!(
            "SELECT h.handle FROM ", handles!(), " STRAIGHT_JOIN handle h ON h.network = ? AND h.handle = j.handle
             WHERE h.author_id IS NULL AND h.asked_at > 0 AND (
                 EXISTS (SELECT 1 FROM named_handle n WHERE n.scope = ? AND n.network = h.network AND n.handle = h.handle)
                 OR EXISTS (SELECT 1 FROM named_handle m
                     INNER JOIN named_handle n ON n.scope = m.handle AND n.network = m.network
                     WHERE n.handle = h.handle AND m.scope = ? AND m.network = h.network AND m.handle >= '{'))"
        ),
    );
    NAMED = Sql::both(
        "SELECT h.handle, h.author_id, h.asked_at FROM handle h WHERE h.network = ? ORDER BY h.handle",
    );
    // The first of a scope says whether anything of it is due.
    DUE_SCOPES = Sql::each(
        "SELECT s.scope FROM handle_scope s WHERE s.network = ? AND (SELECT n.due_at FROM named_handle n
             WHERE n.scope = s.scope AND n.network = s.network ORDER BY n.due_at LIMIT 1) <= ?
         ORDER BY s.turn, s.scope LIMIT ?",
        "SELECT s.scope FROM handle_scope s WHERE s.network = ? AND (SELECT n.due_at FROM named_handle n
             WHERE n.scope = s.scope AND n.network = s.network ORDER BY n.due_at LIMIT 1) <= ?
         ORDER BY s.turn, s.scope LIMIT ? FOR UPDATE",
    );
    DUE = Sql::both(
        "SELECT handle FROM named_handle WHERE scope = ? AND network = ? AND due_at <= ? ORDER BY due_at, handle LIMIT ?",
    );
    LAST_TURN = Sql::both("SELECT MAX(turn) FROM handle_scope WHERE network = ?");
    HAD_TURN = Sql::both("UPDATE handle_scope SET turn = ? WHERE scope = ? AND network = ?");
    PUT_OFF = Sql::each(
        "UPDATE named_handle SET due_at = ? WHERE network = ? AND handle IN (SELECT value FROM json_each(?))",
        concat!(
            "UPDATE ", handles!(), " STRAIGHT_JOIN named_handle n ON n.network = ? AND n.handle = j.handle SET n.due_at = ?"
        ),
    );
    OF_HANDLE = Sql::both("SELECT author_id FROM handle WHERE network = ? AND handle = ?");
    ANSWER = Sql::both("UPDATE handle SET author_id = ?, asked_at = ? WHERE network = ? AND handle = ?");
    // Who an account is does not change with the handle.
    IDENTIFY = Sql::each(
        "UPDATE OR IGNORE identity SET native_id = ? WHERE network = ? AND native_id = '' AND LOWER(handle) = ?",
        "UPDATE IGNORE identity SET native_id = ? WHERE network = ? AND native_id = '' AND LOWER(handle) = ?",
    );
    OF_AUTHOR = Sql::both("SELECT handle, author_id FROM handle WHERE network = ? AND author_id = ?");
    LOSE = Sql::both("UPDATE handle SET author_id = NULL, asked_at = 0 WHERE network = ? AND handle = ?");
    DOUBT = Sql::both("UPDATE handle SET asked_at = 0 WHERE network = ? AND handle = ?");
    IN_DOUBT = Sql::both("UPDATE named_handle SET due_at = 0 WHERE network = ? AND handle = ?");
    PLAYS = Sql::both(
        "SELECT 1 FROM state WHERE name = ? UNION ALL SELECT 1 FROM identity WHERE network = ?
         UNION ALL SELECT 1 FROM (SELECT num FROM post WHERE network = ? LIMIT 1) p LIMIT 1",
    );
    SET_PLAYS = Sql::each(
        "INSERT INTO state (name, value) VALUES (?, 1) ON CONFLICT DO NOTHING",
        "INSERT INTO state (name, value) VALUES (?, 1) ON DUPLICATE KEY UPDATE name = name",
    );
}

/// A handle that is named somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedHandle {
    /// In lower case.
    pub handle: String,
    /// Whose it is, if that is known.
    pub id: Option<String>,
    /// When it was asked for last; `None`: not yet, or not since it is in doubt.
    pub asked_at: Option<Millis>,
}

impl Database {
    /// The handles of a network that are named.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn named_handles(&self, network: &str) -> Result<Vec<NamedHandle>, StoreError> {
        let rows = self.rows(NAMED, args![network]).await?;
        let named = |row: &Row| {
            let asked_at = Some(row.int(2)?).filter(|at| *at > 0);
            Ok(NamedHandle { handle: row.text(0)?, id: row.maybe_text(1)?, asked_at })
        };
        rows.iter().map(named).collect()
    }

    /// Those of some handles, in lower case, that an account names itself, that were asked for, and that nobody has. Of what
    /// others name it says nothing.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn nobodys_handles(
        &self,
        network: &str,
        account: i64,
        handles: &[&str],
    ) -> Result<BTreeSet<String>, StoreError> {
        let (handles, scope) = (list(handles)?, Naming::Account(account).to_string());
        let values = match self.engine {
            crate::database::Engine::Sqlite(_) => args![handles, network, scope],
            crate::database::Engine::Maria(_) => args![handles, network, scope.clone(), scope],
        };
        self.rows(NOBODYS, values).await?.iter().map(|row| row.text(0)).collect()
    }

    /// Hands out named handles that were never asked for, or whose answer is old, a few of each scope in turn.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn due_handles(&self, network: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let (now, limit) = (self.now(), limit as usize);
        let scopes = || args![network, now, limit as i64];
        // Mostly nothing is, and that takes no turn of those who write.
        if self.rows(DUE_SCOPES, scopes()).await?.is_empty() {
            return Ok(Vec::new());
        }
        let mut turn = self.write_lightly().await?;
        let tx = &mut turn.tx;
        let mut offered = VecDeque::new();
        for row in tx.rows(DUE_SCOPES, scopes()).await? {
            let scope = row.text(0)?;
            let rows = tx.rows(DUE, args![&*scope, network, now, limit as i64]).await?;
            let handles = rows.iter().map(|row| row.text(0)).collect::<Result<VecDeque<_>, _>>()?;
            offered.push_back((scope, handles));
        }
        let last = tx.row(LAST_TURN, args![network]).await?.map_or(Ok(0), |row| row.int(0))?;
        let (mut due, mut had) = (Vec::new(), BTreeSet::new());
        while due.len() < limit
            && let Some((scope, mut handles)) = offered.pop_front()
        {
            // What another names too was asked for in its turn.
            let next = std::iter::from_fn(|| handles.pop_front()).find(|handle| !due.contains(handle));
            let Some(next) = next else { continue };
            due.push(next);
            had.insert(scope.clone());
            offered.push_back((scope, handles));
        }
        for scope in &had {
            tx.run(HAD_TURN, args![last + 1, &**scope, network]).await?;
        }
        put_off(tx, network, &due, now.saturating_add(millis(CLAIM))).await?;
        turn.commit().await?;
        Ok(due)
    }

    /// Stores whose handles are; `None` is nobody's. Identities that have such a handle alone get the id. Returns those whose account is another than it was; if there
    /// are any, workers compile their filters anew.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn handles_answered(
        &self,
        network: &str,
        answers: &[(String, Option<String>)],
    ) -> Result<Vec<String>, StoreError> {
        let (now, mut changed) = (self.now(), Vec::new());
        let mut turn = self.write().await?;
        for (handle, id) in answers {
            let Some(row) = turn.tx.row(OF_HANDLE, args![network, handle.as_str()]).await? else { continue };
            let id = id.as_deref();
            let identified = match id {
                Some(id) => turn.tx.run(IDENTIFY, args![id, network, handle.as_str()]).await? > 0,
                None => false,
            };
            if identified || row.maybe_text(0)?.as_deref() != id {
                changed.push(handle.clone());
            }
            turn.tx.run(ANSWER, args![id, now, network, handle.as_str()]).await?;
        }
        for (kept, holds) in [(true, FRESH), (false, NOBODY)] {
            let of_it = answers.iter().filter(|answer| answer.1.is_some() == kept);
            let handles: Vec<_> = of_it.map(|answer| answer.0.clone()).collect();
            put_off(&mut turn.tx, network, &handles, now.saturating_add(millis(holds))).await?;
        }
        if !changed.is_empty() {
            raise(&mut turn.tx).await?;
        }
        turn.commit().await?;
        Ok(changed)
    }

    /// Whether a network plays a part here: a source of it was said to be read, an account is known there, or a post of it is
    /// kept.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn plays_a_part(&self, network: &str) -> Result<bool, StoreError> {
        Ok(!self.rows(PLAYS, args![part(network), network, network]).await?.is_empty())
    }

    /// Says that a source of a network is read.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn is_read(&self, network: &str) -> Result<(), StoreError> {
        if !self.plays_a_part(network).await? {
            self.run(SET_PLAYS, args![part(network)]).await?;
        }
        Ok(())
    }
}

/// Where stands that a network plays a part.
fn part(network: &str) -> String {
    format!("part of {network}")
}

/// Handles are due no earlier than at a time, whoever names them.
async fn put_off(tx: &mut Tx, network: &str, handles: &[String], to: Millis) -> Result<(), StoreError> {
    if handles.is_empty() {
        return Ok(());
    }
    let handles = list(handles)?;
    let values = if tx.is_sqlite() { args![to, network, handles] } else { args![handles, network, to] };
    tx.run(PUT_OFF, values).await.map(|_| ())
}

/// Handles whose accounts are known, for workers.
pub(crate) async fn known(tx: &mut Tx) -> Result<Vec<(String, Account)>, StoreError> {
    tx.rows(KNOWN, args![]).await?.iter().map(whose).collect()
}

/// Those among them that an account names itself.
pub(crate) async fn known_to(tx: &mut Tx, account: i64) -> Result<Vec<(String, Account)>, StoreError> {
    let scope = Naming::Account(account).to_string();
    tx.rows(KNOWN_TO, args![scope.clone(), scope]).await?.iter().map(whose).collect()
}

fn whose(row: &Row) -> Result<(String, Account), StoreError> {
    Ok((row.text(0)?, Account { handle: row.text(1)?, id: row.text(2)? }))
}

/// An author said that they have another handle, or that something about it has changed. Whether a named handle is
/// theirs no longer; that a handle is theirs now is not believed, but asked for at once.
pub(crate) async fn renamed(tx: &mut Tx, network: &str, account: &Account) -> Result<bool, StoreError> {
    let id = account.id.as_str();
    let handle = account.handle.to_ascii_lowercase();
    let mut lost = false;
    // Those of most authors nobody names.
    for row in tx.rows(OF_AUTHOR, args![network, id]).await? {
        let had = row.text(0)?;
        if handle == had {
            continue;
        }
        let is_lost = !handle.is_empty();
        lost |= is_lost;
        tx.run(if is_lost { LOSE } else { DOUBT }, args![network, &*had]).await?;
        tx.run(IN_DOUBT, args![network, had]).await?;
    }
    if !handle.is_empty()
        && let Some(row) = tx.row(OF_HANDLE, args![network, &*handle]).await?
        && row.maybe_text(0)?.as_deref() != Some(id)
    {
        tx.run(DOUBT, args![network, &*handle]).await?;
        tx.run(IN_DOUBT, args![network, handle]).await?;
    }
    Ok(lost)
}

pub(crate) fn millis(time: Duration) -> Millis {
    Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX)
}
