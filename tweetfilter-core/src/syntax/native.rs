//! What an expression of dialect `x` says in the native language.

use super::{
    AccountField, AccountName, Atom, Dialect, Expression, Form, HasFlag, IsFlag, Node, NodeKind, Quota,
    Scope, Value, WordField, lint,
};
use crate::{Limits, Span};

/// Something to know about a part of an expression that was written for X.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Note {
    /// The part.
    pub span: Span,
    /// One sentence.
    pub message: String,
}

/// The native expression that says what this one says in its dialect, spelled out; a native one is itself.
///
/// Each text atom of dialect `x` becomes an OR of the text, the links, and both of the quoted post. What that leaves
/// out [`lost_in_native`] tells.
///
/// ```
/// use tweetfilter_core::{Dialect, Expression, Limits, syntax::to_native};
/// let rule = Expression::parse_with("snow", Dialect::X, &Limits::default())?;
/// assert_eq!(to_native(&rule).to_string(), "snow OR url:snow OR in:quote(snow OR url:snow)");
/// # Ok::<(), tweetfilter_core::ParseError>(())
/// ```
#[must_use]
pub fn to_native(expression: &Expression) -> Expression {
    if expression.dialect() == Dialect::Native {
        return expression.clone();
    }
    let root = node(expression.root());
    let text = root.to_string();
    // The result is longer and up to two levels deeper than what was written.
    let defaults = Limits::default();
    let limits = Limits {
        expression_bytes: text.len(),
        atoms: usize::MAX,
        nesting: usize::MAX,
        regexes: usize::MAX,
        ..defaults
    };
    Expression::parse_with(&text, Dialect::Native, &limits)
        .unwrap_or_else(|_| Expression::from_node(root, Dialect::Native))
}

fn node(n: &Node) -> Node {
    let kind = match &n.kind {
        NodeKind::And(items) => NodeKind::And(items.iter().map(node).collect()),
        NodeKind::Or(items) => NodeKind::Or(items.iter().map(node).collect()),
        NodeKind::Quota(quota) => {
            NodeKind::Quota(Quota { count: quota.count, items: quota.items.iter().map(node).collect() })
        }
        NodeKind::Not(inner) => NodeKind::Not(Box::new(node(inner))),
        NodeKind::Scope(scope, inner) => NodeKind::Scope(*scope, Box::new(node(inner))),
        NodeKind::Atom(atom) => return spelled_out(atom, n.span),
    };
    Node { span: n.span, kind }
}

/// An atom of dialect `x` as what it reads.
fn spelled_out(atom: &Atom, span: Span) -> Node {
    let leaf = |atom: Atom| Node { span, kind: NodeKind::Atom(atom) };
    let own = || leaf(atom.clone());
    match atom {
        Atom::Text(p) => {
            let links = Atom::Words(WordField::Url, vec![Value::One(p.clone())]);
            and_quoted(span, || vec![own(), leaf(links.clone())])
        }
        Atom::Contains(v) => and_quoted(span, || vec![own(), leaf(Atom::UrlContains(v.clone()))]),
        Atom::Hashtag { .. } | Atom::Cashtag(_) | Atom::UrlContains(_) | Atom::Domain(_) | Atom::Set(_) => {
            and_quoted(span, || vec![own()])
        }
        Atom::Words(WordField::Url, _) => and_quoted(span, || vec![own()]),
        Atom::Mention(name) => {
            let mut node = and_quoted(span, || vec![own()]);
            if let NodeKind::Or(items) = &mut node.kind {
                items.push(leaf(Atom::Account(AccountField::RetweetsOf, vec![Value::One(name.clone())])));
            }
            node
        }
        Atom::Has(values) => {
            let is_quoted = |v: &&Value<HasFlag>| {
                matches!(
                    v,
                    Value::One(
                        HasFlag::Links
                            | HasFlag::Media
                            | HasFlag::Mentions
                            | HasFlag::Hashtags
                            | HasFlag::Cashtags
                    )
                )
            };
            let mut all = values.clone();
            if all.contains(&Value::One(HasFlag::Links)) && !all.contains(&Value::One(HasFlag::Media)) {
                all.push(Value::One(HasFlag::Media));
            }
            let quoted: Vec<_> = all.iter().filter(is_quoted).cloned().collect();
            with_quoted_part(span, Atom::Has(all), (!quoted.is_empty()).then_some(Atom::Has(quoted)))
        }
        Atom::Is(values) => {
            let reply = values.contains(&Value::One(IsFlag::Reply));
            let quoted = reply.then(|| Atom::Is(vec![Value::One(IsFlag::Reply)]));
            with_quoted_part(span, atom.clone(), quoted)
        }
        _ => own(),
    }
}

/// `items OR in:quote(items)`
fn and_quoted(span: Span, items: impl Fn() -> Vec<Node>) -> Node {
    let or = |mut items: Vec<Node>| match items.len() {
        1 => items.remove(0),
        _ => Node { span, kind: NodeKind::Or(items) },
    };
    let mut all = items();
    all.push(Node { span, kind: NodeKind::Scope(Scope::Quote, Box::new(or(items()))) });
    or(all)
}

fn with_quoted_part(span: Span, own: Atom, quoted: Option<Atom>) -> Node {
    let leaf = |atom: Atom| Node { span, kind: NodeKind::Atom(atom) };
    let Some(quoted) = quoted else { return leaf(own) };
    let scope = Node { span, kind: NodeKind::Scope(Scope::Quote, Box::new(leaf(quoted))) };
    Node { span, kind: NodeKind::Or(vec![leaf(own), scope]) }
}

/// What [`to_native`] can't say of an expression of dialect `x`; empty if the native one is true of the same posts.
///
/// One note for each kind of difference, at the first part that has it.
///
/// ```
/// use tweetfilter_core::{Dialect, Expression, Limits, syntax::lost_in_native};
/// let rule = |text| Expression::parse_with(text, Dialect::X, &Limits::default());
/// assert!(lost_in_native(&rule("snow")?).is_empty());
/// assert_eq!(lost_in_native(&rule("rain -snow")?).len(), 1);
/// # Ok::<(), tweetfilter_core::ParseError>(())
/// ```
#[must_use]
pub fn lost_in_native(expression: &Expression) -> Vec<Note> {
    let mut notes = Notes::default();
    let mut open = vec![(expression.root(), false)];
    while let Some((node, negative)) = open.pop().filter(|_| expression.dialect() == Dialect::X) {
        match &node.kind {
            NodeKind::And(items) | NodeKind::Or(items) => {
                open.extend(items.iter().rev().map(|i| (i, negative)));
            }
            NodeKind::Quota(quota) => {
                let negative = negative != quota.needed().1;
                open.extend(quota.items.iter().rev().map(|i| (i, negative)));
            }
            NodeKind::Not(inner) => open.push((inner, !negative)),
            NodeKind::Scope(_, inner) => open.push((inner, negative)),
            NodeKind::Atom(atom) => {
                if matches!(atom, Atom::Set(_)) {
                    let message = "The words of a set are not searched for in links, nor are retweets of its accounts found";
                    notes.add(node.span, message);
                }
                if negative && reads_quoted(atom, node.span) {
                    let message = "Negated, this does not match where a post is quoted and not carried; in dialect x what is carried decides";
                    notes.add(node.span, message);
                }
            }
        }
    }
    notes.sorted()
}

/// Whether the native form of an atom asks the quoted post.
fn reads_quoted(atom: &Atom, span: Span) -> bool {
    let is_scope = |n: &Node| matches!(n.kind, NodeKind::Scope(..));
    matches!(spelled_out(atom, span).kind, NodeKind::Or(items) if items.iter().any(is_scope))
}

/// What differs between this project and X for an expression that was written for X; empty if it means the same.
///
/// One note for each kind of difference, at the first part that has it.
#[must_use]
pub fn differences_from_x(expression: &Expression) -> Vec<Note> {
    let mut notes = Notes::default();
    lint::each_atom(expression, &mut |atom, span| {
        if let Some(message) = difference(atom) {
            notes.add(span, message);
        }
    });
    notes.sorted()
}

/// One for each message.
#[derive(Default)]
pub(super) struct Notes(Vec<Note>);

impl Notes {
    pub(super) fn add(&mut self, span: Span, message: &str) {
        if self.0.iter().all(|n| n.message != message) {
            self.0.push(Note { span, message: message.to_owned() });
        }
    }

    pub(super) fn sorted(mut self) -> Vec<Note> {
        self.0.sort_by_key(|n| n.span);
        self.0
    }
}

fn difference(atom: &Atom) -> Option<&'static str> {
    Some(match atom {
        Atom::Text(p) if !p.text.is_ascii() && p.text.chars().any(is_cut_by_character) => {
            "Words in this script are found anywhere in a text, whatever the language tag of the post says"
        }
        Atom::Text(p) if p.form != Form::Folded => return None,
        Atom::Text(p) if p.text.is_ascii() => "Words without accents also find words with them",
        Atom::Text(_) => "Words with accents find only words with the same accents",
        Atom::Sample(_) => "The share is drawn by another method, so other posts are in it",
        Atom::Is(v) if v.contains(&Value::One(IsFlag::Nullcast)) => {
            "Posts are nullcast only where their payload says so"
        }
        Atom::Is(v) if v.contains(&Value::One(IsFlag::Verified)) => {
            "Verified is what the payload says of the author"
        }
        Atom::Number(field, _) if field.is_engagement() => {
            "The counts are those of the moment when the post was received"
        }
        Atom::Number(..) => "A comparison never matches, negated or not, where the post carries no number",
        Atom::Account(_, v) if v.contains(&Value::One(AccountName::Me)) => {
            "me stands for the owner of the filter"
        }
        Atom::Place(..) => "Places are compared as a whole, by name or id",
        _ => return None,
    })
}

/// Han, kana, Hangul, Thai, Lao, Khmer and Myanmar, roughly by block.
fn is_cut_by_character(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3130}'..='\u{318f}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{20000}'..='\u{3ffff}')
}
