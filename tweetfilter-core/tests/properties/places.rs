//! What explanations promise of the places that they name.

use tweetfilter_core::explain::{Evidence, Explanation, Field, Part};
use tweetfilter_core::post::{Account, AttributeValue, Link, Mention, Tag};
use tweetfilter_core::syntax::{Atom, Node, NodeKind, Shape};
use tweetfilter_core::{Expression, FilterId, FilterSetBuilder, Post, Span};

/// Places that are told of a part at most.
const MOST: usize = 64;

/// What is not as promised of an explanation.
pub fn wrong(explained: &Explanation, expression: &Expression, post: &Post) -> Option<String> {
    explained.parts.iter().find_map(|part| {
        let what = wrong_of(part, explained.matched, expression, post)?;
        Some(format!("{what}: {part:?}"))
    })
}

fn wrong_of(part: &Part, matched: bool, expression: &Expression, post: &Post) -> Option<String> {
    // What is true of the post is true somewhere; of a miss it must not be.
    let is_true = matched != part.negated && !part.unknown;
    if is_true == part.places.is_empty() {
        return Some("places of what is not true, or none of what is".to_owned());
    }
    if part.places.len() > MOST {
        return Some(format!("{} places", part.places.len()));
    }
    if let Some(place) = part.places.iter().find(|place| !stands(place, post)) {
        return Some(format!("{place:?} is no place of the post"));
    }
    let ordered = !is_row(expression.root(), part.expression) || in_order(&part.places);
    (!ordered).then(|| "places that are not in order".to_owned())
}

/// Whether a place lies in its field on the borders of characters, and what is told of it stands there.
fn stands(place: &Evidence, post: &Post) -> bool {
    let Some(span) = place.span else { return true };
    let mut inner = Some(post);
    for scope in &place.scopes {
        let reference = inner.and_then(|post| match *scope {
            "quote" => post.content().quote_of.as_ref(),
            _ => post.retweet_of.as_ref(),
        });
        inner = reference.and_then(|reference| reference.post.as_ref());
    }
    // Tags and names are told without their signs.
    let is_entity = matches!(place.field, Field::Hashtag | Field::Cashtag | Field::Mention);
    let tells = |text: &str| text.get(span.range()).is_some_and(|there| is_entity || there == place.text);
    inner.is_some_and(|post| texts(post, place.field).into_iter().any(tells))
}

/// The texts of a field: of a link all where it leads.
fn texts(post: &Post, field: Field) -> Vec<&str> {
    let content = post.content();
    let quoted = content.quote_of.as_ref().and_then(|quote| quote.post.as_ref()).map(Post::content);
    let one = match field {
        Field::Text | Field::Hashtag | Field::Cashtag | Field::Mention => Some(content.text.as_str()),
        Field::Warning => content.warning.as_deref(),
        Field::Bio => post.author.bio.as_deref(),
        Field::Name => post.author.name.as_deref(),
        Field::Location => post.author.location.as_deref(),
        Field::Source => post.source.as_deref(),
        Field::LinkTitle(n) => link(content, n).and_then(|link| link.title.as_deref()),
        Field::LinkDescription(n) => link(content, n).and_then(|link| link.description.as_deref()),
        Field::Alt(n) => content.entities.media.get(n).and_then(|media| media.alt.as_deref()),
        Field::QuotedText => quoted.map(|quoted| quoted.text.as_str()),
        Field::QuotedWarning => quoted.and_then(|quoted| quoted.warning.as_deref()),
        Field::Link(n) => return targets(content, n),
        Field::QuotedLink(n) => return quoted.map(|quoted| targets(quoted, n)).unwrap_or_default(),
        Field::Attribute => {
            let words = content.attributes.iter().filter_map(|attribute| match &attribute.value {
                AttributeValue::Text(text) => Some(text.as_str()),
                AttributeValue::Number(_) => None,
            });
            return words.collect();
        }
        // These have no places within.
        _ => None,
    };
    one.into_iter().collect()
}

fn link(post: &Post, n: usize) -> Option<&Link> {
    post.entities.links.get(n)
}

fn targets(post: &Post, n: usize) -> Vec<&str> {
    let Some(link) = link(post, n) else { return Vec::new() };
    let all = [Some(link.url.as_str()), link.expanded.as_deref(), link.unwound.as_deref()];
    all.into_iter().flatten().collect()
}

/// Whether a word or phrase on the text stands in an expression at a place.
fn is_row(node: &Node, at: Span) -> bool {
    match &node.kind {
        NodeKind::And(items) | NodeKind::Or(items) => items.iter().any(|item| is_row(item, at)),
        NodeKind::Quota(quota) => quota.items.iter().any(|item| is_row(item, at)),
        NodeKind::Not(inner) | NodeKind::Scope(_, inner) => is_row(inner, at),
        NodeKind::Atom(Atom::Text(pattern)) => node.span == at && !matches!(pattern.shape, Shape::Near(_)),
        NodeKind::Atom(_) => false,
    }
}

/// Whether those in the text follow each other.
fn in_order(places: &[Evidence]) -> bool {
    let text = places.iter().filter(|place| place.field == Field::Text);
    text.filter_map(|place| place.span).is_sorted_by_key(|span| span.start)
}

#[test]
fn places_that_the_post_does_not_have_are_not_told() {
    let mut post = Post::from_text("é x");
    post.entities.hashtags.push(Tag { text: "oslo".into(), span: Some(Span::new(1, 90)) });
    let account = Account { handle: "al".into(), ..Account::default() };
    post.entities.mentions.push(Mention { account, span: Some(Span::new(1, 2)) });
    let url = "https://a.b/caf%C3%A9/caf%C3%A9".to_owned();
    post.entities.links.push(Link { url, ..Link::default() });
    for (filter, text) in [("#oslo", "oslo"), ("@al", "al"), ("url:café", "café"), ("url_contains:fé", "fé")]
    {
        let mut builder = FilterSetBuilder::new();
        builder.add(FilterId(1), filter).expect("a filter");
        let explained = builder.build().explain(0, &post).expect("the filter");
        let places = &explained.parts[0].places;
        assert_eq!((places.len(), places[0].span, places[0].text.as_str()), (1, None, text), "{filter}");
    }
    // Nor is what stands there another spelling of it.
    let mut builder = FilterSetBuilder::new();
    builder.add(FilterId(1), "/é/").expect("a filter");
    let explained = builder.build().explain(0, &Post::from_text("x e\u{301}")).expect("the filter");
    assert_eq!(explained.parts[0].places[0].text, "e\u{301}");
}
