//! Words and phrases, which are all that Mastodon's filters know.

use serde::Deserialize;
use tweetfilter_core::syntax::{Atom, Form, Node, NodeKind, Shape, Value, quoted};
use tweetfilter_core::{Dialect, Expression, Limits};

use super::words::literal;

/// A word or phrase, as Mastodon's filters have them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Keyword {
    /// What is searched for.
    pub keyword: String,
    /// Whether it is found as a whole word alone.
    #[serde(default)]
    pub whole_word: bool,
}

impl Keyword {
    fn expression(&self) -> String {
        let text = self.keyword.trim();
        if self.whole_word {
            return literal(text);
        }
        format!("contains:{}", quoted(text))
    }
}

/// The expression that any of the keywords satisfies.
pub(super) fn expression(keywords: &[Keyword]) -> String {
    keywords.iter().map(Keyword::expression).collect::<Vec<_>>().join(" OR ")
}

/// How an expression reads that was written as keywords and comes back, if keywords can say it.
#[must_use]
pub fn through_keywords(text: &str, dialect: Dialect) -> Option<String> {
    keywords(text, dialect).map(|keywords| expression(&keywords))
}

/// The words and phrases of an expression that is nothing but these.
#[must_use]
pub fn keywords(text: &str, dialect: Dialect) -> Option<Vec<Keyword>> {
    let expression = Expression::parse_with(text, dialect, &Limits::default()).ok()?;
    match &expression.root().kind {
        NodeKind::Or(items) => items.iter().map(keyword).collect(),
        _ => Some(vec![keyword(expression.root())?]),
    }
}

fn keyword(node: &Node) -> Option<Keyword> {
    let NodeKind::Atom(atom) = &node.kind else { return None };
    let (keyword, whole_word) = match atom {
        Atom::Text(pattern) if pattern.form == Form::Folded => match pattern.shape {
            Shape::Word if !pattern.text.contains(['*', '?']) => (pattern.text.clone(), true),
            Shape::Phrase => (pattern.text.clone(), true),
            _ => return None,
        },
        Atom::Hashtag { .. } => (atom.to_string(), true),
        Atom::Contains(values) => match values.as_slice() {
            [Value::One(text)] => (text.clone(), false),
            _ => return None,
        },
        _ => return None,
    };
    Some(Keyword { keyword, whole_word })
}
