//! Words and phrases, which are all that Mastodon's filters know.

use serde::Deserialize;
use tweetfilter_core::syntax::{Atom, Form, Node, NodeKind, Shape, Value, quoted};
use tweetfilter_core::{Dialect, Expression, Limits};

use super::Format;
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
    /// How it reads when it comes back from a format; a list of words says nothing but the text.
    fn expression(&self, format: Format) -> String {
        let text = self.keyword.trim();
        if self.whole_word || format == Format::Words {
            return literal(text);
        }
        format!("contains:{}", quoted(text))
    }
}

/// The expression that any of the keywords satisfies.
pub(super) fn expression(keywords: &[Keyword]) -> String {
    keywords.iter().map(|one| one.expression(Format::Mastodon)).collect::<Vec<_>>().join(" OR ")
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
    parts(&expression).iter().map(keyword).collect()
}

/// What of an expression becomes something else when it goes out as keywords and comes back: each such part, and what it
/// then is.
#[must_use]
pub fn misread(text: &str, dialect: Dialect, format: Format) -> Vec<(String, String)> {
    let Ok(expression) = Expression::parse_with(text, dialect, &Limits::default()) else { return Vec::new() };
    let changed = |part: &Node| {
        let NodeKind::Atom(atom) = &part.kind else { return None };
        let again = keyword(part)?.expression(format);
        let is_same = Expression::parse(&again).is_ok_and(|read| match &read.root().kind {
            NodeKind::Atom(read) => says_the_same(atom, read),
            _ => false,
        });
        (!is_same).then(|| (atom.to_string(), again))
    };
    parts(&expression).iter().filter_map(changed).collect()
}

/// What any of suffices.
fn parts(expression: &Expression) -> &[Node] {
    match &expression.root().kind {
        NodeKind::Or(items) => items,
        _ => std::slice::from_ref(expression.root()),
    }
}

fn says_the_same(one: &Atom, other: &Atom) -> bool {
    match (one, other) {
        // A word is a phrase of one.
        (Atom::Text(one), Atom::Text(other)) => one.text == other.text,
        _ => one == other,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_as_something_else_is_known() {
        let of = |text, format| misread(text, Dialect::Native, format);
        let pair = |was: &str, again: &str| (was.to_owned(), again.to_owned());
        for format in [Format::Words, Format::Mastodon] {
            let kept = "snow OR \"new york\" OR #Ski OR don't OR contains:\"<3\" OR \"ice\"";
            assert!(of(kept, format).is_empty());
            assert_eq!(of("rain OR contains:\" cat \" OR contains:\"+\"", format).len(), 1);
            assert_eq!(of("\"#ski\"", format), [pair("\"#ski\"", "#ski")]);
        }
        assert_eq!(
            of("contains:\" cat \"", Format::Mastodon),
            [pair("contains:\" cat \"", "contains:\"cat\"")]
        );
        assert!(of("contains:now", Format::Mastodon).is_empty());
        assert_eq!(of("contains:now OR snow", Format::Words), [pair("contains:\"now\"", "now")]);
    }
}
