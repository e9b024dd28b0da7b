//! What an expression of dialect x says, written in the native dialect.

use super::{
    AccountField, Atom, Dialect, Expression, HasFlag, IsFlag, Node, NodeKind, Scope, Value, WordField,
};
use crate::{Limits, Span};

/// An expression of dialect x in the native dialect, and where the two dialects read differently.
#[derive(Clone, Debug, PartialEq)]
pub struct Native {
    /// Finds natively what the original finds in its own dialect: what an atom reads beyond its native reading
    /// is added by OR. One thing has no native form: where a quoted post is announced but not carried, a
    /// negated atom is true in dialect x and unknown here.
    pub expression: Expression,
    /// The atoms that read more in dialect x, in order.
    pub wider: Vec<Wider>,
}

/// An atom that reads more in dialect x than natively.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wider {
    /// Where it stands in the original.
    pub span: Span,
    /// What it reads in addition, in words.
    pub reads: &'static str,
}

impl Expression {
    /// The expression in the native dialect.
    ///
    /// ```
    /// use tweetfilter_core::{Dialect, Expression, Limits};
    /// let rule = Expression::parse_with("snow -is:nullcast", Dialect::X, &Limits::default())?;
    /// let native = rule.to_native();
    /// assert_eq!(
    ///     native.expression.to_string(),
    ///     "(snow OR url:snow OR in:quote(snow OR url:snow)) -is:nullcast"
    /// );
    /// assert_eq!(native.wider.len(), 1);
    /// # Ok::<(), tweetfilter_core::ParseError>(())
    /// ```
    #[must_use]
    pub fn to_native(&self) -> Native {
        let mut wider = Vec::new();
        let root = match self.dialect() {
            Dialect::Native => self.root().clone(),
            Dialect::X => native(self.root(), &mut wider),
        };
        Native { expression: Expression::from_node(root, Dialect::Native), wider }
    }
}

/// Nesting is bounded by the limits of parsing, and so is this recursion.
fn native(node: &Node, wider: &mut Vec<Wider>) -> Node {
    let all = |nodes: &[Node], wider: &mut Vec<Wider>| nodes.iter().map(|n| native(n, wider)).collect();
    let kind = match &node.kind {
        NodeKind::And(items) => NodeKind::And(all(items, wider)),
        NodeKind::Or(items) => {
            let items: Vec<Node> = all(items, wider);
            // What was widened is an OR itself: they are one.
            NodeKind::Or(items.into_iter().flat_map(flat_or).collect())
        }
        NodeKind::Not(inner) => NodeKind::Not(Box::new(native(inner, wider))),
        NodeKind::Quota(quota) => {
            let mut quota = quota.clone();
            quota.items = all(&quota.items, wider);
            NodeKind::Quota(quota)
        }
        NodeKind::Scope(scope, inner) => NodeKind::Scope(*scope, Box::new(native(inner, wider))),
        NodeKind::Atom(atom) => match widened(atom) {
            None => node.kind.clone(),
            Some(Readings { post, quote, reads }) => {
                wider.push(Wider { span: node.span, reads });
                let leaf = |atom| Node { span: node.span, kind: NodeKind::Atom(atom) };
                let quoted = any(quote.into_iter().map(leaf).collect(), node.span);
                let scope = NodeKind::Scope(Scope::Quote, Box::new(quoted));
                let mut items: Vec<Node> = post.into_iter().map(leaf).collect();
                items.push(Node { span: node.span, kind: scope });
                NodeKind::Or(items)
            }
        },
    };
    Node { span: node.span, kind }
}

fn flat_or(node: Node) -> Vec<Node> {
    match node.kind {
        NodeKind::Or(items) => items,
        kind => vec![Node { span: node.span, kind }],
    }
}

fn any(mut nodes: Vec<Node>, span: Span) -> Node {
    if nodes.len() == 1 { nodes.remove(0) } else { Node { span, kind: NodeKind::Or(nodes) } }
}

/// What an atom of dialect x amounts to natively: any of these on the post, or any of those on the quote.
struct Readings {
    post: Vec<Atom>,
    quote: Vec<Atom>,
    reads: &'static str,
}

const LINKS_AND_QUOTE: &str = "links, and the quoted post's text and links";
const QUOTE: &str = "the quoted post";

fn widened(atom: &Atom) -> Option<Readings> {
    let same = |atoms: Vec<Atom>, reads| Some(Readings { quote: atoms.clone(), post: atoms, reads });
    match atom {
        Atom::Text(pattern) => {
            let links = Atom::Words(WordField::Url, vec![Value::One(pattern.clone())]);
            // What has no spelling as the value of an operator is left out.
            let links = can_be_written(&links).then_some(links);
            same([Some(atom.clone()), links].into_iter().flatten().collect(), LINKS_AND_QUOTE)
        }
        Atom::Contains(values) => {
            same(vec![atom.clone(), Atom::UrlContains(values.clone())], LINKS_AND_QUOTE)
        }
        Atom::Set(name) => {
            let links = Atom::Words(WordField::Url, vec![Value::Set(name.clone())]);
            same(vec![atom.clone(), links], LINKS_AND_QUOTE)
        }
        Atom::Hashtag { .. }
        | Atom::Cashtag(_)
        | Atom::UrlContains(_)
        | Atom::Domain(_)
        | Atom::Words(WordField::Url, _) => same(vec![atom.clone()], QUOTE),
        Atom::Mention(name) => {
            let retweet = Atom::Account(AccountField::RetweetsOf, vec![Value::One(name.clone())]);
            Some(Readings {
                post: vec![atom.clone(), retweet],
                quote: vec![atom.clone()],
                reads: "retweets of the account, and the quoted post",
            })
        }
        Atom::Is(flags) if flags.contains(&Value::One(IsFlag::Reply)) => Some(Readings {
            post: vec![atom.clone()],
            quote: vec![Atom::Is(vec![Value::One(IsFlag::Reply)])],
            reads: QUOTE,
        }),
        Atom::Has(flags) => has(flags),
        _ => None,
    }
}

fn has(flags: &[Value<HasFlag>]) -> Option<Readings> {
    use HasFlag::{Cashtags, Hashtags, Links, Media, Mentions};
    let reads_quote =
        |flag: &&Value<HasFlag>| matches!(flag, Value::One(Links | Media | Mentions | Hashtags | Cashtags));
    let mut quote: Vec<Value<HasFlag>> = flags.iter().filter(reads_quote).cloned().collect();
    if quote.is_empty() {
        return None;
    }
    let mut post = flags.to_vec();
    let mut reads = QUOTE;
    if flags.contains(&Value::One(Links)) {
        reads = "media, and the quoted post";
        for flags in [&mut post, &mut quote] {
            if !flags.contains(&Value::One(Media)) {
                flags.push(Value::One(Media));
            }
        }
    }
    Some(Readings { post: vec![Atom::Has(post)], quote: vec![Atom::Has(quote)], reads })
}

/// Whether the atom's canonical text is that atom again.
fn can_be_written(atom: &Atom) -> bool {
    let node = Node { span: Span::default(), kind: NodeKind::Atom(atom.clone()) };
    let written = Expression::from_node(node.clone(), Dialect::Native);
    Expression::parse_with(written.text(), Dialect::Native, &Limits::default())
        .is_ok_and(|parsed| *parsed.root() == node)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let expression = Expression::parse_with(text, Dialect::X, &Limits::default()).unwrap();
        let native = expression.to_native().expression.to_string();
        let again = Expression::parse(&native).unwrap();
        assert_eq!(again.to_string(), native, "{text}");
        native
    }

    #[test]
    fn what_dialect_x_reads_is_spelled_out() {
        for (x, expected) in [
            ("from:bob lang:en", "from:bob lang:en"),
            ("#tag", "#tag OR in:quote(#tag)"),
            ("a OR from:b", "a OR url:a OR in:quote(a OR url:a) OR from:b"),
            ("-snow", "-(snow OR url:snow OR in:quote(snow OR url:snow))"),
            ("@al", "@al OR retweets_of:al OR in:quote(@al)"),
            ("has:links", "has:links,media OR in:quote(has:links,media)"),
            ("has:geo", "has:geo"),
            ("is:reply", "is:reply OR in:quote(is:reply)"),
            ("\"a b\"~3", "\"a b\"~3 OR url:\"a b\"~3 OR in:quote(\"a b\"~3 OR url:\"a b\"~3)"),
            ("/x+y/", "/x+y/"),
        ] {
            assert_eq!(written(x), expected, "{x}");
        }
    }

    #[test]
    fn a_native_expression_stays_as_it_is() {
        let native = Expression::parse("snow").unwrap().to_native();
        assert_eq!((native.expression.to_string().as_str(), native.wider.len()), ("snow", 0));
    }
}
