//! Whether something that can be looked up must be there for a filter to match.

use super::common;
use crate::syntax::cost::{self, CostClass};
use crate::syntax::{Atom, Form, Node, Shape, TextPattern};
use crate::text::pattern;

/// What must be there, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    /// Something selective.
    Good,
    /// Only very common words.
    Common,
    /// Nothing that can be looked up.
    None,
}

pub(super) fn of(node: &Node) -> Access {
    cost::best(node, &of_atom, (Access::Good, Access::None)).0
}

fn of_atom(atom: &Atom) -> Access {
    match atom {
        _ if cost::class(atom) == CostClass::Scanned => Access::None,
        Atom::Text(pattern) if is_common(pattern) => Access::Common,
        _ => Access::Good,
    }
}

/// Whether a text is clearly one token, which folds as ASCII does.
pub(super) fn is_simple(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_common(p: &TextPattern) -> bool {
    let wild = p.shape == Shape::Word && p.text.contains(['*', '?']);
    if wild || p.form == Form::Obfuscated {
        return false;
    }
    if is_simple(&p.text) {
        return common::is_common(&p.text.to_ascii_lowercase());
    }
    pattern(&p.text, false)
        .is_ok_and(|p| matches!(p.terms.as_slice(), [term] if common::is_common(&term.folded)))
}
