//! What a tree's atoms make true of it: the reasons of a match, and what a miss lacks.

use crate::post::Post;
use crate::syntax::{Node, NodeKind, Scope};

/// A tree's truth: whether its true side and its false side hold, and the same of its children.
#[derive(Clone, Debug, Default)]
pub(super) struct Truth {
    pub(super) holds: (bool, bool),
    /// Of a scope: no post is there for its inner side to be read on.
    empty: bool,
    children: Vec<Truth>,
}

/// Gives every node of a tree its truth, from the sides of its atoms in their order.
struct Walk {
    sides: Vec<(bool, bool)>,
    next: usize,
    truth: Vec<Truth>,
}

/// The truth of a tree, whose atoms have these sides, as read on `post`.
pub(super) fn of(root: &Node, sides: Vec<(bool, bool)>, post: &Post) -> Truth {
    let mut walk = Walk { sides, next: 0, truth: Vec::new() };
    walk.fill(root, Some(post));
    walk.truth.pop().unwrap_or_default()
}

impl Walk {
    /// Pushes the truth of a node as read on `post` (the post behind the scopes around it, where carried).
    fn fill(&mut self, node: &Node, post: Option<&Post>) {
        let children_of = |walk: &mut Self, items: &[Node], post: Option<&Post>| -> Vec<Truth> {
            items
                .iter()
                .map(|n| {
                    walk.fill(n, post);
                    walk.truth.pop().unwrap_or_default()
                })
                .collect()
        };
        let truth = match &node.kind {
            NodeKind::And(items) => {
                let children = children_of(self, items, post);
                let holds = (children.iter().all(|c| c.holds.0), children.iter().any(|c| c.holds.1));
                Truth::new(holds, children)
            }
            NodeKind::Or(items) => {
                let children = children_of(self, items, post);
                let holds = (children.iter().any(|c| c.holds.0), children.iter().all(|c| c.holds.1));
                Truth::new(holds, children)
            }
            NodeKind::Quota(quota) => {
                let children = children_of(self, &quota.items, post);
                let (needed, none) = quota.needed();
                let yes = children.iter().filter(|c| c.holds.0).count() >= needed;
                let no = children.iter().filter(|c| c.holds.1).count() + needed > children.len();
                Truth::new(if none { (no, yes) } else { (yes, no) }, children)
            }
            NodeKind::Not(inner) => {
                let children = children_of(self, std::slice::from_ref(inner), post);
                Truth::new((children[0].holds.1, children[0].holds.0), children)
            }
            NodeKind::Scope(scope, inner) => {
                let reference = post.and_then(|p| match scope {
                    Scope::Quote => p.content().quote_of.as_ref(),
                    Scope::Retweet => p.retweet_of.as_ref(),
                });
                let carried = reference.and_then(|r| r.post.as_ref());
                let children = children_of(self, std::slice::from_ref(inner), carried);
                let absent = post.is_some() && reference.is_none();
                let holds = (children[0].holds.0, absent || children[0].holds.1);
                Truth { empty: carried.is_none(), ..Truth::new(holds, children) }
            }
            NodeKind::Atom(_) => {
                let holds = self.sides.get(self.next).copied().unwrap_or_default();
                self.next += 1;
                Truth::new(holds, Vec::new())
            }
        };
        self.truth.push(truth);
    }
}

/// An atom, or a scope without a post.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf<'n> {
    pub(super) node: &'n Node,
    /// The side that is meant is the false one.
    pub(super) negated: bool,
    /// Neither side holds.
    pub(super) unknown: bool,
    /// A miss: how much of what has to hold beside it stands in the post.
    pub(super) beside: usize,
}

pub(super) type Leaves<'n> = Vec<Leaf<'n>>;

impl Truth {
    fn new(holds: (bool, bool), children: Vec<Self>) -> Self {
        Self { holds, empty: false, children }
    }

    fn leaf<'n>(&self, node: &'n Node, negated: bool) -> Leaf<'n> {
        Leaf { node, negated, unknown: self.holds == (false, false), beside: 0 }
    }

    fn is_leaf(&self, node: &Node) -> bool {
        self.empty || matches!(node.kind, NodeKind::Atom(_))
    }

    fn side(&self, negative: bool) -> bool {
        if negative { self.holds.1 } else { self.holds.0 }
    }

    /// The atoms that hold on paths that hold.
    pub(super) fn reasons<'n>(&self, node: &'n Node, negative: bool, out: &mut Leaves<'n>) {
        if !self.side(negative) {
            return;
        }
        if self.is_leaf(node) {
            out.push(self.leaf(node, negative));
            return;
        }
        let (items, negative, _) = group(node, negative);
        for (child, item) in self.children.iter().zip(items) {
            child.reasons(item, negative, out);
        }
    }

    /// The atoms of which each alone would turn this node to the wanted side; `beside` it so much stands in the post.
    pub(super) fn pivots<'n>(&self, node: &'n Node, negative: bool, beside: usize, out: &mut Leaves<'n>) {
        if self.is_leaf(node) {
            out.push(Leaf { beside, ..self.leaf(node, negative) });
            return;
        }
        let (items, negative, needed) = group(node, negative);
        let holding = self.children.iter().filter(|c| c.side(negative)).count();
        if holding + 1 == needed {
            let all = self.children.iter().zip(items);
            let beside = beside + all.clone().filter(|(c, item)| c.stands(item, negative)).count();
            for (child, item) in all.filter(|(c, _)| !c.side(negative)) {
                child.pivots(item, negative, beside, out);
            }
        }
    }

    /// Whether it holds by something that is there, and not by what is absent alone.
    fn stands(&self, node: &Node, negative: bool) -> bool {
        if !self.side(negative) || self.is_leaf(node) {
            return self.side(negative) && !negative;
        }
        let (items, negative, _) = group(node, negative);
        self.children.iter().zip(items).any(|(child, item)| child.stands(item, negative))
    }

    /// A set of atoms that together would turn this node to the wanted side.
    pub(super) fn lacking<'n>(&self, node: &'n Node, negative: bool, out: &mut Leaves<'n>) {
        if self.is_leaf(node) {
            out.push(self.leaf(node, negative));
            return;
        }
        let (items, negative, needed) = group(node, negative);
        let holding = self.children.iter().filter(|c| c.side(negative)).count();
        let mut options: Vec<Leaves<'n>> = self
            .children
            .iter()
            .zip(items)
            .filter(|(c, _)| !c.side(negative))
            .map(|(child, item)| {
                let mut leaves = Vec::new();
                child.lacking(item, negative, &mut leaves);
                leaves
            })
            .collect();
        options.sort_by_key(Vec::len);
        out.extend(options.into_iter().take(needed.saturating_sub(holding)).flatten());
    }
}

/// The elements of a node, the side of them that it wants, and how many of them must hold.
fn group(node: &Node, negative: bool) -> (&[Node], bool, usize) {
    match &node.kind {
        NodeKind::And(items) => (items, negative, if negative { 1 } else { items.len() }),
        NodeKind::Or(items) => (items, negative, if negative { items.len() } else { 1 }),
        NodeKind::Quota(quota) => {
            let (needed, none) = quota.needed();
            let negative = negative != none;
            let needed = if negative { (quota.items.len() + 1).saturating_sub(needed) } else { needed };
            (&quota.items, negative, needed)
        }
        NodeKind::Not(inner) => (std::slice::from_ref(inner), !negative, 1),
        NodeKind::Scope(_, inner) => (std::slice::from_ref(inner), negative, 1),
        NodeKind::Atom(_) => (&[], negative, 0),
    }
}
