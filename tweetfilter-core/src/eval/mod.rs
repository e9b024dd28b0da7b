//! Evaluation of posts.

use crate::filter_set::Match;
use crate::syntax::{AccountName, Atom, Node, NodeKind, Value};
use crate::text::{Origin, Tokens, tokenize};
use crate::{Expression, Post};

/// Memory that is reused from post to post: one per thread.
#[derive(Debug, Default)]
pub struct Scratch {
    tokens: Tokens,
    matches: Vec<Match>,
}

impl Scratch {
    pub(crate) fn run(&mut self, filters: &[(Match, Expression)], post: &Post) -> &[Match] {
        self.tokens.clear();
        tokenize(&post.content().text, Origin::Post(&[]), &mut self.tokens);
        self.matches.clear();
        let tokens = &self.tokens;
        self.matches.extend(filters.iter().filter(|f| holds(f.1.root(), post, tokens)).map(|f| f.0));
        &self.matches
    }
}

fn holds(node: &Node, post: &Post, tokens: &Tokens) -> bool {
    match &node.kind {
        NodeKind::And(items) => items.iter().all(|n| holds(n, post, tokens)),
        NodeKind::Or(items) => items.iter().any(|n| holds(n, post, tokens)),
        NodeKind::Not(inner) => !holds(inner, post, tokens),
        NodeKind::Atom(Atom::Text(pattern)) => {
            let word = pattern.text.to_lowercase();
            tokens.iter().any(|t| t.plain == word)
        }
        NodeKind::Atom(Atom::Account(_, values)) => values.iter().any(|v| match v {
            Value::One(AccountName::Name(name)) => post.author.account.handle.eq_ignore_ascii_case(name),
            _ => false,
        }),
        _ => false,
    }
}
