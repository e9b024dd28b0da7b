//! Expressions of an account: parsed, held against named sets and identities, ready to run.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;
use tweetfilter_core::budget::Price;
use tweetfilter_core::syntax::{Diagnostic, Severity};
use tweetfilter_core::{AddError, Dialect, Expression, FilterId, FilterSet, Limits};
use tweetfilter_sql::{Known, Prices};

use super::Api;
use super::answer::Result;
use super::caller::Caller;
use super::unused::Found;

/// What the expressions of an account refer to, as of a revision.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    account: i64,
    revision: i64,
    known: Known,
    /// Which of its filters can't be used, as was found last: it holds as long as they refer to the same.
    found: Arc<Found>,
    /// What its filters cost, once somebody asks.
    prices: OnceCell<Arc<Prices>>,
    /// What they cost before, which may hold still.
    last_prices: Option<Arc<Prices>>,
}

/// What was read last for each account that asked lately.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    of: HashMap<i64, Arc<Surroundings>>,
    /// Bytes of all of them.
    bytes: usize,
}

/// Bytes that are remembered of all accounts together.
const REMEMBERED: usize = 64 << 20;

/// About how many bytes a handle takes, with its network and whose it is.
const HANDLE: usize = 256;

/// A valid expression, ready to run.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) expression: Expression,
    /// It alone, at place 0.
    pub(super) set: FilterSet,
    /// What it costs.
    pub(super) price: Price,
}

impl Api {
    /// What the expressions of an account refer to, as of a revision or a later one.
    pub(super) async fn surroundings(
        &self,
        until: Instant,
        account: i64,
        revision: i64,
    ) -> Result<Arc<Surroundings>> {
        let remembered = || self.0.surroundings.lock().unwrap_or_else(PoisonError::into_inner);
        let last = remembered().of.get(&account).cloned();
        if let Some(last) = last.as_ref().filter(|last| last.revision == revision) {
            return Ok(last.clone());
        }
        let known = self.ask(until, self.database().known_to(account)).await?;
        let last_prices =
            last.as_ref().and_then(|last| last.prices.get().or(last.last_prices.as_ref()).cloned());
        let same = last.filter(|last| last.known == known);
        let found = same.map_or_else(Arc::default, |last| last.found.clone());
        let prices = OnceCell::new();
        let fresh = Arc::new(Surroundings { account, revision, known, found, prices, last_prices });
        remembered().put(account, fresh.clone());
        Ok(fresh)
    }
}

impl Remembered {
    fn put(&mut self, account: i64, fresh: Arc<Surroundings>) {
        let bytes = fresh.bytes();
        if let Some(last) = self.of.remove(&account) {
            self.bytes -= last.bytes();
        }
        if self.bytes + bytes > REMEMBERED {
            self.of.clear();
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.of.insert(account, fresh);
    }
}

impl Surroundings {
    /// About how many bytes it takes.
    fn bytes(&self) -> usize {
        let sets = self.known.sets.iter().chain(&self.known.own_sets);
        let sets = sets.map(|(name, terms)| 64 + name.len() + terms.len()).sum::<usize>();
        sets + HANDLE * self.known.handles.count() + 256
    }

    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    pub(super) fn found(&self) -> &Found {
        &self.found
    }

    /// What the account's filters cost that are used. They are read once, and again when they are others.
    pub(super) async fn prices(&self, api: &Api, caller: &mut Caller) -> Result<Arc<Prices>> {
        let prices = api.database().prices(self.account, self.last_prices.clone());
        let read = api.keep(caller, Duration::ZERO, prices);
        self.prices.get_or_try_init(|| read).await.cloned()
    }

    /// Of which revision it is.
    pub(super) fn revision(&self) -> i64 {
        self.revision
    }

    /// Makes an expression ready to run, as workers run it, or says what is wrong with it.
    pub(super) fn compile(
        &self,
        text: &str,
        dialect: Dialect,
    ) -> std::result::Result<Compiled, Vec<Diagnostic>> {
        let expression = Expression::parse_with(text, dialect, &Limits::default());
        let expression = expression.map_err(|error| error.diagnostics().to_vec())?;
        let (mut builder, owner) = self.known.builder_for(self.account, &expression);
        match builder.add_expression(FilterId(0), Some(owner), &expression) {
            Ok(_) => {
                let price = builder.prices().into_iter().sum();
                Ok(Compiled { expression, set: builder.build(), price })
            }
            Err(AddError::Parse(error)) => Err(error.diagnostics().to_vec()),
            Err(AddError::Refused(found)) => {
                let mut all = expression.warnings().to_vec();
                all.push(Diagnostic { severity: Severity::Error, ..*found });
                all.sort_by_key(|found| found.span);
                Err(all)
            }
            // There is one filter.
            Err(AddError::DuplicateId(_)) => Err(Vec::new()),
        }
    }
}
