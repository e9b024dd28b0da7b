//! Collects what is wrong.

use super::{CODES, Diagnostic, Severity};
use crate::Limits;

/// Diagnostics found so far, errors and warnings apart, never more of either than the limit.
#[derive(Debug)]
pub(super) struct Report {
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    most: usize,
}

impl Report {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { errors: Vec::new(), warnings: Vec::new(), most: limits.diagnostics.max(1) }
    }

    /// Adds one, if there is room; the first ones are kept.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        debug_assert!(CODES.iter().any(|c| c.0 == diagnostic.code), "{} is not listed", diagnostic.code);
        let list = match diagnostic.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if list.len() < self.most {
            list.push(diagnostic);
        }
    }

    pub(super) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// What closes a quotation mark that is never closed, if there is one.
    pub(super) fn closing_quote(&self) -> Option<&str> {
        let found = self.errors.iter().find(|found| found.code == "unclosed_quote")?;
        found.fixes.first().map(|fix| fix.replacement.as_str())
    }

    /// All of them in order of place; where there are too many, warnings give way.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.warnings.truncate(self.most.saturating_sub(self.errors.len()));
        self.errors.append(&mut self.warnings);
        self.errors.sort_by_key(|d| (d.span, d.severity == Severity::Warning));
        self.errors
    }
}
