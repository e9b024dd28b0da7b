//! Expressions of an account: parsed, held against named sets and identities, ready to run.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use tokio::time::Instant;
use tweetfilter_core::syntax::{Diagnostic, Severity};
use tweetfilter_core::{AddError, Dialect, Expression, FilterId, FilterSet, Limits};
use tweetfilter_sql::{Handles, Known};

use super::Api;
use super::answer::Result;
use super::unused::Found;

/// What the expressions of an account refer to, as of a revision.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    account: i64,
    revision: i64,
    known: Known,
    /// Which of its filters can't be used, as was found last: it holds as long as they refer to the same.
    found: Arc<Found>,
}

/// What was read last for each account that asked lately.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    of: HashMap<i64, Arc<Surroundings>>,
    /// Bytes of all of them.
    bytes: usize,
    /// Handles, which are the same for all accounts, and of which revision they are.
    handles: (i64, Arc<Handles>),
}

/// Bytes that are remembered of all accounts together.
const REMEMBERED: usize = 64 << 20;

/// A valid expression, ready to run.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) expression: Expression,
    /// It alone, at place 0.
    pub(super) set: FilterSet,
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
        let last_handles = remembered().handles.clone();
        let handles = match last_handles {
            (of, handles) if of == revision => handles,
            _ => {
                let handles = self.ask(until, self.database().known_handles()).await?;
                remembered().take_handles(revision, handles)
            }
        };
        let known = self.ask(until, self.database().known_to(account, handles)).await?;
        let same = last.filter(|last| last.known == known);
        let found = same.map_or_else(Arc::default, |last| last.found.clone());
        let fresh = Arc::new(Surroundings { account, revision, known, found });
        remembered().put(account, fresh.clone());
        Ok(fresh)
    }
}

impl Remembered {
    /// Takes in handles as of a revision. Mostly they are as they were; where they are not, what was remembered with those
    /// is of no use any more, and would keep all of them for each account that does not come back.
    fn take_handles(&mut self, revision: i64, now: Handles) -> Arc<Handles> {
        if *self.handles.1 != now {
            self.of.clear();
            self.bytes = 0;
            self.handles.1 = Arc::new(now);
        }
        self.handles.0 = revision;
        self.handles.1.clone()
    }

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
    /// About how many bytes it takes beside handles.
    fn bytes(&self) -> usize {
        let sets = self.known.sets.iter().chain(&self.known.own_sets);
        sets.map(|(name, terms)| 64 + name.len() + terms.len()).sum::<usize>() + 256
    }

    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    pub(super) fn found(&self) -> &Found {
        &self.found
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_that_are_as_they_were_are_kept_once() {
        let mut remembered = Remembered::default();
        let first = remembered.take_handles(1, Handles::default());
        let second = remembered.take_handles(2, Handles::default());
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(remembered.handles.0, 2);
    }
}
