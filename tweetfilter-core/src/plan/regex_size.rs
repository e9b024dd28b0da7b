//! Limits on regexes, checked when a filter is added.

use crate::Limits;
use crate::syntax::{Atom, Diagnostic, Expression, NodeKind};

/// The compiled size of an expression's regexes, at most.
pub(crate) fn check(
    expression: &Expression,
    limits: &Limits,
    has_owner: bool,
    used: usize,
) -> Result<usize, Diagnostic> {
    let mut sum = 0usize;
    let mut stack = vec![expression.root()];
    while let Some(node) = stack.pop() {
        match &node.kind {
            NodeKind::And(items) | NodeKind::Or(items) => stack.extend(items.iter().rev()),
            NodeKind::Quota(quota) => stack.extend(quota.items.iter().rev()),
            NodeKind::Not(inner) | NodeKind::Scope(_, inner) => stack.push(inner),
            NodeKind::Atom(Atom::Regex(pattern)) => {
                let Some(size) = pattern.size(limits.regex_size) else {
                    let most = limits.regex_size;
                    let message =
                        format!("This regex is too large when compiled; the limit regex_size is {most}");
                    return Err(Diagnostic::error("limit_regex_size", node.span, message));
                };
                sum = sum.saturating_add(size);
                if has_owner && used.saturating_add(sum) > limits.regex_size_per_owner {
                    let message = format!(
                        "The regexes of this owner are over the limit regex_size_per_owner = {} bytes",
                        limits.regex_size_per_owner
                    );
                    return Err(Diagnostic::error("limit_regex_size_per_owner", node.span, message));
                }
            }
            NodeKind::Atom(_) => {}
        }
    }
    Ok(sum)
}
