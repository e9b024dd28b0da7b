//! What a filter costs: found by the index, guarded, or evaluated for every post.

use crate::Span;
use crate::syntax::{Atom, Expression, Node, NodeKind, Shape, Value};

/// How dear a filter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum CostClass {
    /// Tried only on posts that hold one of its terms.
    Indexed,
    /// Tried only on posts that hold a literal of its substrings or regexes.
    Guarded,
    /// Tried on every post.
    Scanned,
}

/// The cost class of a filter, and the atoms that decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Cost {
    /// How dear it is.
    pub class: CostClass,
    /// Where in the expression the atoms stand that the class follows from; empty: it has none that help.
    pub reasons: Vec<Span>,
}

/// The class of an expression by its form; `scanned`: the index found no access to it.
pub(crate) fn of(expression: &Expression, scanned: bool) -> Cost {
    let (class, reasons) = node(expression.root(), false);
    let class = if scanned { CostClass::Scanned } else { class.min(CostClass::Guarded) };
    Cost { class, reasons }
}

/// The cheapest class under which a side of a node can be reached.
fn node(n: &Node, negative: bool) -> (CostClass, Vec<Span>) {
    match &n.kind {
        NodeKind::Not(inner) => node(inner, !negative),
        NodeKind::Scope(_, inner) if !negative => node(inner, false),
        NodeKind::And(items) | NodeKind::Or(items) => {
            let parts = items.iter().map(|i| node(i, negative));
            if matches!(n.kind, NodeKind::And(_)) != negative { cheapest(parts) } else { dearest(parts) }
        }
        NodeKind::Quota(quota) => {
            let (needed, none) = quota.needed();
            let negative = negative != none;
            let needed = if negative { quota.items.len() + 1 - needed } else { needed };
            let mut parts: Vec<_> = quota.items.iter().map(|i| node(i, negative)).collect();
            parts.sort_by_key(|p| p.0);
            parts.truncate((quota.items.len() + 1).saturating_sub(needed));
            dearest(parts.into_iter())
        }
        NodeKind::Atom(atom) if !negative => (atom_class(atom), vec![n.span]),
        NodeKind::Scope(..) | NodeKind::Atom(_) => (CostClass::Scanned, vec![n.span]),
    }
}

fn cheapest(parts: impl Iterator<Item = (CostClass, Vec<Span>)>) -> (CostClass, Vec<Span>) {
    parts.min_by_key(|p| p.0).unwrap_or((CostClass::Scanned, Vec::new()))
}

fn dearest(parts: impl Iterator<Item = (CostClass, Vec<Span>)>) -> (CostClass, Vec<Span>) {
    let mut all = (CostClass::Indexed, Vec::new());
    for (class, spans) in parts {
        if class > all.0 {
            all = (class, Vec::new());
        }
        if class == all.0 {
            all.1.extend(spans);
        }
    }
    all
}

fn atom_class(atom: &Atom) -> CostClass {
    match atom {
        Atom::Contains(_) | Atom::UrlContains(_) => CostClass::Guarded,
        Atom::Regex(pattern) if super::literals::required(pattern).is_empty() => CostClass::Scanned,
        Atom::Regex(_) => CostClass::Guarded,
        Atom::Text(pattern) => pattern_class(pattern),
        Atom::Words(_, values) => values
            .iter()
            .map(|v| match v {
                Value::One(pattern) => pattern_class(pattern),
                Value::Set(_) => CostClass::Indexed,
            })
            .max()
            .unwrap_or(CostClass::Scanned),
        Atom::Is(_)
        | Atom::Has(_)
        | Atom::Number(..)
        | Atom::Time(..)
        | Atom::AccountAge(_)
        | Atom::IdBound(..)
        | Atom::PointRadius { .. }
        | Atom::BoundingBox { .. }
        | Atom::Sample(_)
        | Atom::Attribute { test: crate::syntax::AttributeTest::Number(_), .. } => CostClass::Scanned,
        _ => CostClass::Indexed,
    }
}

fn pattern_class(pattern: &crate::syntax::TextPattern) -> CostClass {
    if pattern.shape != Shape::Word || !pattern.text.contains(['*', '?']) {
        return CostClass::Indexed;
    }
    let Ok(lowered) = crate::text::pattern(&pattern.text, true) else { return CostClass::Scanned };
    match lowered.terms.as_slice() {
        [one] if one.wildcard.is_some() => {
            let head = one.plain.split(['*', '?']).next().unwrap_or_default();
            if head.chars().count() < 2 { CostClass::Scanned } else { CostClass::Indexed }
        }
        _ => CostClass::Indexed,
    }
}
