//! Whether something that can be looked up must be there for a filter to match.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::common;
use crate::syntax::{Atom, Form, HasFlag, Node, NodeKind, Quota, RegexPattern, Shape, TextPattern, Value};
use crate::text::pattern;

/// The best that must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    /// Nothing that can be looked up.
    None,
    /// Only very common words.
    Common,
    /// Something selective.
    Good,
}

pub(super) fn of(node: &Node) -> Access {
    match &node.kind {
        NodeKind::And(items) => items.iter().map(of).max().unwrap_or(Access::None),
        NodeKind::Or(items) => items.iter().map(of).min().unwrap_or(Access::None),
        NodeKind::Not(_) => Access::None,
        NodeKind::Scope(_, inner) => of(inner),
        NodeKind::Quota(quota) => of_quota(quota),
        NodeKind::Atom(atom) => of_atom(atom),
    }
}

/// Of N of k elements, any k − N + 1 hold one that is true.
fn of_quota(quota: &Quota) -> Access {
    let (needed, negated) = quota.needed();
    let mut all: Vec<Access> = quota.items.iter().map(of).collect();
    all.sort_unstable();
    if negated || needed == 0 {
        return Access::None;
    }
    all.get(needed - 1).copied().unwrap_or(Access::None)
}

fn of_atom(atom: &Atom) -> Access {
    match atom {
        Atom::Text(p) => of_pattern(p),
        Atom::Regex(regex) if has_literal(regex) => Access::Good,
        Atom::Contains(v) | Atom::UrlContains(v) => {
            let short = |v: &Value<String>| matches!(v, Value::One(s) if s.chars().count() < 3);
            if v.iter().any(short) { Access::Common } else { Access::Good }
        }
        Atom::Has(v) if v.iter().all(|f| matches!(f, Value::One(HasFlag::Polls | HasFlag::Gifs))) => {
            Access::Common
        }
        Atom::Regex(_) | Atom::Is(_) | Atom::Has(_) | Atom::Lang(_) | Atom::Number(..) | Atom::Time(..) => {
            Access::None
        }
        Atom::AccountAge(_) | Atom::Sample(_) | Atom::PointRadius { .. } | Atom::BoundingBox { .. } => {
            Access::None
        }
        Atom::IdBound(..) => Access::None,
        _ => Access::Good,
    }
}

fn of_pattern(p: &TextPattern) -> Access {
    if p.form == Form::Obfuscated {
        return Access::Good;
    }
    if p.shape == Shape::Word && p.text.contains(['*', '?']) {
        let literal = p.text.split(['*', '?']).map(|s| s.chars().count()).max().unwrap_or(0);
        let is_prefix = !p.text.starts_with(['*', '?']);
        return if is_prefix || literal >= 3 { Access::Good } else { Access::None };
    }
    match pattern(&p.text, false) {
        Ok(p) if p.terms.iter().all(|t| common::is_common(&t.folded)) && p.terms.len() < 2 => Access::Common,
        _ => Access::Good,
    }
}

/// Whether at least two fixed letters side by side are part of everything that a regex matches.
pub(super) fn has_literal(regex: &RegexPattern) -> bool {
    let mut parser = regex_syntax::ParserBuilder::new()
        .case_insensitive(regex.ignore_case)
        .ignore_whitespace(regex.verbose)
        .nest_limit(64)
        .build();
    parser.parse(&regex.pattern).is_ok_and(|hir| literal(&hir) >= 2)
}

/// The longest run of fixed letters that is always there; a letter in either case counts.
fn literal(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Literal(bytes) => std::str::from_utf8(&bytes.0).map_or(0, |s| s.chars().count()),
        HirKind::Class(class) => usize::from(is_one_letter(class)),
        HirKind::Capture(capture) => literal(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => literal(&repetition.sub),
        HirKind::Alternation(all) => all.iter().map(literal).min().unwrap_or(0),
        HirKind::Concat(parts) => {
            let (mut best, mut run) = (0, 0);
            for part in parts {
                let fixed = match part.kind() {
                    HirKind::Literal(_) | HirKind::Class(_) => literal(part),
                    _ => 0,
                };
                run = if fixed > 0 { run + fixed } else { 0 };
                best = best.max(run).max(literal(part));
            }
            best
        }
        _ => 0,
    }
}

/// Whether a class is one letter in its cases.
fn is_one_letter(class: &Class) -> bool {
    match class {
        Class::Unicode(c) => c.ranges().iter().map(|r| r.len()).sum::<usize>() <= 4,
        Class::Bytes(c) => c.ranges().iter().map(|r| r.len()).sum::<usize>() <= 4,
    }
}
