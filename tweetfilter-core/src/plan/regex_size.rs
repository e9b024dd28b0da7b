//! Limits on regexes, checked when a filter is added.
//!
//! Compiling costs a hundred times what the rest of a filter costs, so an upper bound read off the parsed
//! pattern decides most cases; only what it can't clear is compiled.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::Limits;
use crate::eval::regexes::compile;
use crate::syntax::{Atom, Diagnostic, Expression, Node, NodeKind, RegexPattern};

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
                sum = sum.saturating_add(size(pattern, node, limits)?);
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

fn size(pattern: &RegexPattern, node: &Node, limits: &Limits) -> Result<usize, Diagnostic> {
    let bound = bound(pattern).unwrap_or(usize::MAX);
    if bound <= limits.regex_size / 16 {
        return Ok(bound);
    }
    // The smallest limit under which it compiles, to a sixteenth of what is allowed.
    let (mut low, mut high) = (0, 16);
    while low + 1 < high {
        let middle = usize::midpoint(low, high);
        match compile(pattern, limits.regex_size / 16 * middle) {
            Some(_) => high = middle,
            None => low = middle,
        }
    }
    if high == 16 && compile(pattern, limits.regex_size).is_none() {
        let message =
            format!("This regex compiles to more than the limit regex_size = {} bytes", limits.regex_size);
        return Err(Diagnostic::error("limit_regex_size", node.span, message));
    }
    Ok(limits.regex_size / 16 * high)
}

/// An upper bound in bytes; `None` if the pattern does not parse.
pub(crate) fn bound(pattern: &RegexPattern) -> Option<usize> {
    let hir = ParserBuilder::new()
        .case_insensitive(pattern.ignore_case)
        .dot_matches_new_line(pattern.dot_matches_newline)
        .multi_line(pattern.multi_line)
        .ignore_whitespace(pattern.verbose)
        .build()
        .parse(&pattern.pattern)
        .ok()?;
    Some(1024usize.saturating_add(of(&hir)))
}

/// A state takes up to 40 bytes with its transition; a range of code points up to four sequences of four bytes.
fn of(hir: &Hir) -> usize {
    const STATE: usize = 40;
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => STATE,
        HirKind::Literal(literal) => literal.0.len().saturating_mul(STATE),
        HirKind::Class(Class::Bytes(class)) => STATE + class.ranges().len() * 8,
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().map(|r| if r.end().is_ascii() { STATE } else { 16 * STATE }).sum::<usize>()
                + STATE
        }
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1)).max(1) as usize;
            of(&repetition.sub).saturating_add(2 * STATE).saturating_mul(times)
        }
        HirKind::Capture(capture) => of(&capture.sub).saturating_add(2 * STATE),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(of).fold(2 * STATE, usize::saturating_add)
        }
    }
}
