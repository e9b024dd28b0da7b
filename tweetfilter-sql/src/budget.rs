//! What the filters of an account cost together, held to a budget wherever they are saved.
//!
//! To price filters they are all read again, which takes a while. It is done before anything is locked; a change that
//! comes in between shows by a few numbers that every change of an account's filters or lists raises.

use tweetfilter_core::budget::{OverBudget, Price};
use tweetfilter_core::{Dialect, Expression, FilterId, FilterSetBuilder, Limits};
use tweetfilter_stream::store::StoreError;
use tweetfilter_stream::worker::references::owner;

use crate::accounts;
use crate::database::{Database, Turn};
use crate::filters::{Save, read_word};
use crate::known::{Handles, Known};
use crate::sql::{Sql, Tx, args, statements};

statements! {
    ENABLED = Sql::both("SELECT id, text, dialect FROM filter WHERE account = ? AND enabled = 1 ORDER BY position, id");
    // What is removed lowers a count, and whatever else happens raises a revision. Whose handles are may change at any
    // time after a filter is saved, and is the workers' to price anew.
    GROUND = Sql::both(
        "SELECT (SELECT COUNT(*) FROM filter WHERE account = ?),
             (SELECT COALESCE(MAX(revision), 0) FROM filter WHERE account = ?),
             (SELECT COUNT(*) FROM account_set WHERE account = ?),
             (SELECT COALESCE(MAX(revision), 0) FROM account_set WHERE account = ?),
             (SELECT COUNT(*) FROM named_set), (SELECT COALESCE(MAX(revision), 0) FROM named_set),
             (SELECT COUNT(*) FROM identity WHERE account = ?)",
    );
}

/// How often filters are priced before anything is locked. Whoever is disturbed as often prices them under the lock.
const TRIES: usize = 4;

/// The filters of an account that are used, as of a moment, and what they refer to.
#[derive(Clone)]
pub(crate) struct Holdings {
    account: i64,
    revision: i64,
    ground: Vec<i64>,
    known: Known,
    filters: Vec<(FilterId, String, Dialect)>,
    /// Filters among them that have no number yet.
    new: u64,
}

impl Database {
    /// What the filters of an account cost a post together, and what they may.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn owner_price(&self, account: i64) -> Result<(Price, Price), StoreError> {
        let mut tx = self.read().await?;
        let held = Holdings::read(&mut tx, account).await?;
        tx.commit().await?;
        Ok((held.price(), self.budget))
    }

    /// Begins to write, with a new revision, what changes an account's filters or lists so that they cost no more than
    /// they may, or no more than before.
    ///
    /// # Errors
    /// [`StoreError::OverBudget`] if they would; see [`StoreError`].
    pub(crate) async fn write_priced(
        &self,
        account: i64,
        change: impl Fn(&mut Holdings),
    ) -> Result<(Turn, i64), StoreError> {
        let tries = if self.budget == Price::MAX { 0 } else { TRIES };
        for _ in 0..tries {
            let mut tx = self.read().await?;
            let held = Holdings::read(&mut tx, account).await?;
            tx.commit().await?;
            let (revision, ground) = (held.revision, held.ground.clone());
            self.hold(held, &change).await?;
            let mut turn = self.write().await?;
            // It locks out all who change filters.
            let now = accounts::raise(&mut turn.tx).await?;
            if now == revision + 1 || ground == self::ground(&mut turn.tx, account).await? {
                return Ok((turn, now));
            }
        }
        let mut turn = self.write().await?;
        let now = accounts::raise(&mut turn.tx).await?;
        if tries > 0 {
            let held = Holdings::read(&mut turn.tx, account).await?;
            self.hold(held, &change).await?;
        }
        Ok((turn, now))
    }

    /// Refuses what makes an account's filters too dear.
    async fn hold(&self, mut held: Holdings, change: &impl Fn(&mut Holdings)) -> Result<(), StoreError> {
        let (budget, before) = (self.budget, held.clone());
        change(&mut held);
        let held = tokio::task::spawn_blocking(move || match held.within(budget) {
            Ok(_) => Ok(()),
            // Where the budget was lowered, what makes them cheaper is possible.
            Err(over) if over.price <= before.price() => Ok(()),
            Err(over) => Err(StoreError::OverBudget(over)),
        });
        held.await.unwrap_or_else(|error| Err(StoreError::Retry(format!("pricing broke off: {error}"))))
    }
}

impl Holdings {
    /// The ground comes first: what is read behind it is no older.
    async fn read(tx: &mut Tx, account: i64) -> Result<Self, StoreError> {
        let (revision, ground) = (accounts::revision(tx).await?, ground(tx, account).await?);
        let handles = Handles::read(tx).await?;
        let known = Known::read(tx, account, handles).await?;
        let mut filters = Vec::new();
        for row in tx.rows(ENABLED, args![account]).await? {
            filters.push((FilterId(row.int(0)?.cast_unsigned()), row.text(1)?, read_word(&row.text(2)?)?));
        }
        Ok(Self { account, revision, ground, known, filters, new: 0 })
    }

    /// Takes in what a filter is to say.
    pub(crate) fn save(&mut self, save: &Save<'_>) {
        let id = save.replaces.map(|(id, _)| FilterId(id.cast_unsigned()));
        let place = self.filters.iter().position(|filter| Some(filter.0) == id);
        let on = save.enabled.unwrap_or(id.is_none() || place.is_some());
        self.new += u64::from(id.is_none());
        let id = id.unwrap_or(FilterId(u64::MAX - self.new));
        let said = || (id, save.filter.text.clone(), save.filter.dialect);
        match place {
            Some(place) if on => self.filters[place] = said(),
            Some(place) => drop(self.filters.remove(place)),
            None if on => self.filters.push(said()),
            None => {}
        }
    }

    /// Takes in a named set of the account.
    pub(crate) fn set(&mut self, name: &str, terms: &str) {
        self.known.own_sets.retain(|set| set.0 != name);
        self.known.own_sets.push((name.to_owned(), terms.to_owned()));
    }

    /// The filters as a worker adds them.
    fn added(&self) -> FilterSetBuilder {
        let mut builder = self.known.builder(self.account);
        for (id, text, dialect) in &self.filters {
            // What can't be used costs nothing.
            if let Ok(expression) = Expression::parse_with(text, *dialect, &Limits::default()) {
                let _ = builder.add_expression(*id, Some(owner(self.account)), expression);
            }
        }
        builder
    }

    fn price(&self) -> Price {
        self.added().prices().into_iter().sum()
    }

    fn within(&self, budget: Price) -> Result<Price, Box<OverBudget>> {
        self.added().within(owner(self.account), budget)
    }
}

/// Numbers of which one is another as soon as an account's filters, or what they refer to, are others.
async fn ground(tx: &mut Tx, account: i64) -> Result<Vec<i64>, StoreError> {
    let Some(row) = tx.row(GROUND, args![account, account, account, account, account]).await? else {
        return Ok(Vec::new());
    };
    (0..7).map(|column| row.int(column)).collect()
}
