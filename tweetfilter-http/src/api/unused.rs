//! Filters that are switched on and that workers leave out all the same: since a list that they name is gone, or since the
//! account's filters cost more than they may.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::time::Instant;
use tweetfilter_core::budget::Price;
use tweetfilter_sql::{FilterRow, Known};
use tweetfilter_stream::store::{Snapshot, StoredAccount, StoredFilter};
use tweetfilter_stream::worker;
use utoipa::ToSchema;

use super::answer::{ApiError, Result};
use super::caller::Caller;
use super::turns::Work;
use super::{Api, LOOK};
use crate::parts::now;

/// Why a filter can't be used.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
pub struct Unused {
    /// The code of what is wrong with it, listed in SYNTAX.md, or `over_budget`.
    pub code: String,
    /// One sentence for a person.
    pub message: String,
}

impl Unused {
    /// What is wrong with an expression.
    pub(super) fn of(error: &ApiError) -> Self {
        let body = error.body();
        Self { code: body.code.clone(), message: body.message.clone() }
    }

    /// A number that is another as soon as another reason is told.
    pub(super) fn digest(&self) -> u64 {
        hashed(self)
    }
}

/// By number, those of an account's filters that are left out.
pub(super) type LeftOut = HashMap<i64, Unused>;

/// A number that is another as soon as others are left out, or another reason is told; none if none is.
pub(super) fn digest(left_out: &LeftOut) -> Option<u64> {
    let mut all: Vec<_> = left_out.iter().collect();
    all.sort_unstable_by_key(|(id, _)| **id);
    (!all.is_empty()).then(|| hashed(&all))
}

fn hashed(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// Which filters an account has switched on, each of a revision.
type SwitchedOn = Vec<(i64, u64)>;

/// What was found last of an account, and of which filters.
#[derive(Debug, Default)]
pub(super) struct Found(Mutex<Option<(SwitchedOn, Arc<LeftOut>)>>);

impl Found {
    fn of(&self, filters: &[(i64, u64)]) -> Option<Arc<LeftOut>> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(of, _)| of.as_slice() == filters).map(|(_, found)| found.clone())
    }

    fn put(&self, filters: SwitchedOn, found: Arc<LeftOut>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((filters, found));
    }
}

impl Api {
    /// Which of the caller's filters are left out though they are switched on, as workers find it.
    pub(super) async fn left_out(&self, caller: &Caller, rows: &[FilterRow]) -> Result<Arc<LeftOut>> {
        let is_on =
            |row: &&FilterRow| row.enabled && row.filter.expires_at.is_none_or(|expires| expires > now());
        let on: Vec<&FilterRow> = rows.iter().filter(is_on).collect();
        if on.is_empty() {
            return Ok(Arc::default());
        }
        let filters: SwitchedOn = on.iter().map(|row| (row.id, row.revision)).collect();
        // Whoever comes here may have waited for something else that took a while.
        let until = caller.until.max(Instant::now() + LOOK);
        let surroundings = self.surroundings(until, caller.account(), caller.pulse.revision).await?;
        if let Some(found) = surroundings.found().of(&filters) {
            return Ok(found);
        }
        let on: Vec<FilterRow> = on.into_iter().cloned().collect();
        let (account, budget) = (caller.account(), self.database().owner_budget());
        let find = move || {
            // Another request of the account may have found it while this one waited.
            surroundings.found().of(&filters).unwrap_or_else(|| {
                let found = Arc::new(left_out(&snapshot(account, surroundings.known(), &on), budget));
                surroundings.found().put(filters, found.clone());
                found
            })
        };
        self.alone(account, Work::Lists, find).await
    }
}

/// What a worker has of an account.
fn snapshot(account: i64, known: &Known, on: &[FilterRow]) -> Snapshot {
    let texts: Vec<_> = on.iter().map(|row| row.filter.text.to_lowercase()).collect();
    // Sets are long; only those that may be meant are read.
    let is_meant = |name: &str| {
        let name = name.to_lowercase();
        texts.iter().any(|text| text.contains(&name))
    };
    let filter = |row: &FilterRow| StoredFilter {
        id: row.id,
        account,
        text: row.filter.text.clone(),
        dialect: row.filter.dialect,
        action: row.filter.action,
    };
    let identities = known.identities.clone();
    Snapshot {
        accounts: vec![StoredAccount { id: account, identities, ..StoredAccount::default() }],
        filters: on.iter().map(filter).collect(),
        sets: known.sets.iter().filter(|set| is_meant(&set.0)).cloned().collect(),
        own_sets: known
            .own_sets
            .iter()
            .filter(|set| is_meant(&set.0))
            .map(|(name, terms)| (account, name.clone(), terms.clone()))
            .collect(),
        // Who names people is dearer as soon as it is known who these are.
        handles: known.handles.iter().cloned().collect(),
        ..Snapshot::default()
    }
}

fn left_out(snapshot: &Snapshot, budget: Price) -> LeftOut {
    let compiled = worker::Compiled::new(snapshot, budget);
    let of = |filter: &worker::RefusedFilter| {
        (filter.id, Unused { code: filter.code.to_owned(), message: filter.reason.clone() })
    };
    compiled.refused().iter().map(of).collect()
}
