//! Whether something that can be looked up must be there for a filter to match.

use super::common;
use crate::Span;
use crate::syntax::cost::{self, CostClass};
use crate::syntax::words::Checked;
use crate::syntax::{Atom, Form, Node, Shape, TextPattern};

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

/// What a tree asks for; `class` is that of its atoms.
pub(super) fn of(root: &Node, class: &impl Fn(&Atom, Span) -> CostClass, checked: &Checked) -> Access {
    let rank = |atom: &Atom, span: Span| match atom {
        _ if class(atom, span) == CostClass::Scanned => Access::None,
        Atom::Text(pattern) if is_common(pattern, span, checked) => Access::Common,
        _ => Access::Good,
    };
    let (access, ()) = cost::best(root, &rank, (Access::Good, Access::None));
    access
}

fn is_common(p: &TextPattern, span: Span, checked: &Checked) -> bool {
    let wild = p.shape == Shape::Word && p.text.contains(['*', '?']);
    if wild || p.form == Form::Obfuscated {
        return false;
    }
    matches!(checked.tokens(span, &p.text).terms.as_slice(), [term] if common::is_common(&term.folded))
}
