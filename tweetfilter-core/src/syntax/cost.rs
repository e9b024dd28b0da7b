//! What a filter costs: found by the index, guarded, or evaluated for every post.

use super::lint::{each_atom, sets_of};
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
    /// Tried on every post, or a named set of it is.
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

/// The least and the most.
pub(super) const ENDS: (CostClass, CostClass) = (CostClass::Indexed, CostClass::Scanned);

/// The class of an expression by its form; `scanned`: the index found no access to it.
pub(crate) fn of(expression: &Expression, scanned: bool) -> Cost {
    let (class, reasons) = best(expression.root(), &|atom: &Atom, _: Span| class(atom), ENDS);
    Cost { class: if scanned { CostClass::Scanned } else { class }, reasons }
}

/// The class of an expression that names sets, as they are written, that are tried on every post.
pub(crate) fn by_sets(expression: &Expression, sets: &[&str]) -> Cost {
    let mut reasons = Vec::new();
    each_atom(expression, &mut |atom, span| {
        if !sets_of(atom).is_empty() && sets.contains(&&*atom.to_string()) {
            reasons.push(span);
        }
    });
    Cost { class: CostClass::Scanned, reasons }
}

/// The class of a tree by its form alone.
pub(super) fn class_of(root: &Node) -> CostClass {
    let (class, ()) = best(root, &|atom: &Atom, _: Span| class(atom), ENDS);
    class
}

/// The least rank of atoms of which one is true wherever a node is, and the places of the atoms of that rank if they
/// are asked for; from what atoms, and where they stand, rank if they are true. An atom's absence ranks last.
pub(super) fn best<R: Ord + Copy, P: Places>(
    node: &Node,
    rank: &impl Fn(&Atom, Span) -> R,
    (first, last): (R, R),
) -> (R, P) {
    Ranks { rank, first, last }.node(node, false, false)
}

/// Where atoms stand, for whoever asks.
pub(super) trait Places: Default {
    /// One place.
    fn at(span: Span) -> Self;
    /// Adds others.
    fn add(&mut self, others: Self);
}

impl Places for Vec<Span> {
    fn at(span: Span) -> Self {
        vec![span]
    }

    fn add(&mut self, others: Self) {
        self.extend(others);
    }
}

/// Nobody asks.
impl Places for () {
    fn at(_: Span) -> Self {}

    fn add(&mut self, (): Self) {}
}

struct Ranks<'r, R, F> {
    rank: &'r F,
    first: R,
    last: R,
}

impl<R: Ord + Copy, F: Fn(&Atom, Span) -> R> Ranks<'_, R, F> {
    fn node<P: Places>(&self, n: &Node, negative: bool, scoped: bool) -> (R, P) {
        match &n.kind {
            NodeKind::Not(inner) => self.node(inner, !negative, scoped),
            // What stands behind two scopes has no terms of its own.
            NodeKind::Scope(_, inner) if !negative && !scoped => self.node(inner, false, true),
            NodeKind::And(items) | NodeKind::Or(items) => {
                let parts = items.iter().map(|i| self.node(i, negative, scoped));
                if matches!(n.kind, NodeKind::And(_)) == negative {
                    return self.all_of(parts);
                }
                parts.min_by_key(|p| p.0).unwrap_or((self.last, P::default()))
            }
            NodeKind::Quota(quota) => {
                let (needed, none) = quota.needed();
                let negative = negative != none;
                let needed = if negative { quota.items.len() + 1 - needed } else { needed };
                let parts = quota.items.iter().map(|i| self.node(i, negative, scoped));
                let mut parts: Vec<(R, P)> = parts.collect();
                parts.sort_by_key(|p| p.0);
                parts.truncate((quota.items.len() + 1).saturating_sub(needed));
                self.all_of(parts.into_iter())
            }
            NodeKind::Atom(atom) if !negative => ((self.rank)(atom, n.span), P::at(n.span)),
            NodeKind::Scope(..) | NodeKind::Atom(_) => (self.last, P::at(n.span)),
        }
    }

    /// Where any of the parts may be the one that is true.
    fn all_of<P: Places>(&self, parts: impl Iterator<Item = (R, P)>) -> (R, P) {
        let mut all = (self.first, P::default());
        for (rank, places) in parts {
            if rank > all.0 {
                all = (rank, P::default());
            }
            if rank == all.0 {
                all.1.add(places);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dialect;

    #[test]
    fn the_class_that_is_kept_is_that_of_the_form() {
        use CostClass::{Guarded, Indexed, Scanned};
        for (text, class) in [
            ("snow", Indexed),
            ("the", Indexed),
            ("contains:\"no\"", Guarded),
            ("/snow+/", Guarded),
            ("/[a-z]+/", Scanned),
            ("snow OR /[a-z]+/", Scanned),
            ("snow /[a-z]+/", Indexed),
            ("/[a-z]+/ OR /snow+/", Scanned),
            ("/[a-z]+/ /snow+/", Guarded),
            ("-snow", Scanned),
            ("-(-snow OR has:links)", Indexed),
            ("2 of (snow, /rain+/, /hail+/)", Guarded),
            ("2 of (snow, rain, is:reply)", Indexed),
            ("3 of (snow, rain, is:reply)", Indexed),
            ("1 of (snow, is:reply)", Scanned),
            ("in:quote(snow)", Indexed),
        ] {
            let expression = Expression::parse(text).expect(text);
            let made = Expression::from_node(expression.root().clone(), Dialect::Native);
            let classes = [expression.class(), made.class(), of(&expression, false).class];
            assert_eq!(classes, [class; 3], "{text}");
        }
    }
}
