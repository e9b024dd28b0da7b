//! The stages of an expression, for people who want to see how it was understood.

use tweetfilter_core::syntax::{Node, NodeKind, QuotaCount, Scope};
use tweetfilter_core::{Expression, FilterSet, Span};

/// The tree, one node a line, deeper ones further in.
pub(crate) fn text(expression: &Expression) -> String {
    let mut lines = format!("canonical  {expression}\n");
    // Nesting is bounded by the limits, but a list of what is open costs nothing more.
    let mut open = vec![(expression.root(), 0)];
    while let Some((node, depth)) = open.pop() {
        let name = name(node, expression.text());
        lines.push_str(&format!("{:indent$}{name}\n", "", indent = depth * 2));
        open.extend(children(node).into_iter().rev().map(|child| (child, depth + 1)));
    }
    lines
}

fn name(node: &Node, text: &str) -> String {
    match &node.kind {
        NodeKind::And(_) => "and".to_owned(),
        NodeKind::Or(_) => "or".to_owned(),
        NodeKind::Not(_) => "not".to_owned(),
        NodeKind::Quota(quota) => match quota.count {
            QuotaCount::AtLeast(n) => format!("{n} of"),
            QuotaCount::Any => "any of".to_owned(),
            QuotaCount::All => "all of".to_owned(),
            QuotaCount::None => "none of".to_owned(),
        },
        NodeKind::Scope(Scope::Quote, _) => "in:quote".to_owned(),
        NodeKind::Scope(Scope::Retweet, _) => "in:retweet".to_owned(),
        NodeKind::Atom(atom) => {
            let Span { start, end } = node.span;
            let written = text.get(node.span.range()).unwrap_or_default();
            format!("{written}  {start}..{end}  {atom:?}")
        }
    }
}

fn children(node: &Node) -> Vec<&Node> {
    match &node.kind {
        NodeKind::And(items) | NodeKind::Or(items) => items.iter().collect(),
        NodeKind::Quota(quota) => quota.items.iter().collect(),
        NodeKind::Not(inner) | NodeKind::Scope(_, inner) => vec![inner],
        NodeKind::Atom(_) => Vec::new(),
    }
}

/// The cost class and the atoms that a post must hold for the filter to be tried.
pub(crate) fn plan(set: &FilterSet, expression: &Expression) -> String {
    let Some(cost) = set.cost(0) else { return String::new() };
    let class = super::filters::class_name(cost.class);
    let atoms: Vec<&str> =
        cost.reasons.iter().filter_map(|span| expression.text().get(span.range())).collect();
    format!("{class}  by {}\n", if atoms.is_empty() { "no term".to_owned() } else { atoms.join(", ") })
}
