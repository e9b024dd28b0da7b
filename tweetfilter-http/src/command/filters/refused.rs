//! Filters that are invalid or doubtful, and what is printed of them.

use tweetfilter_core::syntax::{Diagnostic, Severity, lint};
use tweetfilter_core::{AddError, Dialect};

use super::super::render::{self, Origin};
use super::super::terminal::Style;
use super::Entry;
use super::sets::{self, NamedSet};

/// A filter that is invalid.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Its place among all filters.
    pub(crate) position: usize,
    pub(crate) id: String,
    pub(crate) owner: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) dialect: Dialect,
    /// It was written for X, which is what the format of its file says.
    pub(crate) from_x: bool,
    /// What was parsed, where it was the set that refused it.
    pub(crate) entry: Option<Box<Entry>>,
    pub(crate) text: String,
    pub(crate) origin: Origin,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Refused {
    pub(super) fn by_set(entry: Entry, error: AddError, sets: &[NamedSet]) -> Self {
        Self {
            position: entry.position,
            id: entry.id.clone(),
            owner: entry.owner.clone(),
            name: entry.name.clone(),
            dialect: entry.expression.dialect(),
            from_x: entry.from_x,
            text: entry.expression.text().to_owned(),
            origin: entry.origin.clone(),
            diagnostics: match error {
                AddError::Parse(error) => error.diagnostics().to_vec(),
                AddError::Refused(found) => refused(&entry, *found, sets),
                // Numbers of filters are given out here, each once.
                AddError::DuplicateId(_) => Vec::new(),
            },
            entry: Some(Box::new(entry)),
        }
    }
}

/// All that keeps an expression out of a set, which itself tells but one thing.
fn refused(entry: &Entry, found: Diagnostic, sets: &[NamedSet]) -> Vec<Diagnostic> {
    let expression = &entry.expression;
    let mut all = lint::unknown_sets(expression, &sets::names(sets));
    all.iter_mut().for_each(|unknown| unknown.severity = Severity::Error);
    if entry.owner.is_none() {
        all.extend(lint::me_without_owner(expression));
    }
    all.extend(sets::wrong_lines(sets, expression));
    if !all.iter().any(|other| other.code == found.code) {
        all.push(found);
    }
    all.sort_by_key(|found| found.span.start);
    all
}

/// Prints what is wrong with refused filters to stderr.
pub(crate) fn report(refused: &[Refused]) {
    let style = Style::stderr();
    for filter in refused {
        let errors: Vec<Diagnostic> =
            filter.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        tell!("{}", render::diagnostics(&errors, &filter.text, &filter.origin, style));
    }
}

/// Prints the first warnings of filters to stderr, and how many filters have some.
pub(crate) fn report_warnings(entries: &[Entry]) {
    const SHOWN: usize = 3;
    let style = Style::stderr();
    let warnings = entries.iter().flat_map(|entry| {
        let found = entry.expression.warnings().iter();
        found.map(move |warning| (entry, warning))
    });
    for (entry, warning) in warnings.take(SHOWN) {
        let found = std::slice::from_ref(warning);
        tell!("{}", render::diagnostics(found, entry.expression.text(), &entry.origin, style));
    }
    let doubtful = entries.iter().filter(|entry| !entry.expression.warnings().is_empty()).count();
    if doubtful > 0 {
        let noun = if doubtful == 1 { "filter has" } else { "filters have" };
        told!("tweetfilter: {doubtful} {noun} warnings; `tweetfilter check` shows them all");
    }
}
