//! Accounts: users of this system, who they are elsewhere, and whom they follow.

use std::collections::HashSet;

use tweetfilter_core::post::{Account, Millis};
use tweetfilter_stream::store::{StoreError, StoredAccount};

use crate::database::Database;
use crate::places;
use crate::removed;
use crate::revoked;
use crate::sql::{Sql, Tx, args, list, statements};
use crate::tokens;

statements! {
    ADD = Sql::both("INSERT INTO account (name, created_at) VALUES (?, ?)");
    ALL = Sql::both("SELECT id, name, created_at FROM account ORDER BY id");
    BY_NAME = Sql::both("SELECT id FROM account WHERE name = ?");
    IDENTITIES = Sql::both("SELECT account, network, native_id, handle FROM identity ORDER BY account, network, native_id, handle");
    IDENTITIES_OF = Sql::both("SELECT network, native_id, handle FROM identity WHERE account = ? ORDER BY network, native_id, handle");
    ADD_IDENTITY = Sql::each(
        "INSERT INTO identity (account, network, native_id, handle) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        "INSERT INTO identity (account, network, native_id, handle) VALUES (?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE account = account",
    );
    REMOVE = Sql::both("DELETE FROM account WHERE id = ?");
    REMOVE_IDENTITIES = Sql::both("DELETE FROM identity WHERE account = ?");
    REMOVE_FOLLOWS = Sql::both("DELETE FROM follow WHERE account = ?");
    REMOVE_FILTERS = Sql::both("DELETE FROM filter WHERE account = ?");
    REMOVE_SETS = Sql::both("DELETE FROM account_set WHERE account = ?");
    FOLLOWS = Sql::both("SELECT account, network, author FROM follow ORDER BY account, network, author");
    FOLLOWS_OF = Sql::both("SELECT network, author, origin FROM follow WHERE account = ? ORDER BY network, author");
    FOLLOWED = Sql::both("SELECT author, origin FROM follow WHERE account = ? AND network = ?");
    FOLLOW = Sql::each(
        "INSERT INTO follow (account, network, author, origin) VALUES (?, ?, ?, 'own')
         ON CONFLICT DO UPDATE SET origin = 'own'",
        "INSERT INTO follow (account, network, author, origin) VALUES (?, ?, ?, 'own')
         ON DUPLICATE KEY UPDATE origin = 'own'",
    );
    UNFOLLOW = Sql::both("DELETE FROM follow WHERE account = ? AND network = ? AND author = ?");
    DROP_FRIENDS = Sql::both("DELETE FROM follow WHERE account = ? AND network = ? AND origin = 'network'");
    ADD_FRIENDS = Sql::each(
        "INSERT INTO follow (account, network, author, origin) SELECT ?, ?, value, 'network' FROM json_each(?)
         WHERE true ON CONFLICT DO NOTHING",
        "INSERT INTO follow (account, network, author, origin)
         SELECT ?, ?, j.id, 'network' FROM JSON_TABLE(?, '$[*]' COLUMNS
             (id VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$')) j
         ON DUPLICATE KEY UPDATE origin = follow.origin",
    );
    LISTED = Sql::both("SELECT said_at FROM friend_list WHERE account = ? AND network = ?");
    LIST = Sql::each(
        "INSERT INTO friend_list (account, network, said_at) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET said_at = excluded.said_at",
        "INSERT INTO friend_list (account, network, said_at) VALUES (?, ?, ?)
         ON DUPLICATE KEY UPDATE said_at = VALUES(said_at)",
    );
    REMOVE_LISTS = Sql::both("DELETE FROM friend_list WHERE account = ?");
    RAISE = Sql::both("UPDATE state SET value = value + 1 WHERE name = 'revision'");
    REVISION = Sql::both("SELECT value FROM state WHERE name = 'revision'");
}

/// Who an account is on a network.
pub type AccountIdentity = (String, Account);

/// Whom an account follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The network.
    pub network: String,
    /// The author's id or handle there.
    pub author: String,
    /// Whether it is so because the network says so, in a list of friends that it replaces as a whole.
    pub by_network: bool,
}

impl Database {
    /// Adds an account, with who it is on networks, and returns its number.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the name is taken, or none: empty, with white space at an end, or control characters in it.
    pub async fn add_account(&self, name: &str, identities: &[AccountIdentity]) -> Result<i64, StoreError> {
        is_name(name, NAME).map_err(|what| refused("an account's name", what))?;
        identities.iter().try_for_each(is_identity)?;
        let now = self.now();
        let mut turn = self.write().await?;
        if turn.tx.row(BY_NAME, args![name]).await?.is_some() {
            return Err(StoreError::Refused(format!("there is an account {name} already")));
        }
        let id = turn.tx.insert(ADD, args![name, now]).await?;
        for (network, Account { id: native, handle }) in identities {
            let values = args![id, network.as_str(), native.as_str(), handle.as_str()];
            turn.tx.run(ADD_IDENTITY, values).await?;
        }
        raise(&mut turn.tx).await?;
        turn.commit().await?;
        Ok(id)
    }

    /// Adds who an account is on a network.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn add_identity(&self, account: i64, identity: &AccountIdentity) -> Result<(), StoreError> {
        is_identity(identity)?;
        let (network, Account { id, handle }) = identity;
        let mut turn = self.write().await?;
        let values = args![account, network.as_str(), id.as_str(), handle.as_str()];
        turn.tx.run(ADD_IDENTITY, values).await?;
        raise(&mut turn.tx).await?;
        turn.commit().await
    }

    /// All accounts, in order of their numbers.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn accounts(&self) -> Result<Vec<StoredAccount>, StoreError> {
        let mut tx = self.read().await?;
        let accounts = all(&mut tx).await?;
        tx.commit().await?;
        Ok(accounts)
    }

    /// The number of an account.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn account(&self, name: &str) -> Result<Option<i64>, StoreError> {
        self.rows(BY_NAME, args![name]).await?.first().map(|row| row.int(0)).transpose()
    }

    /// Removes an account and its filters, so that nothing is shown or delivered to it any more; what it saw goes bit by
    /// bit with [`Database::forget_removed`]. False if there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remove_account(&self, account: i64) -> Result<bool, StoreError> {
        let now = self.now();
        let mut turn = self.write().await?;
        let removed = turn.tx.run(REMOVE, args![account]).await? > 0;
        if removed {
            removed::note(&mut turn.tx, account, now).await?;
        }
        for sql in [REMOVE_IDENTITIES, REMOVE_FOLLOWS, REMOVE_LISTS, REMOVE_FILTERS, REMOVE_SETS] {
            turn.tx.run(sql, args![account]).await?;
        }
        tokens::revoke_all(&mut turn.tx, account).await?;
        places::forget_all(&mut turn.tx, account).await?;
        revoked::forget_all(&mut turn.tx, account).await?;
        raise(&mut turn.tx).await?;
        turn.commit().await?;
        Ok(removed)
    }

    /// Whom an account follows, in order of network and author.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn followed(&self, account: i64) -> Result<Vec<Followed>, StoreError> {
        let rows = self.rows(FOLLOWS_OF, args![account]).await?;
        let followed = |row: &crate::sql::Row| {
            Ok(Followed { network: row.text(0)?, author: row.text(1)?, by_network: row.text(2)? != "own" })
        };
        rows.iter().map(followed).collect()
    }

    /// Lets an account follow an author, by id or handle, or no longer. False if there was nothing to end.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn follow(
        &self,
        account: i64,
        network: &str,
        author: &str,
        follows: bool,
    ) -> Result<bool, StoreError> {
        if follows {
            is_name(network, NAME).map_err(|what| refused("a network's name", what))?;
            is_name(author, AUTHOR).map_err(|what| refused("an author's id or handle", what))?;
        }
        let mut turn = self.write().await?;
        let sql = if follows { FOLLOW } else { UNFOLLOW };
        let changed = turn.tx.run(sql, args![account, network, author]).await? > 0;
        if follows || changed {
            raise(&mut turn.tx).await?;
        }
        turn.commit().await?;
        Ok(follows || changed)
    }
}

/// Characters of a name, of an id or handle of an account, and of an author.
const NAME: usize = 190;
const IDENTITY: usize = 250;
const AUTHOR: usize = 500;

/// Whether a text may be a name. MariaDB takes no account of spaces at the end of one, so none may have them anywhere.
fn is_name(text: &str, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    Err(match text {
        "" => "it is empty".to_owned(),
        _ if length > most => format!("it has {length} characters, and may have {most}"),
        _ if text.trim() != text => "it begins or ends with white space".to_owned(),
        _ if text.chars().any(char::is_control) => "it has control characters in it".to_owned(),
        _ => return Ok(()),
    })
}

fn is_identity((network, Account { id, handle }): &AccountIdentity) -> Result<(), StoreError> {
    is_name(network, NAME).map_err(|what| refused("a network's name", what))?;
    let mut known = [id, handle].into_iter().filter(|text| !text.is_empty());
    known.try_for_each(|text| is_name(text, IDENTITY).map_err(|what| refused("an id or a handle", what)))
}

fn refused(what: &str, why: String) -> StoreError {
    StoreError::Refused(format!("this is not {what}: {why}"))
}

/// Replaces whom an account follows on a network as the network says, unless it said so later. Workers hear of it if it is another list.
pub(crate) async fn friends(
    tx: &mut Tx,
    account: i64,
    network: &str,
    ids: &[String],
    said: Millis,
) -> Result<(), StoreError> {
    if let Some(listed) = tx.row(LISTED, args![account, network]).await?
        && listed.int(0)? > said
    {
        return Ok(());
    }
    tx.run(LIST, args![account, network, said]).await?;
    let (mut own, mut before) = (HashSet::new(), HashSet::new());
    for row in tx.rows(FOLLOWED, args![account, network]).await? {
        if row.text(1)? == "own" { &mut own } else { &mut before }.insert(row.text(0)?);
    }
    let now: HashSet<String> = ids.iter().filter(|id| !own.contains(*id)).cloned().collect();
    if now == before {
        return Ok(());
    }
    let mut now: Vec<String> = now.into_iter().collect();
    now.sort_unstable();
    tx.run(DROP_FRIENDS, args![account, network]).await?;
    tx.run(ADD_FRIENDS, args![account, network, list(&now)?]).await?;
    raise(tx).await.map(|_| ())
}

/// All accounts.
pub(crate) async fn all(tx: &mut Tx) -> Result<Vec<StoredAccount>, StoreError> {
    let mut accounts = Vec::new();
    for row in tx.rows(ALL, args![]).await? {
        let (id, name, created_at) = (row.int(0)?, row.text(1)?, row.int(2)?);
        accounts.push(StoredAccount { id, name, created_at, identities: Vec::new() });
    }
    for row in tx.rows(IDENTITIES, args![]).await? {
        let id = row.int(0)?;
        if let Ok(place) = accounts.binary_search_by_key(&id, |account| account.id) {
            let known = Account { id: row.text(2)?, handle: row.text(3)? };
            accounts[place].identities.push((row.text(1)?, known));
        }
    }
    Ok(accounts)
}

/// Who an account is.
pub(crate) async fn identities(tx: &mut Tx, account: i64) -> Result<Vec<AccountIdentity>, StoreError> {
    let rows = tx.rows(IDENTITIES_OF, args![account]).await?;
    let identity =
        |row: &crate::sql::Row| Ok((row.text(0)?, Account { id: row.text(1)?, handle: row.text(2)? }));
    rows.iter().map(identity).collect()
}

/// Whom all accounts follow.
pub(crate) async fn follows(tx: &mut Tx) -> Result<Vec<(i64, String, String)>, StoreError> {
    let rows = tx.rows(FOLLOWS, args![]).await?;
    rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?, row.text(2)?))).collect()
}

/// Says that accounts or filters have changed; returns the new revision.
pub(crate) async fn raise(tx: &mut Tx) -> Result<i64, StoreError> {
    tx.run(RAISE, args![]).await?;
    revision(tx).await
}

pub(crate) async fn revision(tx: &mut Tx) -> Result<i64, StoreError> {
    tx.row(REVISION, args![]).await?.map_or(Ok(0), |row| row.int(0))
}
