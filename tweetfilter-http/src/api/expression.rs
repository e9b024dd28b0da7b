//! Expressions of an account: parsed, held against named sets and identities, ready to run.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use tokio::time::Instant;
use tweetfilter_core::syntax::{Diagnostic, Severity};
use tweetfilter_core::{
    AddError, Dialect, Expression, FilterId, FilterSet, FilterSetBuilder, Identity, Limits, OwnerId,
};
use tweetfilter_sql::Database;
use tweetfilter_stream::store::StoreError;

use super::Api;
use super::answer::Result;

/// The one owner of a set that is made for one account.
const OWNER: OwnerId = OwnerId(0);

/// What expressions refer to, as of a revision.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    revision: i64,
    sets: Vec<(String, String)>,
    identities: HashMap<i64, Vec<Identity>>,
}

/// A valid expression, ready to run.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) expression: Expression,
    /// It alone, at place 0.
    pub(super) set: FilterSet,
}

impl Api {
    /// What expressions refer to, as of a revision or a later one.
    pub(super) async fn surroundings(&self, until: Instant, revision: i64) -> Result<Arc<Surroundings>> {
        let database = self.database();
        let known = || self.0.surroundings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().as_ref().filter(|known| known.revision == revision) {
            return Ok(known.clone());
        }
        let fresh = Arc::new(self.ask(until, Surroundings::read(database, revision)).await?);
        *known() = Some(fresh.clone());
        Ok(fresh)
    }
}

impl Surroundings {
    async fn read(database: &Database, revision: i64) -> std::result::Result<Self, StoreError> {
        let sets = database.named_sets().await?;
        let mut identities = HashMap::new();
        for account in database.accounts().await? {
            let who = account.identities.into_iter();
            let who = who.map(|(network, account)| Identity { network, account });
            identities.insert(account.id, who.collect());
        }
        Ok(Self { revision, sets, identities })
    }

    /// Of which revision it is.
    pub(super) fn revision(&self) -> i64 {
        self.revision
    }

    /// Makes an expression ready to run, or says what is wrong with it.
    pub(super) fn compile(
        &self,
        account: i64,
        text: &str,
        dialect: Dialect,
    ) -> std::result::Result<Compiled, Vec<Diagnostic>> {
        let expression = Expression::parse_with(text, dialect, &Limits::default());
        let expression = expression.map_err(|error| error.diagnostics().to_vec())?;
        let mut builder = FilterSetBuilder::new();
        let lower = text.to_lowercase();
        for (name, terms) in &self.sets {
            // Sets are long; only those that may be meant are read.
            if lower.contains(&name.to_lowercase()) {
                // One that is refused is said where the expression names it.
                let _ = builder.named_set(name, terms);
            }
        }
        builder.owner(OWNER, self.identities.get(&account).cloned().unwrap_or_default());
        match builder.add_expression(FilterId(0), Some(OWNER), expression.clone()) {
            Ok(_) => Ok(Compiled { expression, set: builder.build() }),
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
