//! Counts of engagement that no post has yet when it is new.

use super::Lint;
use crate::Span;
use crate::syntax::{
    AccountField, Atom, Diagnostic, IdField, IsFlag, Node, NodeKind, Quota, QuotaCount, Scope, Value,
};

/// Warns of comparisons that are false of every live post, as they stand: negated or not.
///
/// Quoted posts, and the originals of retweets, are older and have their counts.
pub(super) fn check(lint: &mut Lint<'_>, root: &Node) {
    // A node, whether it is negated, and whether only retweets get so far.
    let mut open = vec![(root, false, false)];
    while let Some((node, negative, retweet)) = open.pop() {
        match &node.kind {
            NodeKind::And(items) | NodeKind::Or(items) => {
                let all = matches!(node.kind, NodeKind::And(_)) != negative;
                let retweet = retweet || all && items.iter().any(|i| demands_retweet(i, negative));
                open.extend(items.iter().map(|i| (i, negative, retweet)));
            }
            NodeKind::Quota(quota) => {
                let negative = negative != quota.needed().1;
                let retweet =
                    retweet || is_all(quota) && quota.items.iter().any(|i| demands_retweet(i, negative));
                open.extend(quota.items.iter().map(|i| (i, negative, retweet)));
            }
            NodeKind::Not(inner) => open.push((inner, !negative, retweet)),
            NodeKind::Scope(..) => {}
            NodeKind::Atom(atom) if !retweet => of_atom(lint, atom, node.span, negative),
            NodeKind::Atom(_) => {}
        }
    }
}

fn of_atom(lint: &mut Lint<'_>, atom: &Atom, span: Span, negative: bool) {
    let Atom::Number(field, range) = atom else { return };
    if field.is_engagement() && range.holds(0.0) == negative {
        let message = "A post that has just been written has none of these, so this holds of no live post";
        lint.warn(Diagnostic::warning("zero_at_birth", span, message));
    }
}

fn is_all(quota: &Quota) -> bool {
    quota.count == QuotaCount::All
}

/// Whether a node is true of retweets only.
fn demands_retweet(node: &Node, negative: bool) -> bool {
    let one = |i: &Node| demands_retweet(i, negative);
    match &node.kind {
        NodeKind::Not(inner) => demands_retweet(inner, !negative),
        NodeKind::And(items) if !negative => items.iter().any(one),
        NodeKind::Or(items) if !negative => items.iter().all(one),
        NodeKind::Scope(Scope::Retweet, _) => !negative,
        NodeKind::Atom(Atom::Is(flags)) => {
            !negative && flags.iter().all(|f| *f == Value::One(IsFlag::Retweet))
        }
        NodeKind::Atom(Atom::Account(AccountField::RetweetsOf, _) | Atom::Id(IdField::RetweetsOf, _)) => {
            !negative
        }
        _ => false,
    }
}
