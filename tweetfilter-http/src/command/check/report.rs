//! What `check` says of one filter.

use serde_json::{Value, json};
use tweetfilter_core::explain::Cost;
use tweetfilter_core::syntax::lint::never_carried;
use tweetfilter_core::syntax::{Diagnostic, Note, Severity, differences_from_x, lost_in_native, to_native};
use tweetfilter_core::{Dialect, Expression};
use tweetfilter_stream::wire::Carrier;

use super::super::filters::{Compiled, Entry, Refused, class_name};
use super::super::render;
use super::super::terminal::{Color, Style, one_line};

/// A filter and what became of it.
pub(super) enum Checked<'a> {
    /// It can be run; what it needs from outside, such as a named set, may be missing yet.
    Valid { entry: &'a Entry, cost: Option<Cost>, diagnostics: Vec<Diagnostic> },
    /// It can't.
    Invalid(&'a Refused),
}

impl<'a> Checked<'a> {
    /// All filters, in the order of their files.
    pub(super) fn all(compiled: &'a Compiled, source: Option<Carrier>) -> Vec<Self> {
        let valid = compiled.entries.iter().enumerate().map(|(n, entry)| Checked::Valid {
            entry,
            cost: compiled.set.cost(n),
            diagnostics: warnings(entry, source),
        });
        let refused = compiled.refused.iter().map(|refused| Self::refused(refused, source));
        let mut filters: Vec<Self> = valid.chain(refused).collect();
        filters.sort_by_key(|filter| match filter {
            Self::Valid { entry, .. } => entry.position,
            Self::Invalid(refused) => refused.position,
        });
        filters
    }

    /// A filter is not wrong for naming a set that is kept elsewhere.
    fn refused(refused: &'a Refused, source: Option<Carrier>) -> Self {
        let only_sets = refused.diagnostics.iter().all(|found| found.code == "set_unknown");
        match &refused.entry {
            Some(entry) if only_sets => {
                let mut diagnostics = warnings(entry, source);
                diagnostics.extend(refused.diagnostics.iter().cloned().map(|mut found| {
                    found.severity = Severity::Warning;
                    found
                }));
                Self::Valid { entry, cost: None, diagnostics }
            }
            _ => Self::Invalid(refused),
        }
    }

    pub(super) fn is_valid(&self) -> bool {
        matches!(self, Self::Valid { .. })
    }

    fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Valid { diagnostics, .. } => diagnostics,
            Self::Invalid(refused) => &refused.diagnostics,
        }
    }

    /// For people: id, cost class and canonical form, then what there is to say.
    pub(super) fn text(&self, spelled_out: bool, style: Style) -> String {
        let (entry, cost) = match self {
            Self::Invalid(refused) => {
                let shown = render::diagnostics(&refused.diagnostics, &refused.text, &refused.origin, style);
                let id = style.paint(Color::Name, &one_line(&refused.id));
                return format!("{id}  {}\n{shown}", style.paint(Color::Strong, "invalid"));
            }
            Self::Valid { entry, cost, .. } => (entry, cost),
        };
        let class = cost.as_ref().map_or("valid", |cost| class_name(cost.class));
        let mut shown = format!(
            "{}  {}  {}\n",
            style.paint(Color::Name, &one_line(&entry.id)),
            style.paint(Color::Dim, class),
            one_line(&entry.expression.to_string()),
        );
        if spelled_out {
            let native = one_line(&to_native(&entry.expression).to_string());
            shown.push_str(&format!("    native: {native}\n"));
            shown.push_str(&listed(&lost_in_native(&entry.expression), entry.expression.text()));
        }
        if let Some(there) = AtX::of(entry) {
            shown.push_str(&there.text(entry.expression.text()));
        }
        let text = entry.expression.text();
        shown.push_str(&render::diagnostics(self.diagnostics(), text, &entry.origin, style));
        shown
    }

    /// For programs.
    pub(super) fn json(&self, spelled_out: bool) -> Value {
        let entry = match self {
            Self::Invalid(refused) => return refused_json(refused, spelled_out),
            Self::Valid { entry, .. } => entry,
        };
        let Self::Valid { cost, diagnostics, .. } = self else { return Value::Null };
        let mut object = json!({
            "id": entry.id,
            "owner": entry.owner,
            "name": entry.name,
            "file": entry.origin.name,
            "line": entry.origin.line,
            "filter": entry.expression.text(),
            "dialect": entry.expression.dialect(),
            "valid": true,
            "canonical": entry.expression.to_string(),
            "cost": cost,
            "diagnostics": diagnostics,
        });
        if spelled_out {
            object["native"] = to_native(&entry.expression).to_string().into();
            object["native_lacks"] = json!(lost_in_native(&entry.expression));
        }
        if let Some(there) = AtX::of(entry) {
            object["same_as_at_x"] = there.is_same().into();
            object["differs"] = json!(there.notes);
            object["reads_as_much"] = json!(there.wider);
            object["reads_less"] = json!(there.lost);
        }
        object
    }
}

/// What is doubtful in a filter, on posts of a source.
fn warnings(entry: &Entry, source: Option<Carrier>) -> Vec<Diagnostic> {
    let mut warnings = entry.expression.warnings().to_vec();
    if let Some(source) = source {
        warnings.extend(never_carried(&entry.expression, &source.capabilities()));
    }
    warnings
}

/// An invalid filter, with the keys of a valid one.
fn refused_json(refused: &Refused, spelled_out: bool) -> Value {
    let mut object = json!({
        "id": refused.id,
        "owner": refused.owner,
        "name": refused.name,
        "file": refused.origin.name,
        "line": refused.origin.line,
        "filter": refused.text,
        "dialect": refused.dialect,
        "valid": false,
        "canonical": null,
        "cost": null,
        "diagnostics": refused.diagnostics,
    });
    if spelled_out {
        object["native"] = Value::Null;
        object["native_lacks"] = Value::Null;
    }
    if refused.dialect == Dialect::X || refused.from_x {
        for key in ["same_as_at_x", "differs", "reads_as_much", "reads_less"] {
            object[key] = Value::Null;
        }
    }
    object
}

/// How a filter that was written for X reads here.
struct AtX {
    /// What is known to differ, with the part it is about.
    notes: Vec<Note>,
    /// Run in the native dialect it reads less than at X; this native text reads as much.
    wider: Option<String>,
    /// … but for this.
    lost: Vec<Note>,
}

impl AtX {
    fn of(entry: &Entry) -> Option<Self> {
        let kept = entry.expression.dialect() == Dialect::X;
        if !kept && !entry.from_x {
            return None;
        }
        let limits = tweetfilter_core::Limits::default();
        let there = Expression::parse_with(entry.expression.text(), Dialect::X, &limits).ok()?;
        let spelled = to_native(&there);
        let wider = (!kept && spelled.root() != entry.expression.root()).then(|| spelled.to_string());
        let lost = if wider.is_some() { lost_in_native(&there) } else { Vec::new() };
        Some(Self { notes: differences_from_x(&there), wider, lost })
    }

    fn is_same(&self) -> bool {
        self.notes.is_empty() && self.wider.is_none()
    }

    fn text(&self, expression: &str) -> String {
        if self.is_same() {
            return "    means the same here as at X\n".to_owned();
        }
        let mut shown = String::new();
        if let Some(wider) = &self.wider {
            shown.push_str("    reads less in the native dialect than at X; as much reads\n");
            shown.push_str(&format!("      {}\n", one_line(wider)));
            shown.push_str(&listed(&self.lost, expression));
        }
        if !self.notes.is_empty() {
            shown.push_str("    differs from X:\n");
        }
        shown.push_str(&listed(&self.notes, expression));
        shown
    }
}

/// Notes, each behind the part of the expression that it is about.
fn listed(notes: &[Note], expression: &str) -> String {
    let line = |note: &Note| {
        let written = expression.get(note.span.range()).unwrap_or_default();
        format!("      {}: {}\n", one_line(written), note.message)
    };
    notes.iter().map(line).collect()
}

/// How many filters are as they should be.
pub(super) fn total(filters: &[Checked<'_>]) -> String {
    let invalid = filters.iter().filter(|filter| !filter.is_valid()).count();
    let doubtful =
        filters.iter().filter(|filter| filter.is_valid() && !filter.diagnostics().is_empty()).count();
    let noun = if filters.len() == 1 { "filter" } else { "filters" };
    format!("{} {noun}: {invalid} invalid, {doubtful} with warnings\n", filters.len())
}
