//! What the filters of an account cost together, held to a budget wherever they are saved.
//!
//! To price filters they are all read again, which takes a while. It is done before anything is locked; a change that
//! comes in between shows by a few numbers that every change of an account's filters or lists raises.

use std::sync::Arc;

use tweetfilter_core::budget::{self, Excess, OverBudget, Price};
use tweetfilter_core::{Dialect, Expression, FilterId, FilterSetBuilder, Limits};
use tweetfilter_stream::store::StoreError;
use tweetfilter_stream::worker::references::owner;

use crate::accounts;
use crate::database::{Database, Turn};
use crate::filters::{NewFilter, Save, read_word};
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

/// What each filter of an account that is used costs, as of a moment: by it one more is held to the budget without all of
/// them being read again.
#[derive(Debug, Default)]
pub struct Prices {
    ground: Vec<i64>,
    filters: Vec<(i64, Price)>,
}

/// An expression that is not saved yet.
#[derive(Clone, Copy, Debug)]
pub struct Unsaved<'u> {
    /// The number of the filter in whose place it would be saved.
    pub replaces: Option<i64>,
    /// Whether it would be used; without it as that filter is, or a new one is used.
    pub enabled: Option<bool>,
    /// What it says.
    pub expression: &'u Expression,
    /// What it costs.
    pub price: Price,
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

    /// What each filter of an account costs that is used; the last ones if they still hold.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn prices(&self, account: i64, last: Option<Arc<Prices>>) -> Result<Arc<Prices>, StoreError> {
        let mut tx = self.read().await?;
        let now = ground(&mut tx, account).await?;
        if let Some(last) = last.filter(|last| last.ground == now) {
            tx.commit().await?;
            return Ok(last);
        }
        let held = Holdings::read(&mut tx, account).await?;
        tx.commit().await?;
        let priced = tokio::task::spawn_blocking(move || Arc::new(held.prices()));
        priced.await.map_err(|error| broke_off(&error))
    }

    /// Whether an expression could be saved as far as its price goes, by what the other filters of the account cost. What it
    /// may refer to is known.
    ///
    /// # Errors
    /// [`StoreError::OverBudget`] if it could not; see [`StoreError`].
    pub async fn fits_beside(
        &self,
        account: i64,
        prices: &Prices,
        known: &Known,
        unsaved: &Unsaved<'_>,
    ) -> Result<(), StoreError> {
        let Unsaved { replaces, enabled, expression, price } = *unsaved;
        let before: Price = prices.filters.iter().map(|filter| filter.1).sum();
        let mut filters: Vec<(Option<i64>, Price)> =
            prices.filters.iter().map(|filter| (Some(filter.0), filter.1)).collect();
        match filters.iter().position(|filter| replaces.is_some() && filter.0 == replaces) {
            Some(place) => filters[place] = (None, price),
            None => filters.push((None, price)),
        }
        let is_used = enabled.unwrap_or(replaces.is_none_or(|id| prices.has(id)));
        let excess = match budget::hold(self.budget, filters) {
            Err(excess) if is_used && excess.price > before => excess,
            _ => return Ok(()),
        };
        let mut dearest = Vec::new();
        for (id, price) in excess.dearest {
            let read = match id {
                None => Some((FilterId(u64::MAX), expression.clone())),
                Some(id) => self.filter(id).await?.and_then(|row| {
                    let NewFilter { text, dialect, .. } = row.filter;
                    // What can't be used costs nothing.
                    let read = Expression::parse_with(&text, dialect, &Limits::default());
                    Some((FilterId(id.cast_unsigned()), read.ok()?))
                }),
            };
            dearest.extend(read.map(|read| (read, price)));
        }
        let (excess, known) = (Excess { dearest, budget: excess.budget, price: excess.price }, known.clone());
        let described = tokio::task::spawn_blocking(move || described(&known, account, excess));
        Err(StoreError::OverBudget(Box::new(described.await.map_err(|error| broke_off(&error))?)))
    }

    /// Whether filters could be saved as [`Database::save_filters`] would, as far as their price goes.
    ///
    /// # Errors
    /// As [`Database::add_filter`].
    pub async fn filters_fit(&self, account: i64, all: &[Save<'_>]) -> Result<(), StoreError> {
        if self.budget == Price::MAX {
            return Ok(());
        }
        let mut tx = self.read().await?;
        let held = Holdings::read(&mut tx, account).await?;
        tx.commit().await?;
        self.hold(held, &|held: &mut Holdings| all.iter().for_each(|save| held.save(save))).await
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
        held.await.unwrap_or_else(|error| Err(broke_off(&error)))
    }
}

impl Prices {
    /// Whether a filter is among them: it is switched on, and can be used.
    #[must_use]
    pub fn has(&self, id: i64) -> bool {
        self.filters.iter().any(|filter| filter.0 == id)
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

    /// The filters as a worker adds them, and which of them can be used.
    fn added(&self) -> (FilterSetBuilder, Vec<FilterId>) {
        let (mut builder, mut used) = (self.known.builder(self.account), Vec::new());
        for (id, text, dialect) in &self.filters {
            // What can't be used costs nothing.
            if let Ok(expression) = Expression::parse_with(text, *dialect, &Limits::default()) {
                let added = builder.add_expression(*id, Some(owner(self.account)), expression);
                used.extend(added.is_ok().then_some(*id));
            }
        }
        (builder, used)
    }

    fn price(&self) -> Price {
        self.added().0.prices().into_iter().sum()
    }

    fn prices(&self) -> Prices {
        let (builder, ids) = self.added();
        let ids = ids.into_iter().map(|id| id.0.cast_signed());
        Prices { ground: self.ground.clone(), filters: ids.zip(builder.prices()).collect() }
    }

    fn within(&self, budget: Price) -> Result<Price, Box<OverBudget>> {
        self.added().0.within(owner(self.account), budget)
    }
}

/// The refusal, with what would make each of the dearest filters of an account cheaper.
fn described(known: &Known, account: i64, excess: Excess<(FilterId, Expression)>) -> OverBudget {
    let expressions = excess.dearest.iter().map(|((_, expression), _)| expression);
    let (mut builder, owner) = known.builder_for_all(account, expressions);
    excess.described(|(id, expression), price| {
        builder.add_expression(id, Some(owner), expression).ok()?;
        builder.dear(builder.len() - 1, price)
    })
}

fn broke_off(error: &tokio::task::JoinError) -> StoreError {
    StoreError::Retry(format!("pricing broke off: {error}"))
}

/// Numbers of which one is another as soon as an account's filters, or what they refer to, are others.
async fn ground(tx: &mut Tx, account: i64) -> Result<Vec<i64>, StoreError> {
    let Some(row) = tx.row(GROUND, args![account, account, account, account, account]).await? else {
        return Ok(Vec::new());
    };
    (0..7).map(|column| row.int(column)).collect()
}
