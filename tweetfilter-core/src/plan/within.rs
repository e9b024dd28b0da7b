//! Limits on the tree of an expression, which may have been parsed under others or made by hand.

use crate::Limits;
use crate::syntax::{Atom, Diagnostic, Expression, Node, NodeKind, Shape, TextPattern};
use crate::text::near_items;

/// Parentheses are never nested deeper, whatever the limits say: what walks a tree recurses with them.
const DEEPEST: usize = 128;

/// Refuses an expression that the parser would refuse under these limits.
pub(crate) fn check(expression: &Expression, limits: &Limits) -> Result<(), Diagnostic> {
    let root = expression.root();
    let over = |node: &Node, code, what: String, name, most: usize| {
        Err(Diagnostic::error(code, node.span, format!("{what}; the limit {name} is {most}")))
    };
    let bytes = expression.text().len();
    if bytes > limits.expression_bytes {
        let what = format!("The expression has {bytes} bytes");
        return over(root, "limit_expression_bytes", what, "expression_bytes", limits.expression_bytes);
    }
    let deepest = limits.nesting.min(DEEPEST);
    let (mut atoms, mut regexes) = (0, 0);
    let mut open = vec![(root, 0, Around::Nothing)];
    while let Some((node, depth, around)) = open.pop() {
        let depth = depth + usize::from(around.groups(node));
        if depth > deepest {
            let what = "Parentheses are nested too deep here".to_owned();
            return over(node, "limit_nesting", what, "nesting", deepest);
        }
        match &node.kind {
            NodeKind::And(items) => open.extend(items.iter().rev().map(|item| (item, depth, Around::And))),
            NodeKind::Or(items) => open.extend(items.iter().rev().map(|item| (item, depth, Around::Or))),
            NodeKind::Quota(quota) => {
                open.extend(quota.items.iter().rev().map(|item| (item, depth, Around::Nothing)));
            }
            NodeKind::Not(inner) => open.push((inner, depth, Around::Not)),
            NodeKind::Scope(_, inner) => open.push((inner, depth, Around::Nothing)),
            NodeKind::Atom(atom) => {
                atoms += 1;
                if atoms > limits.atoms {
                    let what = "The expression has more atoms than allowed".to_owned();
                    return over(node, "limit_atoms", what, "atoms", limits.atoms);
                }
                match atom {
                    Atom::Regex(pattern) => {
                        regexes += 1;
                        if regexes > limits.regexes {
                            let what = "There are more regexes than a filter may have".to_owned();
                            return over(node, "limit_regexes", what, "regexes", limits.regexes);
                        }
                        let bytes = pattern.pattern.len();
                        if bytes > limits.regex_bytes {
                            let what = format!("This regex has {bytes} bytes");
                            return over(node, "limit_regex_bytes", what, "regex_bytes", limits.regex_bytes);
                        }
                    }
                    Atom::Text(TextPattern { text, shape: Shape::Near(distance), .. }) => {
                        let (items, most) = (near_items(text).len(), limits.items_of_proximity());
                        if items > most {
                            let what = format!("This proximity has {items} items");
                            return over(node, "limit_proximity_items", what, "proximity_items", most);
                        }
                        let most = limits.proximity_distance;
                        if *distance > most {
                            let what = format!("The distance is {distance}");
                            let (code, name) = ("limit_proximity_distance", "proximity_distance");
                            return over(node, code, what, name, most as usize);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

/// What a node stands in.
#[derive(Clone, Copy, Debug)]
enum Around {
    Nothing,
    Or,
    And,
    Not,
}

impl Around {
    /// Whether the node opens parentheses here: its own, or those that keep it together.
    fn groups(self, node: &Node) -> bool {
        match node.kind {
            NodeKind::Quota(_) | NodeKind::Scope(..) => true,
            NodeKind::Or(_) => !matches!(self, Self::Nothing),
            NodeKind::And(_) => matches!(self, Self::And | Self::Not),
            NodeKind::Not(_) => matches!(self, Self::Not),
            NodeKind::Atom(_) => false,
        }
    }
}
