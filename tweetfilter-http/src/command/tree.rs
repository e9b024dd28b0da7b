//! The stages of an expression, for people who want to see how it was understood.

use serde_json::{Value, json};
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
    let NodeKind::Atom(atom) = &node.kind else { return kind(node) };
    let Span { start, end } = node.span;
    let written = text.get(node.span.range()).unwrap_or_default();
    format!("{written}  {start}..{end}  {atom:?}")
}

fn kind(node: &Node) -> String {
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
        NodeKind::Atom(_) => "atom".to_owned(),
    }
}

/// The tree for programs: of each node its kind and place, then what is under it, or, of an atom, its canonical
/// form.
pub(crate) fn json(expression: &Expression) -> Value {
    // As deep as the limit for nesting lets it be.
    fn tree(node: &Node) -> Value {
        let mut object = json!({"kind": kind(node), "span": [node.span.start, node.span.end]});
        match &node.kind {
            NodeKind::Atom(atom) => object["canonical"] = atom.to_string().into(),
            _ => object["children"] = children(node).into_iter().map(tree).collect(),
        }
        object
    }
    tree(expression.root())
}

/// The nodes right under a node.
pub(crate) fn children(node: &Node) -> Vec<&Node> {
    match &node.kind {
        NodeKind::And(items) | NodeKind::Or(items) => items.iter().collect(),
        NodeKind::Quota(quota) => quota.items.iter().collect(),
        NodeKind::Not(inner) | NodeKind::Scope(_, inner) => vec![inner],
        NodeKind::Atom(_) => Vec::new(),
    }
}

/// How the filter is run: its class and why, what leads to it, what is checked first, the program.
pub(crate) fn plan(set: &FilterSet, expression: &Expression) -> String {
    let Some(plan) = set.plan(0) else { return String::new() };
    let class = super::filters::class_name(plan.cost.class);
    let atoms: Vec<&str> =
        plan.cost.reasons.iter().filter_map(|span| expression.text().get(span.range())).collect();
    let mut lines =
        format!("{class}  by {}\n", if atoms.is_empty() { "no term".to_owned() } else { atoms.join(", ") });
    match plan.expected {
        Some(expected) => {
            let posts = one_in(expected);
            lines.push_str(&format!("tried on posts that hold (about one in {posts})\n"));
            section(&mut lines, plan.access.iter().map(|way| (0, way.as_str())));
        }
        None => lines.push_str("tried on every post\n"),
    }
    if !plan.conditions.is_empty() {
        lines.push_str("if at once\n");
        section(&mut lines, plan.conditions.iter().map(|condition| (0, condition.as_str())));
    }
    lines.push_str("and matches when\n");
    section(&mut lines, plan.program.iter().map(|step| (step.depth, step.text.as_str())));
    for set in &plan.sets {
        let name = super::terminal::one_line(&set.name);
        match set.expected {
            Some(_) if set.access.is_empty() => lines.push_str(&format!("{name} has no terms\n")),
            Some(expected) => {
                lines.push_str(&format!("{name} is found by (about one post in {})\n", one_in(expected)));
                section(&mut lines, set.access.iter().map(|way| (0, way.as_str())));
            }
            None => {
                let why = match set.is_long {
                    true => "it has more terms than are looked up",
                    false => "it has terms that can't be looked up",
                };
                lines.push_str(&format!("{name} is tried on every post: {why}\n"));
            }
        }
    }
    lines
}

/// Of how many posts one is expected.
fn one_in(expected: f32) -> f32 {
    (1.0 / expected.clamp(1e-9, 1.0)).round()
}

/// Lines of a section further in; of a long one the first, and how many more there are.
fn section<'a>(lines: &mut String, items: impl ExactSizeIterator<Item = (usize, &'a str)>) {
    const MOST: usize = 20;
    let more = items.len().saturating_sub(MOST);
    for (depth, text) in items.take(MOST) {
        lines.push_str(&format!(
            "{:indent$}{}\n",
            "",
            super::terminal::one_line(text),
            indent = 2 + depth * 2
        ));
    }
    if more > 0 {
        lines.push_str(&format!("  … {more} more\n"));
    }
}
