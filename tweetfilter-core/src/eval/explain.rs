//! Why a post matches, or what it lacks: computed on request, by the engine's own answers for each atom.

mod places;
mod texts;
mod truth;
mod values;

use std::cmp::Reverse;
use std::collections::HashMap;

pub use super::stretches::Field;
use crate::filter_set::{FilterId, FilterSetBuilder};
use crate::post::Post;
use crate::stated::Known;
use crate::syntax::{Node, NodeKind, Scope};
use crate::{Dialect, Expression, Limits, Scratch, Span};
use places::Places;

/// Places that are told of a part of an expression.
const SHOWN: usize = 64;
/// Looks at words and texts that one explanation takes at most, wherever it can't go straight to what it looks for.
const LOOKS: usize = 4_000_000;

/// Why a post matches an expression, or what it lacks.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Explanation {
    /// Whether the post matches.
    pub matched: bool,
    /// A match: the atoms that made it, in order of the expression. A miss: the atoms that each alone would have
    /// made it a match, those first beside which most of what else it takes stands in the post; or, where no single
    /// one would, a small set of those that it lacks.
    pub parts: Vec<Part>,
    /// A miss: each of `parts` alone would have sufficed.
    pub each_suffices: bool,
}

impl Explanation {
    /// Keeps at most so many parts in their order, and gives how many it leaves out: of a miss the last ones, of a match
    /// rather what holds since it is absent than what stands in the post.
    pub fn shorten(&mut self, most: usize) -> usize {
        let more = self.parts.len().saturating_sub(most);
        if more > 0 && self.matched {
            self.parts.sort_by_key(|part| part.places.is_empty());
            self.parts.truncate(most);
            self.parts.sort_by_key(|part| part.expression);
        }
        self.parts.truncate(most);
        more
    }
}

/// A part of the expression in an [`Explanation`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Part {
    /// Where in the expression: an atom, or a whole `in:quote(…)` where no such post is carried.
    pub expression: Span,
    /// It stands under an odd number of NOTs: it counts because it is false.
    pub negated: bool,
    /// The post lacks what the atom compares, so neither it nor its negation holds.
    pub unknown: bool,
    /// Where in the post it is true (of a miss: and must not be); empty for what is absent, and for facts that stand
    /// nowhere. At most 64; where post and expression are both very large, those of the last parts may be lacking.
    pub places: Vec<Evidence>,
}

/// A place of a post.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Evidence {
    /// Which field.
    pub field: Field,
    /// In the quoted post or the retweet's original, from the outside in.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub scopes: Vec<&'static str>,
    /// Bytes of the field as the post has it; `None`: the field as a whole, also of a link in which escapes are resolved to
    /// find something.
    pub span: Option<Span>,
    /// What stands there.
    pub text: String,
}

/// Explains one expression over one post.
pub(crate) fn explain(
    expression: &Expression,
    post: &Post,
    known: Known<'_>,
    text_limit: usize,
) -> Explanation {
    let mut leaves = Vec::new();
    collect(expression.root(), &mut Vec::new(), &mut leaves);
    let sides = evaluate(&leaves, expression, post, known, text_limit);
    let tree = truth::of(expression.root(), sides.clone(), post);
    let matched = tree.holds.0;
    let mut found = Vec::new();
    let mut each_suffices = false;
    if matched {
        tree.reasons(expression.root(), false, &mut found);
    } else {
        tree.pivots(expression.root(), false, 0, &mut found);
        found.sort_by_key(|leaf| Reverse(leaf.beside));
        keep_sufficient(expression.root(), &leaves, &sides, post, &mut found);
        each_suffices = !found.is_empty();
        if found.is_empty() {
            tree.lacking(expression.root(), false, &mut found);
        }
    }
    let scopes: HashMap<*const Node, &[Scope]> =
        leaves.iter().map(|(node, scopes)| (std::ptr::from_ref(*node), scopes.as_slice())).collect();
    let x = expression.dialect() == Dialect::X;
    let mut places = Places::new(post, x, known, text_limit);
    let mut places_of = |node: &Node| match (&node.kind, scopes.get(&std::ptr::from_ref(node))) {
        (NodeKind::Atom(atom), Some(scopes)) => places.of(atom, scopes),
        _ => Vec::new(),
    };
    let parts = found
        .into_iter()
        .map(|truth::Leaf { node, negated, unknown, .. }| Part {
            expression: node.span,
            negated,
            unknown,
            places: if matched == negated || unknown { Vec::new() } else { places_of(node) },
        })
        .collect();
    Explanation { matched, parts, each_suffices }
}

/// Repeated atoms that are tried one by one; further ones are left out.
const TRIED: usize = 64;

/// Leaves out what would not suffice, since the same atom stands elsewhere too, where its turning spoils the match.
fn keep_sufficient(
    root: &Node,
    leaves: &[(&Node, Vec<Scope>)],
    sides: &[(bool, bool)],
    post: &Post,
    found: &mut truth::Leaves<'_>,
) {
    if found.is_empty() {
        return;
    }
    let mut same: HashMap<(String, &[Scope]), Vec<usize>> = HashMap::new();
    let mut key_of = HashMap::new();
    for (index, (leaf, scopes)) in leaves.iter().enumerate() {
        let NodeKind::Atom(atom) = &leaf.kind else { continue };
        let key = (atom.to_string(), scopes.as_slice());
        key_of.insert(std::ptr::from_ref(*leaf), key.clone());
        same.entry(key).or_default().push(index);
    }
    let mut tried = 0;
    found.retain(|&truth::Leaf { node, negated, .. }| {
        let all = key_of.get(&std::ptr::from_ref(node)).and_then(|key| same.get(key));
        let Some(all) = all.filter(|all| all.len() > 1) else { return true };
        tried += 1;
        let mut turned = sides.to_vec();
        all.iter().for_each(|&leaf| turned[leaf] = (!negated, negated));
        tried <= TRIED && truth::of(root, turned, post).holds.0
    });
}

/// The atoms of a tree in order, each with the scopes around it.
fn collect<'n>(node: &'n Node, scopes: &mut Vec<Scope>, out: &mut Vec<(&'n Node, Vec<Scope>)>) {
    match &node.kind {
        NodeKind::And(items) | NodeKind::Or(items) => items.iter().for_each(|n| collect(n, scopes, out)),
        NodeKind::Quota(quota) => quota.items.iter().for_each(|n| collect(n, scopes, out)),
        NodeKind::Not(inner) => collect(inner, scopes, out),
        NodeKind::Scope(scope, inner) => {
            scopes.push(*scope);
            collect(inner, scopes, out);
            scopes.pop();
        }
        NodeKind::Atom(_) => out.push((node, scopes.clone())),
    }
}

fn wrapped(node: &Node, scopes: &[Scope], negative: bool) -> Node {
    let mut inner = node.clone();
    if negative {
        inner = Node { span: node.span, kind: NodeKind::Not(Box::new(inner)) };
    }
    scopes
        .iter()
        .rev()
        .fold(inner, |n, scope| Node { span: node.span, kind: NodeKind::Scope(*scope, Box::new(n)) })
}

/// The true and the false side of every atom, by the engine.
fn evaluate(
    leaves: &[(&Node, Vec<Scope>)],
    expression: &Expression,
    post: &Post,
    known: Known<'_>,
    text_limit: usize,
) -> Vec<(bool, bool)> {
    let mut builder = FilterSetBuilder::knowing(known.copied(expression));
    builder.limits(Limits { post_text_bytes: text_limit, ..Limits::NONE });
    for (number, (node, scopes)) in leaves.iter().enumerate() {
        for negative in [false, true] {
            let side = Expression::from_node(wrapped(node, scopes, negative), expression.dialect());
            let id = FilterId(number as u64 * 2 + u64::from(negative));
            // What the set refused when the filter was added is not asked again; an unknown name is no match.
            let _ = builder.add_expression(id, known.owner(), side);
        }
    }
    let mut sides = vec![(false, false); leaves.len()];
    for found in builder.build().matches_scanned(&mut Scratch::default(), post) {
        let side = &mut sides[found.id.0 as usize / 2];
        if found.id.0 % 2 == 0 { side.0 = true } else { side.1 = true }
    }
    sides
}
