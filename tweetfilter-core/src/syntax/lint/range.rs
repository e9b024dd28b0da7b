//! Comparisons that exclude each other.

use std::collections::{HashMap, HashSet};

use super::Lint;
use super::group::Entry;
use crate::Span;
use crate::syntax::{Atom, Comparison, Diagnostic, IdBound, NodeKind, NumberField, TimeBound};

/// From and to, both included.
type Bounds = (f64, f64);

/// What is known so far of one number.
struct Seen {
    bounds: Bounds,
    /// The last comparison that narrowed them.
    at: Span,
    empty: bool,
    /// Ranges that are excluded, each with the number of its atom.
    holes: Vec<(Bounds, u32, Span)>,
}

const EVERYTHING: Bounds = (f64::NEG_INFINITY, f64::INFINITY);

pub(super) fn check(lint: &mut Lint<'_>, entries: &[Entry<'_>]) {
    let mut seen: HashMap<String, Seen> = HashMap::new();
    // What is beside its opposite is warned of as that.
    let mut written: HashSet<(u32, bool)> = HashSet::new();
    for Entry { id, negated, item } in entries {
        let atom = match &item.kind {
            NodeKind::Atom(atom) => atom,
            NodeKind::Not(inner) => match &inner.kind {
                NodeKind::Atom(atom) => atom,
                _ => continue,
            },
            _ => continue,
        };
        let Some((key, bounds, step)) = of(atom) else { continue };
        written.insert((*id, *negated));
        let fresh = Seen { bounds: EVERYTHING, at: item.span, empty: false, holes: Vec::new() };
        let known = seen.entry(key).or_insert(fresh);
        let (low, high) = match (negated, bounds) {
            (false, bounds) => bounds,
            (true, (low, f64::INFINITY)) => (f64::NEG_INFINITY, low - step),
            (true, (f64::NEG_INFINITY, high)) => (high + step, f64::INFINITY),
            (true, hole) => {
                known.holes.push((hole, *id, item.span));
                continue;
            }
        };
        let before = known.bounds;
        known.bounds = (before.0.max(low), before.1.min(high));
        if known.bounds.0 > known.bounds.1 && !known.empty {
            known.empty = true;
            if !written.contains(&(*id, !negated)) {
                warn(lint, item.span, known.at);
            }
        }
        if known.bounds != before {
            known.at = item.span;
        }
    }
    for known in seen.values().filter(|known| !known.empty && known.bounds != EVERYTHING) {
        // What several exclude together is not looked at.
        let covers = |hole: Bounds| hole.0 <= known.bounds.0 && known.bounds.1 <= hole.1;
        let mut holes =
            known.holes.iter().filter(|hole| covers(hole.0) && !written.contains(&(hole.1, false)));
        if let Some((.., span)) = holes.next() {
            warn(lint, known.at.max(*span), known.at.min(*span));
        }
    }
}

fn warn(lint: &mut Lint<'_>, span: Span, other: Span) {
    let message = "No number can be in this range and in the other one";
    lint.warn(Diagnostic::warning("empty_range", span, message).and_at(other, "the other range"));
}

/// What an atom compares, with which range, and the distance of neighboring numbers.
fn of(atom: &Atom) -> Option<(String, Bounds, f64)> {
    Some(match atom {
        Atom::Number(field, range) => {
            let step = if *field == NumberField::Caps { TINY } else { 1.0 };
            (format!("{field:?}"), bounds(*range, step), step)
        }
        // Fields of one's own may have several values, so none of their ranges is empty beside another.
        Atom::AccountAge(age) => ("age".to_owned(), bounds(age.range, 1.0), 1.0),
        // Milliseconds and ids beyond 2^53 are compared a little coarsely; equal ones still are equal.
        Atom::Time(TimeBound::Since, time) => ("time".to_owned(), (time.millis as f64, f64::INFINITY), 1.0),
        Atom::Time(TimeBound::Until, time) => {
            ("time".to_owned(), (f64::NEG_INFINITY, time.millis as f64 - 1.0), 1.0)
        }
        Atom::IdBound(IdBound::Since, id) => ("id".to_owned(), (*id as f64 + 1.0, f64::INFINITY), 1.0),
        Atom::IdBound(IdBound::Max, id) => ("id".to_owned(), (f64::NEG_INFINITY, *id as f64), 1.0),
        _ => return None,
    })
}

/// Between any two of these numbers there are others.
const TINY: f64 = 1e-9;

fn bounds(range: Comparison, step: f64) -> Bounds {
    match range {
        Comparison::Eq(n) => (n, n),
        Comparison::Gt(n) => (n + step, f64::INFINITY),
        Comparison::Ge(n) => (n, f64::INFINITY),
        Comparison::Lt(n) => (f64::NEG_INFINITY, n - step),
        Comparison::Le(n) => (f64::NEG_INFINITY, n),
        Comparison::Between(a, b) => (a, b),
    }
}
