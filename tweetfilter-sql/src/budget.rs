//! What the filters of an account cost together, held to a budget wherever they are saved.

use tweetfilter_core::budget::Price;
use tweetfilter_core::{Expression, FilterId, FilterSetBuilder, Identity, Limits, OwnerId};
use tweetfilter_stream::store::StoreError;

use crate::accounts;
use crate::database::Database;
use crate::filters::{self, read_word};
use crate::sql::{Sql, Tx, args, statements};

statements! {
    ENABLED = Sql::both("SELECT id, text, dialect FROM filter WHERE account = ? AND enabled = 1 ORDER BY position, id");
}

impl Database {
    /// A builder that knows an account as the owner of its filters, with who it is and the lists that it may name:
    /// what a filter has to fit in with before it is saved.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn owner(&self, account: i64) -> Result<(FilterSetBuilder, OwnerId), StoreError> {
        let mut tx = self.read().await?;
        let builder = builder(&mut tx, account).await?;
        tx.commit().await?;
        Ok((builder, owner(account)))
    }

    /// What the filters of an account cost a post together, and what they may.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn owner_price(&self, account: i64) -> Result<(Price, Price), StoreError> {
        let mut tx = self.read().await?;
        let price = of(&mut tx, account).await?;
        tx.commit().await?;
        Ok((price, self.budget))
    }
}

fn owner(account: i64) -> OwnerId {
    OwnerId(account.cast_unsigned())
}

async fn builder(tx: &mut Tx, account: i64) -> Result<FilterSetBuilder, StoreError> {
    let mut builder = FilterSetBuilder::new();
    for (name, terms) in filters::sets(tx).await? {
        // Filters that name a list which is refused say so themselves.
        let _ = builder.named_set(&name, &terms);
    }
    for (account, name, terms) in filters::own_sets(tx, Some(account)).await? {
        let _ = builder.owner_set(owner(account), &name, &terms);
    }
    let identities = accounts::identities(tx, account).await?;
    let identities = identities.into_iter().map(|(network, account)| Identity { network, account });
    builder.owner(owner(account), identities.collect());
    Ok(builder)
}

/// The account's enabled filters, as a worker adds them.
async fn added(tx: &mut Tx, account: i64) -> Result<FilterSetBuilder, StoreError> {
    let mut builder = builder(tx, account).await?;
    for row in tx.rows(ENABLED, args![account]).await? {
        let (id, dialect) = (FilterId(row.int(0)?.cast_unsigned()), read_word(&row.text(2)?)?);
        // What can't be used costs nothing.
        if let Ok(expression) = Expression::parse_with(&row.text(1)?, dialect, &Limits::default()) {
            let _ = builder.add_expression(id, Some(owner(account)), expression);
        }
    }
    Ok(builder)
}

/// What an account's filters cost together.
pub(crate) async fn of(tx: &mut Tx, account: i64) -> Result<Price, StoreError> {
    Ok(added(tx, account).await?.prices().into_iter().sum())
}

/// Refuses what a transaction has made of an account's filters if they cost more than they may.
pub(crate) async fn hold(tx: &mut Tx, account: i64, budget: Price) -> Result<(), StoreError> {
    let held = added(tx, account).await?.within(owner(account), budget);
    held.map(|_| ()).map_err(StoreError::OverBudget)
}
