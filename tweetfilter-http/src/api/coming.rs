//! Filters that come in with an import, as the API shows them.

use serde::Serialize;
use tweetfilter_core::syntax::differences_from_x;
use tweetfilter_core::{Dialect, Expression};
use tweetfilter_sql::Save;
use utoipa::ToSchema;

use super::answer::Finding;
use super::check::{Remark, remarks};
use super::place::Place;
use crate::incoming::{FactChange, Incoming};
use crate::names::{action_name, dialect_name};
use crate::time::rfc3339;

/// A filter of an import.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedFilter {
    /// Line of the file, from 1.
    pub line: usize,
    /// Whose it is, where the file says so; it comes in as this account's in any case.
    pub owner: Option<String>,
    /// `new`; `same`: there is one of which all is so that the file says; `differs`: there is one of this name of which
    /// the file says something else, and that would be changed; `invalid`.
    pub state: &'static str,
    /// The number of the filter that is there, or that was added.
    pub id: Option<i64>,
    /// What people call it.
    pub name: String,
    /// The expression.
    pub text: String,
    /// `native` or `x`.
    pub dialect: &'static str,
    /// What a match does.
    pub action: &'static str,
    /// Whether it would be used; what has ended would not.
    pub enabled: bool,
    /// When it is switched off by itself.
    pub expires_at: Option<String>,
    /// Of one that differs: the expression of the one that is there.
    pub was: Option<String>,
    /// Of one that differs: all that would be changed; the rest stays as it is.
    pub changes: Vec<FactChange>,
    /// What is wrong or doubtful, and what it does where it was written and does not do here.
    pub diagnostics: Vec<Finding>,
    /// Of one that was written for X: what is known to differ here.
    pub differs_from_x: Vec<Remark>,
}

/// A filter as it was read, held against those that are there, and what is found wrong with it.
pub(super) struct Candidate {
    pub(super) incoming: Incoming,
    pub(super) shown: ImportedFilter,
}

/// Something found beside the expression.
pub(super) fn beside(code: &str, severity: &'static str, message: String) -> Finding {
    Finding {
        code: code.to_owned(),
        severity,
        span: Place { start: 0, end: 0, utf16: (0, 0) },
        message,
        second: None,
        fixes: Vec::new(),
    }
}

fn ended(at: i64) -> Finding {
    let message = format!("It ended at {}, so it is switched off", rfc3339(at));
    beside("already_expired", "warning", message)
}

/// How one is called that is not kept.
const INVALID: &str = "invalid";

impl Candidate {
    pub(super) fn new(incoming: Incoming) -> Self {
        let filter = &incoming.filter;
        let shown = ImportedFilter {
            line: incoming.line,
            owner: incoming.owner.clone(),
            state: incoming.state.name(),
            id: incoming.id,
            name: filter.name.clone(),
            text: filter.text.clone(),
            dialect: dialect_name(filter.dialect),
            action: action_name(filter.action),
            enabled: incoming.enabled,
            expires_at: filter.expires_at.map(rfc3339),
            was: incoming.was.clone(),
            changes: incoming.changes.clone(),
            diagnostics: Vec::new(),
            differs_from_x: Vec::new(),
        };
        Self { incoming, shown }
    }

    pub(super) fn note(&mut self, expression: &Expression) {
        let text = &self.shown.text;
        self.shown.diagnostics = Finding::all(expression.warnings(), text);
        self.shown.diagnostics.extend(self.incoming.ended.map(ended));
        let differs = self.incoming.differences.iter();
        let differs = differs.map(|one| beside(one.code, "warning", one.message.clone()));
        self.shown.diagnostics.extend(differs);
        if expression.dialect() == Dialect::X {
            self.shown.differs_from_x = remarks(differences_from_x(expression), text);
        }
    }

    pub(super) fn refuse(&mut self, found: Vec<Finding>) {
        let shown = &mut self.shown;
        (shown.state, shown.id, shown.was) = (INVALID, None, None);
        shown.changes.clear();
        shown.diagnostics = found;
    }

    pub(super) fn is_valid(&self) -> bool {
        self.shown.state != INVALID
    }

    /// What is to be kept of it, if anything.
    pub(super) fn save(&self) -> Option<Save<'_>> {
        if self.is_valid() { self.incoming.save() } else { None }
    }
}
