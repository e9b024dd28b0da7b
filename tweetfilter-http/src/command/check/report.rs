//! What `check` says of one filter.

use serde_json::{Value, json};
use tweetfilter_core::syntax::{Diagnostic, Severity};
use tweetfilter_core::{Cost, Dialect, Expression};

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
    pub(super) fn all(compiled: &'a Compiled) -> Vec<Self> {
        let valid = compiled.entries.iter().enumerate().map(|(n, entry)| Checked::Valid {
            entry,
            cost: compiled.set.cost(n),
            diagnostics: entry.expression.warnings().to_vec(),
        });
        let mut filters: Vec<Self> = valid.chain(compiled.refused.iter().map(Self::refused)).collect();
        filters.sort_by_key(|filter| match filter {
            Self::Valid { entry, .. } => entry.position,
            Self::Invalid(refused) => refused.position,
        });
        filters
    }

    /// A filter is not wrong for naming a set that is kept elsewhere.
    fn refused(refused: &'a Refused) -> Self {
        let only_sets = refused.diagnostics.iter().all(|found| found.code == "set_unknown");
        match &refused.entry {
            Some(entry) if only_sets => {
                let mut diagnostics = entry.expression.warnings().to_vec();
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
            let native = one_line(&entry.expression.to_native().expression.to_string());
            shown.push_str(&format!("    native: {native}\n"));
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
            Self::Invalid(refused) => {
                return json!({
                    "id": refused.id,
                    "file": refused.origin.name,
                    "line": refused.origin.line,
                    "filter": refused.text,
                    "dialect": refused.dialect,
                    "valid": false,
                    "diagnostics": refused.diagnostics,
                });
            }
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
            object["native"] = entry.expression.to_native().expression.to_string().into();
        }
        if let Some(there) = AtX::of(entry) {
            object["same_as_at_x"] = there.is_same().into();
            object["differs"] = there
                .differs
                .iter()
                .map(|(span, reads)| json!({"start": span.start, "end": span.end, "reads": reads}))
                .collect();
        }
        object
    }
}

/// How a filter that was written for X reads here, in the native dialect.
struct AtX {
    differs: Vec<(std::ops::Range<usize>, String)>,
    /// It is run in dialect x, so the difference shows only where it is taken over into the native one.
    kept: bool,
}

impl AtX {
    fn of(entry: &Entry) -> Option<Self> {
        let kept = entry.expression.dialect() == Dialect::X;
        if !kept && !entry.from_x {
            return None;
        }
        let limits = tweetfilter_core::Limits::default();
        let text = entry.expression.text();
        let there = Expression::parse_with(text, Dialect::X, &limits).ok()?;
        let wider = there.to_native().wider;
        let mut differs: Vec<_> =
            wider.into_iter().map(|wider| (wider.span.range(), wider.reads.to_owned())).collect();
        let here = Expression::parse_with(text, Dialect::Native, &limits);
        if here.is_ok_and(|here| here.root() != there.root()) {
            // The trees differ only where a number stands bare.
            differs.push((0..text.len(), "bare numbers as `at least`".to_owned()));
        }
        Some(Self { differs, kept })
    }

    fn is_same(&self) -> bool {
        self.differs.is_empty()
    }

    fn text(&self, expression: &str) -> String {
        if self.is_same() {
            return "    means the same here in both dialects\n".to_owned();
        }
        let mut shown = if self.kept {
            "    means the same in dialect x; in the native one it reads less, since at X\n".to_owned()
        } else {
            "    differs from X, where\n".to_owned()
        };
        for (range, reads) in &self.differs {
            let written = expression.get(range.clone()).unwrap_or_default();
            shown.push_str(&format!("      {} reads also {reads}\n", one_line(written)));
        }
        shown
    }
}

/// How many filters are as they should be.
pub(super) fn total(filters: &[Checked<'_>]) -> String {
    let invalid = filters.iter().filter(|filter| !filter.is_valid()).count();
    let doubtful =
        filters.iter().filter(|filter| filter.is_valid() && !filter.diagnostics().is_empty()).count();
    let noun = if filters.len() == 1 { "filter" } else { "filters" };
    format!("{} {noun}: {invalid} invalid, {doubtful} with warnings\n", filters.len())
}
