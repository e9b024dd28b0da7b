//! What a filter costs: found by the index, guarded, or evaluated for every post.

use super::{
    Atom, AttributeTest, Expression, Form, Node, NodeKind, Shape, TextPattern, Value, WordField, literals,
};
use crate::Span;
use crate::text::{self, Origin, Searchable, WildcardReach};

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
    let (class, reasons) = best(expression.root(), &class, (CostClass::Indexed, CostClass::Scanned));
    Cost { class: if scanned { CostClass::Scanned } else { class }, reasons }
}

/// The least rank of atoms of which one is true wherever a node is, and the atoms of that rank; from what atoms
/// rank if they are true. An atom's absence ranks last.
pub(super) fn best<R: Ord + Copy>(
    node: &Node,
    rank: &impl Fn(&Atom) -> R,
    (first, last): (R, R),
) -> (R, Vec<Span>) {
    Ranks { rank, first, last }.node(node, false, false)
}

struct Ranks<'r, R, F> {
    rank: &'r F,
    first: R,
    last: R,
}

impl<R: Ord + Copy, F: Fn(&Atom) -> R> Ranks<'_, R, F> {
    fn node(&self, n: &Node, negative: bool, scoped: bool) -> (R, Vec<Span>) {
        match &n.kind {
            NodeKind::Not(inner) => self.node(inner, !negative, scoped),
            // What stands behind two scopes has no terms of its own.
            NodeKind::Scope(_, inner) if !negative && !scoped => self.node(inner, false, true),
            NodeKind::And(items) | NodeKind::Or(items) => {
                let parts = items.iter().map(|i| self.node(i, negative, scoped));
                if matches!(n.kind, NodeKind::And(_)) == negative {
                    return self.all_of(parts);
                }
                parts.min_by_key(|p| p.0).unwrap_or((self.last, Vec::new()))
            }
            NodeKind::Quota(quota) => {
                let (needed, none) = quota.needed();
                let negative = negative != none;
                let needed = if negative { quota.items.len() + 1 - needed } else { needed };
                let mut parts: Vec<_> = quota.items.iter().map(|i| self.node(i, negative, scoped)).collect();
                parts.sort_by_key(|p| p.0);
                parts.truncate((quota.items.len() + 1).saturating_sub(needed));
                self.all_of(parts.into_iter())
            }
            NodeKind::Atom(atom) if !negative => ((self.rank)(atom), vec![n.span]),
            NodeKind::Scope(..) | NodeKind::Atom(_) => (self.last, vec![n.span]),
        }
    }

    /// Where any of the parts may be the one that is true.
    fn all_of(&self, parts: impl Iterator<Item = (R, Vec<Span>)>) -> (R, Vec<Span>) {
        let mut all = (self.first, Vec::new());
        for (rank, spans) in parts {
            if rank > all.0 {
                all = (rank, Vec::new());
            }
            if rank == all.0 {
                all.1.extend(spans);
            }
        }
        all
    }
}

/// The class of posts in which an atom is true.
pub(super) fn class(atom: &Atom) -> CostClass {
    fn dearest<T>(values: &[Value<T>], class: impl Fn(&T) -> CostClass) -> CostClass {
        let classes = values.iter().map(|v| match v {
            Value::One(value) => class(value),
            Value::Set(_) => CostClass::Indexed,
        });
        classes.max().unwrap_or(CostClass::Scanned)
    }
    match atom {
        Atom::Contains(values) => dearest(values, |v| of_substring(v)),
        Atom::UrlContains(values) => dearest(values, |v| of_substring(&text::decode_link(v))),
        Atom::Regex(pattern) if literals::required(pattern).is_empty() => CostClass::Scanned,
        Atom::Regex(_) => CostClass::Guarded,
        Atom::Text(pattern) => of_pattern(pattern),
        Atom::Words(WordField::Url, values) => dearest(values, |pattern| {
            let text = text::decode_link(&pattern.text);
            of_pattern(&TextPattern { text, ..pattern.clone() })
        }),
        Atom::Words(_, values) | Atom::Attribute { test: AttributeTest::Words(values), .. } => {
            dearest(values, of_pattern)
        }
        Atom::Is(_)
        | Atom::Has(_)
        | Atom::Number(..)
        | Atom::Time(..)
        | Atom::AccountAge(_)
        | Atom::IdBound(..)
        | Atom::PointRadius { .. }
        | Atom::BoundingBox { .. }
        | Atom::Sample(_)
        | Atom::Attribute { test: AttributeTest::Number(_), .. } => CostClass::Scanned,
        _ => CostClass::Indexed,
    }
}

/// Of marks alone nothing is left to search for.
fn of_substring(text: &str) -> CostClass {
    let mut folded = Searchable::default();
    text::fold_for_search(text, Origin::Filter, &mut folded);
    if folded.plain().is_empty() { CostClass::Scanned } else { CostClass::Guarded }
}

fn of_pattern(pattern: &TextPattern) -> CostClass {
    if pattern.shape != Shape::Word || !pattern.text.contains(['*', '?']) {
        return CostClass::Indexed;
    }
    let Ok(lowered) = text::pattern(&pattern.text, true) else { return CostClass::Scanned };
    match lowered.terms.as_slice() {
        [one] if one.wildcard.is_some() => match one.reach(pattern.form == Form::Exact) {
            WildcardReach::Head(_) => CostClass::Indexed,
            WildcardReach::Part(_) => CostClass::Guarded,
            WildcardReach::None => CostClass::Scanned,
        },
        _ => CostClass::Indexed,
    }
}
