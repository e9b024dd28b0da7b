//! Filters that come in with an import, held against what is there: what a file does not say stays as it is.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::json;
use tweetfilter_core::syntax::{differences_from_x, to_native};
use tweetfilter_core::{Dialect, Expression, Limits};
use tweetfilter_sql::{FilterRow, NewFilter, Save};
use tweetfilter_stream::store::Action;
use utoipa::ToSchema;

use super::answer::Finding;
use super::check::{Remark, remarks};
use super::shapes::{action_name, dialect_name};
use crate::import::FilterLine;
use crate::time::rfc3339;

/// A filter of an import.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedFilter {
    /// Line of the file, from 1.
    pub line: usize,
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
    /// Whether it would be used.
    pub enabled: bool,
    /// When it is switched off by itself.
    pub expires_at: Option<String>,
    /// Of one that differs: the expression of the one that is there.
    pub was: Option<String>,
    /// Of one that differs: all that would be changed; the rest stays as it is.
    pub changes: Vec<FactChange>,
    /// What is wrong or doubtful.
    pub diagnostics: Vec<Finding>,
    /// Of one that was written for X: what is known to differ here.
    pub differs_from_x: Vec<Remark>,
}

/// Something that would be changed of a filter.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FactChange {
    /// `text`, `dialect`, `action`, `enabled` or `expires_at`.
    pub field: &'static str,
    /// What it is; of `expires_at` a time, or `never`.
    pub from: String,
    /// What it would be.
    pub to: String,
}

/// A filter as it was read, with what the file does not say from the one that is there.
pub(super) struct Candidate {
    pub(super) new: NewFilter,
    /// Whether it is used, where the file says so.
    enabled: Option<bool>,
    /// Of one that differs: the revision of the one that is there.
    was: u64,
    pub(super) shown: ImportedFilter,
}

impl Candidate {
    /// A line of a file, and the filter that it means, if one is there; of a new one what the line does not say is as
    /// in `unsaid`.
    pub(super) fn new(line: &FilterLine, row: Option<&FilterRow>, unsaid: &NewFilter) -> Self {
        let (state, new) = match row {
            None => ("new", said(line, unsaid.clone())),
            Some(row) if is_so(line, row) => ("same", row.filter.clone()),
            Some(row) => ("differs", said(line, row.filter.clone())),
        };
        let enabled = line.enabled.unwrap_or(row.is_none_or(|row| row.enabled));
        let differs = row.filter(|_| state == "differs");
        let shown = ImportedFilter {
            line: line.line,
            state,
            id: row.map(|row| row.id),
            name: new.name.clone(),
            text: new.text.clone(),
            dialect: dialect_name(new.dialect),
            action: action_name(new.action),
            enabled,
            expires_at: new.expires_at.map(rfc3339),
            was: differs.map(|row| row.filter.text.clone()),
            changes: differs.map(|row| changes(row, &new, enabled)).unwrap_or_default(),
            diagnostics: Vec::new(),
            differs_from_x: Vec::new(),
        };
        Self { new, enabled: line.enabled, was: row.map_or(0, |row| row.revision), shown }
    }

    pub(super) fn note(&mut self, expression: &Expression) {
        let text = &self.shown.text;
        self.shown.diagnostics = expression.warnings().iter().map(|found| Finding::of(found, text)).collect();
        if expression.dialect() == Dialect::X {
            self.shown.differs_from_x = remarks(differences_from_x(expression), text);
        }
    }

    pub(super) fn refuse(&mut self, found: Vec<Finding>) {
        let shown = &mut self.shown;
        (shown.state, shown.id, shown.was) = ("invalid", None, None);
        shown.changes.clear();
        shown.diagnostics = found;
    }

    /// What is to be kept of it, if anything.
    pub(super) fn save(&self) -> Option<Save<'_>> {
        let replaces = match (self.shown.state, self.shown.id) {
            ("new", _) => None,
            ("differs", Some(id)) => Some((id, Some(self.was))),
            _ => return None,
        };
        Some(Save { replaces, filter: &self.new, enabled: self.enabled })
    }
}

/// What a line says, and the rest as it is.
fn said(line: &FilterLine, rest: NewFilter) -> NewFilter {
    NewFilter {
        name: line.name.clone().unwrap_or(rest.name),
        text: line.text.clone(),
        dialect: line.dialect.unwrap_or(rest.dialect),
        action: action(line).unwrap_or(rest.action),
        expires_at: line.expires_at.or(rest.expires_at),
    }
}

fn action(line: &FilterLine) -> Option<Action> {
    serde_json::from_value(json!(line.action.as_deref()?)).ok()
}

/// Whether all that a line says is so of a filter already.
fn is_so(line: &FilterLine, row: &FilterRow) -> bool {
    let filter = &row.filter;
    is_one_text(&line.text, &filter.text)
        && line.name.as_ref().is_none_or(|name| *name == filter.name)
        && line.enabled.is_none_or(|enabled| enabled == row.enabled)
        && line.expires_at.is_none_or(|at| filter.expires_at == Some(at))
        && action(line).is_none_or(|action| action == filter.action)
        && line.dialect.is_none_or(|dialect| dialect == filter.dialect || is_of_both_dialects(&filter.text))
}

/// Whether two texts are the same; a line end is a space where each filter stands on a line.
fn is_one_text(one: &str, other: &str) -> bool {
    let flat = |c: char| if matches!(c, '\n' | '\r') { ' ' } else { c };
    one.len() == other.len() && one.chars().map(flat).eq(other.chars().map(flat))
}

/// Whether an expression means the same in both dialects.
fn is_of_both_dialects(text: &str) -> bool {
    let meant = |dialect| {
        let read = Expression::parse_with(text, dialect, &Limits::default()).ok()?;
        Some(to_native(&read).into_root())
    };
    let native = meant(Dialect::Native);
    native.is_some() && native == meant(Dialect::X)
}

fn changes(row: &FilterRow, new: &NewFilter, enabled: bool) -> Vec<FactChange> {
    let facts = |filter: &NewFilter, enabled: bool| {
        [
            ("text", filter.text.clone()),
            ("dialect", dialect_name(filter.dialect).to_owned()),
            ("action", action_name(filter.action).to_owned()),
            ("enabled", enabled.to_string()),
            ("expires_at", filter.expires_at.map_or_else(|| "never".to_owned(), rfc3339)),
        ]
    };
    let pairs = facts(&row.filter, row.enabled).into_iter().zip(facts(new, enabled));
    let change = |((field, from), (_, to)): ((&'static str, String), (&'static str, String))| {
        (from != to).then_some(FactChange { field, from, to })
    };
    pairs.filter_map(change).collect()
}

/// For each line the filter that it means: one of which all is so that it says, or else the one of its name. A filter
/// is meant by one line at most, and by name only where the name is no other's: X's tags are of many.
pub(super) fn meant<'r>(lines: &[FilterLine], rows: &'r [FilterRow]) -> Vec<Option<&'r FilterRow>> {
    let mut taken: HashSet<i64> = HashSet::new();
    let mut meant = Vec::with_capacity(lines.len());
    for line in lines {
        let row = rows.iter().find(|row| is_so(line, row) && !taken.contains(&row.id));
        taken.extend(row.map(|row| row.id));
        meant.push(row);
    }
    let mut named: HashMap<&str, usize> = HashMap::new();
    for name in lines.iter().filter_map(|line| line.name.as_deref()) {
        *named.entry(name).or_default() += 1;
    }
    for (line, row) in lines.iter().zip(&mut meant).filter(|(_, row)| row.is_none()) {
        let Some(name) = line.name.as_deref().filter(|name| !name.is_empty()) else { continue };
        let mut of_name = rows.iter().filter(|row| row.filter.name == name);
        if let (Some(found), None) = (of_name.next(), of_name.next())
            && named.get(name) == Some(&1)
            && taken.insert(found.id)
        {
            *row = Some(found);
        }
    }
    meant
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_of_both_dialects_where_it_reads_as_much() {
        assert!(is_of_both_dialects("from:bob lang:en"));
        assert!(!is_of_both_dialects("snow"));
        assert!(!is_of_both_dialects("(snow"));
        assert!(is_one_text("a\nb", "a b") && !is_one_text("a b", "a c"));
    }
}
