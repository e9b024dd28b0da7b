//! What the engine is measured against.

use mokaccino::prelude::{CNFQueryable, Document, Percolator, Query};
use tweetfilter_core::syntax::{
    AccountField, AccountName, Atom, Comparison, Form, IsFlag, Node, NodeKind, NumberField, Shape,
    TextPattern, Value,
};
use tweetfilter_core::text::{Origin, Tokens, fold_value, tokenize};
use tweetfilter_core::{Expression, Post, Span};

/// mokaccino, with those of the filters that its language can say.
///
/// It knows fields with values, so words, tags, names, languages, retweets and follower counts can be said,
/// and AND, OR, NOT of them. Phrases, words of several tokens and regexes cannot: `left_out` counts the
/// filters that have them.
pub struct Mokaccino {
    percolator: Percolator,
    /// The indexes of our filters that it has, in order; its own numbers count through these.
    pub taken: Vec<u32>,
    /// Filters that it can't express.
    pub left_out: usize,
}

impl std::fmt::Debug for Mokaccino {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mokaccino")
            .field("taken", &self.taken.len())
            .field("left_out", &self.left_out)
            .finish()
    }
}

impl Mokaccino {
    /// Takes what it can of the filters.
    #[must_use]
    pub fn new(filters: &[String]) -> Self {
        let mut rival = Self { percolator: Percolator::default(), taken: Vec::new(), left_out: 0 };
        for (index, filter) in filters.iter().enumerate() {
            match Expression::parse(filter).ok().and_then(|e| said(e.root())) {
                Some(said) => {
                    rival.percolator.add_query(said);
                    rival.taken.push(index as u32);
                }
                None => rival.left_out += 1,
            }
        }
        rival
    }

    /// Indexes of our filters that a document satisfies, sorted.
    #[must_use]
    pub fn matches(&self, document: &Document) -> Vec<u32> {
        let mut found: Vec<u32> =
            self.percolator.percolate(document).map(|q| self.taken[q as usize]).collect();
        found.sort_unstable();
        found
    }

    /// How many filters a document satisfies.
    #[must_use]
    pub fn count(&self, document: &Document) -> u64 {
        self.percolator.percolate(document).count() as u64
    }
}

/// A filter in its language.
fn said(node: &Node) -> Option<Query> {
    let all = |nodes: &[Node]| nodes.iter().map(said).collect::<Option<Vec<_>>>();
    Some(match &node.kind {
        NodeKind::And(nodes) => Query::from_and(all(nodes)?),
        NodeKind::Or(nodes) => Query::from_or(all(nodes)?),
        NodeKind::Not(node) => !said(node)?,
        NodeKind::Atom(atom) => said_atom(atom)?,
        NodeKind::Quota(_) | NodeKind::Scope(..) => return None,
    })
}

fn said_atom(atom: &Atom) -> Option<Query> {
    Some(match atom {
        Atom::Text(TextPattern { text, form: Form::Folded, shape: Shape::Word })
            if !text.contains(['*', '?']) =>
        {
            let mut tokens = Tokens::default();
            tokenize(text, Origin::Filter, &mut tokens);
            match (tokens.len(), tokens.get(0)) {
                (1, Some(token)) => "word".has_value(token.folded),
                _ => return None,
            }
        }
        Atom::Hashtag { tag, prefix: false } => "tag".has_value(fold_value(tag).folded.as_str()),
        Atom::Mention(AccountName::Name(name)) => "mention".has_value(name.to_lowercase().as_str()),
        Atom::Account(AccountField::From, names) => match names.as_slice() {
            [Value::One(AccountName::Name(name))] => "from".has_value(name.to_lowercase().as_str()),
            _ => return None,
        },
        Atom::Lang(tags) => match tags.as_slice() {
            [Value::One(tag)] => "lang".has_value(tag.as_str()),
            _ => return None,
        },
        Atom::Is(flags) if flags.as_slice() == [Value::One(IsFlag::Retweet)] => "is".has_value("retweet"),
        Atom::Number(NumberField::Followers, Comparison::Ge(n)) => "followers".i64_ge(*n as i64),
        _ => return None,
    })
}

/// A post as mokaccino reads it, tokens given: making it is not timed.
#[must_use]
pub fn document(post: &Post) -> Document {
    let content = post.content();
    let mut tokens = Tokens::default();
    let links = link_spans(content);
    tokenize(&content.text, Origin::Post(&links), &mut tokens);
    let mut document = Document::new();
    let mut seen = std::collections::HashSet::new();
    for token in tokens.iter() {
        for word in [token.folded, token.plain] {
            if seen.insert(word) {
                document = document.with_value("word", word);
            }
        }
    }
    for tag in &content.entities.hashtags {
        let folded = fold_value(&tag.text);
        document = document.with_value("tag", folded.folded.as_str());
        if folded.plain != folded.folded {
            document = document.with_value("tag", folded.plain.as_str());
        }
    }
    for mention in &content.entities.mentions {
        document = document.with_value("mention", mention.account.handle.to_lowercase().as_str());
    }
    document = document.with_value("from", post.author.account.handle.to_lowercase().as_str());
    document = document.with_value("lang", content.lang.as_deref().unwrap_or("und"));
    if post.retweet_of.is_some() {
        document = document.with_value("is", "retweet");
    }
    if let Some(followers) = post.author.followers {
        document = document.with_value("followers", followers.to_string().as_str());
    }
    document
}

/// Spans of a post's links, as the engine reads them.
#[must_use]
pub fn link_spans(post: &Post) -> Vec<Span> {
    let entities = &post.entities;
    entities.links.iter().filter_map(|link| link.span).chain(entities.other_links.iter().copied()).collect()
}
