//! Named sets: lists of terms that filters may name, of one account or of all.

use tweetfilter_stream::store::StoreError;

use crate::accounts::raise;
use crate::database::Database;
use crate::filters::Changed;
use crate::sql::{Sql, Tx, args, statements};

statements! {
    SETS = Sql::both("SELECT name, terms FROM named_set ORDER BY name");
    SET = Sql::each(
        "INSERT INTO named_set (name, terms, revision) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET terms = excluded.terms, revision = excluded.revision",
        "INSERT INTO named_set (name, terms, revision) VALUES (?, ?, ?)
         ON DUPLICATE KEY UPDATE terms = VALUES(terms), revision = VALUES(revision)",
    );
    SET_OF_ALL = Sql::both("SELECT name FROM named_set WHERE name = ?");
    REMOVE_SET = Sql::both("DELETE FROM named_set WHERE name = ?");
    OWN_SETS = Sql::both("SELECT account, name, terms FROM account_set ORDER BY account, name");
    SETS_OF = Sql::both("SELECT account, name, terms FROM account_set WHERE account = ? ORDER BY name");
    OWN_SET = Sql::each(
        "INSERT INTO account_set (account, name, terms, revision) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET terms = excluded.terms, revision = excluded.revision",
        "INSERT INTO account_set (account, name, terms, revision) VALUES (?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE terms = VALUES(terms), revision = VALUES(revision)",
    );
    REVISION_OF_ALL = Sql::both("SELECT revision FROM named_set WHERE name = ?");
    REVISION_OF_OWN = Sql::both("SELECT revision FROM account_set WHERE account = ? AND name = ?");
    REMOVE_OWN = Sql::both("DELETE FROM account_set WHERE account = ? AND name = ?");
    SIZES = Sql::each(
        "SELECT name, octet_length(terms) FROM account_set WHERE account = ?",
        "SELECT name, CAST(OCTET_LENGTH(terms) AS SIGNED) FROM account_set WHERE account = ?",
    );
}

/// How many named sets of its own an account may have, and how many bytes their names and terms may have together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetQuota {
    /// Sets.
    pub sets: usize,
    /// Bytes of all of them together.
    pub bytes: usize,
}

/// What became of a named set that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetKept {
    /// It is kept, as of this [revision](Database::set_revision).
    Done(u64),
    /// The account has so many already, and this is none of them.
    TooMany(usize),
    /// The account's sets would have so many bytes together.
    TooLarge(usize),
    /// It was to be new, and filters of the account know one of this name already: its own, or one of all.
    Exists,
    /// It was to replace one of a revision, and that is another now, or gone.
    Meanwhile,
}

/// What a named set must be for an account to keep it.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    quota: SetQuota,
    /// There must be none of its name.
    is_new: bool,
    /// What filters of the account know by its name must be of this revision.
    known: Option<u64>,
}

impl Database {
    /// Keeps a named set of an account, or with `None` one that the filters of all accounts know; its terms one a line.
    /// One of this name is replaced.
    ///
    /// # Errors
    /// [`StoreError::OverBudget`] if the account's filters would cost more with it than they may; see [`StoreError`].
    pub async fn set_named(&self, account: Option<i64>, name: &str, terms: &str) -> Result<(), StoreError> {
        if let Some(account) = account {
            return self.keep_own_set(account, name, terms, None).await.map(|_| ());
        }
        let mut turn = self.write().await?;
        let revision = raise(&mut turn.tx).await?;
        turn.tx.run(SET, args![name, terms, revision]).await?;
        turn.commit().await
    }

    /// Keeps a named set of an account if it may have it. One that is replaced by a shorter one always may.
    ///
    /// # Errors
    /// As [`Database::set_named`].
    pub async fn set_own(
        &self,
        account: i64,
        name: &str,
        terms: &str,
        quota: SetQuota,
    ) -> Result<SetKept, StoreError> {
        self.keep_own_set(account, name, terms, Some(Bounds { quota, is_new: false, known: None })).await
    }

    /// The same of a set that must be new: of those who make one of a name at the same moment, one does.
    ///
    /// # Errors
    /// As [`Database::set_named`].
    pub async fn add_own(
        &self,
        account: i64,
        name: &str,
        terms: &str,
        quota: SetQuota,
    ) -> Result<SetKept, StoreError> {
        self.keep_own_set(account, name, terms, Some(Bounds { quota, is_new: true, known: None })).await
    }

    /// The same of a set in the place of one that is still of a [revision](Database::set_revision).
    ///
    /// # Errors
    /// As [`Database::set_named`].
    pub async fn replace_own(
        &self,
        account: i64,
        name: &str,
        terms: &str,
        quota: SetQuota,
        known: u64,
    ) -> Result<SetKept, StoreError> {
        let bounds = Bounds { quota, is_new: false, known: Some(known) };
        self.keep_own_set(account, name, terms, Some(bounds)).await
    }

    async fn keep_own_set(
        &self,
        account: i64,
        name: &str,
        terms: &str,
        bounds: Option<Bounds>,
    ) -> Result<SetKept, StoreError> {
        // Before its price, which takes longer, and again when nobody else can change it.
        if let Some(bounds) = bounds {
            let mut tx = self.read().await?;
            let against = against(&mut tx, account, name, terms, bounds).await?;
            tx.commit().await?;
            if let Some(against) = against {
                return Ok(against);
            }
        }
        let (mut turn, revision) = self.write_priced(account, |held| held.set(name, terms)).await?;
        if let Some(bounds) = bounds
            && let Some(against) = against(&mut turn.tx, account, name, terms, bounds).await?
        {
            return Ok(against);
        }
        turn.tx.run(OWN_SET, args![account, name, terms, revision]).await?;
        turn.commit().await?;
        Ok(SetKept::Done(revision.cast_unsigned()))
    }

    /// The named sets of an account, or with `None` those of all, by name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn named_sets(&self, account: Option<i64>) -> Result<Vec<(String, String)>, StoreError> {
        let mut tx = self.read().await?;
        let sets = match account {
            None => shared(&mut tx).await?,
            Some(account) => of(&mut tx, account).await?,
        };
        tx.commit().await?;
        Ok(sets)
    }

    /// Of which revision the set is that filters of an account know by a name: its own, or one of all.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn set_revision(&self, account: i64, name: &str) -> Result<Option<u64>, StoreError> {
        let mut tx = self.read().await?;
        let revision = revision(&mut tx, account, name).await?;
        tx.commit().await?;
        Ok(revision)
    }

    /// Removes a named set of an account, if with a revision it is still of that.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remove_own(
        &self,
        account: i64,
        name: &str,
        known: Option<u64>,
    ) -> Result<Changed, StoreError> {
        let mut turn = self.write().await?;
        // It locks out all who change sets.
        raise(&mut turn.tx).await?;
        let Some(row) = turn.tx.row(REVISION_OF_OWN, args![account, name]).await? else {
            return Ok(Changed::Missing);
        };
        let now = row.int(0)?.cast_unsigned();
        if known.is_some_and(|known| known != now) {
            return Ok(Changed::Meanwhile(now));
        }
        turn.tx.run(REMOVE_OWN, args![account, name]).await?;
        turn.commit().await?;
        Ok(Changed::Done)
    }

    /// Removes a named set of an account, or with `None` one of all. False if there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remove_named(&self, account: Option<i64>, name: &str) -> Result<bool, StoreError> {
        if let Some(account) = account {
            return Ok(self.remove_own(account, name, None).await? == Changed::Done);
        }
        let mut turn = self.write().await?;
        raise(&mut turn.tx).await?;
        let removed = turn.tx.run(REMOVE_SET, args![name]).await?;
        // Where nothing was removed nothing changed, the revision neither.
        if removed > 0 {
            turn.commit().await?;
        }
        Ok(removed > 0)
    }
}

/// Why an account may not have a set beside its others; `None` if it may.
async fn against(
    tx: &mut Tx,
    account: i64,
    name: &str,
    terms: &str,
    Bounds { quota, is_new, known }: Bounds,
) -> Result<Option<SetKept>, StoreError> {
    if known.is_some() && revision(tx, account, name).await? != known {
        return Ok(Some(SetKept::Meanwhile));
    }
    let (mut others, mut bytes, mut before) = (0, 0, None);
    for row in tx.rows(SIZES, args![account]).await? {
        let (known, size) = (row.text(0)?, usize::try_from(row.int(1)?).unwrap_or_default());
        if known == name {
            before = Some(size);
        } else {
            others += 1;
            bytes += known.len() + size;
        }
    }
    if is_new && (before.is_some() || tx.row(SET_OF_ALL, args![name]).await?.is_some()) {
        return Ok(Some(SetKept::Exists));
    }
    let bytes = bytes + name.len() + terms.len();
    Ok(match before {
        Some(before) if terms.len() <= before => None,
        None if others >= quota.sets => Some(SetKept::TooMany(others)),
        _ if bytes > quota.bytes => Some(SetKept::TooLarge(bytes)),
        _ => None,
    })
}

/// Of which revision a set is that filters of an account know.
async fn revision(tx: &mut Tx, account: i64, name: &str) -> Result<Option<u64>, StoreError> {
    let row = match tx.row(REVISION_OF_OWN, args![account, name]).await? {
        Some(row) => Some(row),
        None => tx.row(REVISION_OF_ALL, args![name]).await?,
    };
    row.map(|row| Ok(row.int(0)?.cast_unsigned())).transpose()
}

/// The named sets of all.
pub(crate) async fn shared(tx: &mut Tx) -> Result<Vec<(String, String)>, StoreError> {
    tx.rows(SETS, args![]).await?.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// The named sets of an account.
pub(crate) async fn of(tx: &mut Tx, account: i64) -> Result<Vec<(String, String)>, StoreError> {
    let rows = tx.rows(SETS_OF, args![account]).await?;
    rows.iter().map(|row| Ok((row.text(1)?, row.text(2)?))).collect()
}

/// Those of every account: for workers alone, who try the filters of all.
pub(crate) async fn of_each(tx: &mut Tx) -> Result<Vec<(i64, String, String)>, StoreError> {
    let rows = tx.rows(OWN_SETS, args![]).await?;
    rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?, row.text(2)?))).collect()
}
