//! Comparisons that exclude each other.

use std::collections::HashMap;

use super::Lint;
use crate::Span;
use crate::syntax::{
    Atom, AttributeTest, Comparison, Diagnostic, IdBound, Node, NodeKind, NumberField, TimeBound,
};

/// From and to, both included.
type Bounds = (f64, f64);

pub(super) fn check(lint: &mut Lint<'_>, items: &[Node]) {
    let mut seen: HashMap<String, (Bounds, Span)> = HashMap::new();
    for item in items {
        let NodeKind::Atom(atom) = &item.kind else { continue };
        let Some((key, bounds)) = of(atom) else { continue };
        match seen.get_mut(&key) {
            Some((so_far, other)) => {
                let was_empty = so_far.0 > so_far.1;
                *so_far = (so_far.0.max(bounds.0), so_far.1.min(bounds.1));
                if so_far.0 > so_far.1 && !was_empty {
                    let message = "No number can be in this range and in the other one";
                    let diagnostic = Diagnostic::warning("empty_range", item.span, message);
                    let other = *other;
                    lint.warn(diagnostic.and_at(other, "the other range"));
                }
            }
            None => {
                seen.insert(key, (bounds, item.span));
            }
        }
    }
}

/// What an atom compares, and with which range.
fn of(atom: &Atom) -> Option<(String, Bounds)> {
    Some(match atom {
        Atom::Number(field, range) => {
            let step = if *field == NumberField::Caps { 0.0 } else { 1.0 };
            (format!("{field:?}"), bounds(*range, step))
        }
        Atom::Attribute { name, test: AttributeTest::Number(range) } => {
            (format!("attr.{name}"), bounds(*range, 0.0))
        }
        Atom::AccountAge(age) => ("age".to_owned(), bounds(age.range, 1.0)),
        // Milliseconds and ids beyond 2^53 are compared a little coarsely; equal ones still are equal.
        Atom::Time(TimeBound::Since, time) => ("time".to_owned(), (time.millis as f64, f64::INFINITY)),
        Atom::Time(TimeBound::Until, time) => {
            ("time".to_owned(), (f64::NEG_INFINITY, time.millis as f64 - 1.0))
        }
        Atom::IdBound(IdBound::Since, id) => ("id".to_owned(), (*id as f64, f64::INFINITY)),
        Atom::IdBound(IdBound::Max, id) => ("id".to_owned(), (f64::NEG_INFINITY, *id as f64)),
        _ => return None,
    })
}

/// `step` is the distance of neighboring numbers; 0 if there are numbers between any two.
fn bounds(range: Comparison, step: f64) -> Bounds {
    let tiny = if step == 0.0 { 1e-9 } else { step };
    match range {
        Comparison::Eq(n) => (n, n),
        Comparison::Gt(n) => (n + tiny, f64::INFINITY),
        Comparison::Ge(n) => (n, f64::INFINITY),
        Comparison::Lt(n) => (f64::NEG_INFINITY, n - tiny),
        Comparison::Le(n) => (f64::NEG_INFINITY, n),
        Comparison::Between(a, b) => (a, b),
    }
}
