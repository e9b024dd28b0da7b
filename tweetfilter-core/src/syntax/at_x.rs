//! What X's own language lacks: dialect `x` takes all that the native language says, and reads it as X would.

use super::native::Notes;
use super::{
    AccountName, Atom, Expression, Form, HasFlag, IsFlag, Node, NodeKind, Note, Scope, Shape, TextPattern,
    Value, lint,
};
use crate::Span;

/// Operators of X's filtered stream and of PowerTrack, with the spellings that these take.
const OPERATORS: &[&str] = &[
    "bio",
    "bio_contains",
    "bio_location",
    "bio_location_contains",
    "bio_name",
    "bio_name_contains",
    "bounding_box",
    "contains",
    "context",
    "conversation_id",
    "country_code",
    "entity",
    "followers_count",
    "following_count",
    "friends_count",
    "from",
    "has",
    "in_reply_to_status_id",
    "in_reply_to_tweet_id",
    "is",
    "lang",
    "listed_count",
    "place",
    "place_contains",
    "place_country",
    "point_radius",
    "profile_country",
    "profile_country_code",
    "profile_locality",
    "profile_region",
    "quotes_of_status_id",
    "quotes_of_tweet_id",
    "retweets_of",
    "retweets_of_status_id",
    "retweets_of_tweet_id",
    "retweets_of_user",
    "sample",
    "source",
    "statuses_count",
    "to",
    "tweets_count",
    "twitter_lang",
    "url",
    "url_contains",
    "url_description",
    "url_title",
    "user_bio",
    "user_bio_location",
    "user_in_lists_count",
    "within_url_description",
    "within_url_title",
];

/// What X's filtered stream and PowerTrack can't read of an expression; empty if they can read it as it is written.
///
/// One note for each kind of thing that they lack, at the first part that has it.
///
/// ```
/// use tweetfilter_core::{Expression, syntax::lacking_at_x};
/// assert!(lacking_at_x(&Expression::parse("snow (from:ann OR #ski) -rain")?).is_empty());
/// assert_eq!(lacking_at_x(&Expression::parse("2 of (storm, flood, fire)")?).len(), 1);
/// # Ok::<(), tweetfilter_core::ParseError>(())
/// ```
#[must_use]
pub fn lacking_at_x(expression: &Expression) -> Vec<Note> {
    let text = expression.text();
    let mut notes = Notes::default();
    let mut open = vec![expression.root()];
    while let Some(node) = open.pop() {
        match &node.kind {
            NodeKind::And(items) | NodeKind::Or(items) => open.extend(items.iter().rev()),
            NodeKind::Not(inner) => open.push(inner),
            NodeKind::Quota(quota) => {
                notes.add(node.span, "X has no `N of (…)`");
                open.extend(quota.items.iter().rev());
            }
            NodeKind::Scope(scope, inner) => {
                let message = match scope {
                    Scope::Quote => "X has no `in:quote(…)`",
                    Scope::Retweet => "X has no `in:retweet(…)`",
                };
                notes.add(node.span, message);
                open.push(inner);
            }
            NodeKind::Atom(atom) => {
                let written = text.get(node.span.range()).unwrap_or_default();
                if let Some(message) = lacking(atom, written) {
                    notes.add(node.span, &message);
                }
            }
        }
    }
    words_between(expression, &mut notes);
    if !finds_something(expression.root()) {
        let message = "X takes no filter, nor an alternative of one, that only says what must not be there";
        notes.add(expression.root().span, message);
    }
    notes.sorted()
}

/// `AND` and `NOT`, which X would search for as words.
fn words_between(expression: &Expression, notes: &mut Notes) {
    let mut end = 0_u32;
    let mut gaps = Vec::new();
    lint::each_atom(expression, &mut |_, span| {
        gaps.push((end, span.start));
        end = end.max(span.end);
    });
    for (start, end) in gaps.into_iter().filter(|(start, end)| start < end) {
        let span = Span { start, end };
        let between = expression.text().get(span.range()).unwrap_or_default();
        for word in between.split(|c: char| !c.is_ascii_alphabetic()) {
            match word {
                "AND" => notes.add(span, "X has no word `AND`: what must all be there stands side by side"),
                "NOT" => notes.add(span, "X has no word `NOT`: it is written `-`"),
                _ => {}
            }
        }
    }
}

/// Whether X would have something to look for: no alternative may consist of exclusions alone.
fn finds_something(node: &Node) -> bool {
    match &node.kind {
        NodeKind::And(items) => items.iter().any(finds_something),
        NodeKind::Or(items) => items.iter().all(finds_something),
        NodeKind::Not(_) => false,
        NodeKind::Quota(_) | NodeKind::Scope(..) | NodeKind::Atom(_) => true,
    }
}

/// What X lacks of an atom.
fn lacking(atom: &Atom, written: &str) -> Option<String> {
    let lacks = match atom {
        Atom::Text(pattern) => return of_pattern(pattern).map(str::to_owned),
        Atom::Regex(_) => Some("X has no regexes"),
        Atom::Set(_) => Some(SETS),
        Atom::Hashtag { prefix: true, .. } => Some(WILDCARDS),
        Atom::Mention(AccountName::Me) => Some(ME),
        Atom::Hashtag { .. } | Atom::Mention(_) | Atom::Cashtag(_) => None,
        _ => {
            let (name, value) = written.split_once(':').unwrap_or((written, ""));
            let name = name.trim();
            if !OPERATORS.iter().any(|one| one.eq_ignore_ascii_case(name)) {
                return Some(format!("X has no operator `{name}:`"));
            }
            of_values(atom, value)
        }
    };
    lacks.map(str::to_owned)
}

const SETS: &str = "X has no named sets";
const SEVERAL: &str = "X takes one value behind an operator; write `(from:a OR from:b)`";
const WILDCARDS: &str = "X has no wildcards";
const ME: &str = "X does not know who `me` is";

fn of_pattern(pattern: &TextPattern) -> Option<&'static str> {
    match pattern {
        TextPattern { form: Form::Exact, .. } => Some("X has no `=`, which compares letters as they are"),
        TextPattern { form: Form::Obfuscated, .. } => Some("X has no `~`, which finds look-alikes"),
        TextPattern { shape: Shape::Word, text, .. } if text.contains(['*', '?']) => Some(WILDCARDS),
        _ => None,
    }
}

/// What X lacks of the values of an operator that it has.
fn of_values(atom: &Atom, value: &str) -> Option<&'static str> {
    match atom {
        Atom::Contains(v) | Atom::UrlContains(v) | Atom::Domain(v) | Atom::Lang(v) | Atom::Entity(v) => {
            one(v).err()
        }
        Atom::Id(_, v) | Atom::Place(_, v) => one(v).err(),
        Atom::Context(v) => one(v).err(),
        Atom::Account(_, v) => match one(v) {
            Ok(AccountName::Me) => Some(ME),
            found => found.err(),
        },
        Atom::Words(_, v) => one(v).map_or_else(Some, of_pattern),
        Atom::Is(v) => match one(v) {
            Ok(IsFlag::Retweet | IsFlag::Reply | IsFlag::Quote | IsFlag::Verified | IsFlag::Nullcast) => None,
            Ok(_) => Some("X has no such `is:`"),
            Err(message) => Some(message),
        },
        Atom::Has(v) => match one(v) {
            Ok(HasFlag::Gifs | HasFlag::Polls | HasFlag::Alt) => Some("X has no such `has:`"),
            found => found.err(),
        },
        Atom::Number(..) if value.contains(['<', '>', '=']) => {
            Some("X compares no numbers by signs: `followers_count:100` is at least 100, `100..200` a range")
        }
        Atom::Sample(share) if !share.is_multiple_of(100) => Some("X takes whole per cents in `sample:`"),
        _ => None,
    }
}

/// The only value of an operator.
fn one<T>(values: &[Value<T>]) -> Result<&T, &'static str> {
    match values {
        [Value::One(value)] => Ok(value),
        [Value::Set(_)] => Err(SETS),
        _ => Err(SEVERAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dialect, Limits};

    fn said(text: &str) -> Vec<String> {
        let read = Expression::parse_with(text, Dialect::X, &Limits::default()).unwrap();
        lacking_at_x(&read).into_iter().map(|note| note.message).collect()
    }

    #[test]
    fn what_x_has_is_let_through() {
        for text in [
            "snow",
            "\"new york\" OR nyc",
            "\"snow oslo\"~5 -rain",
            "(from:ann OR to:bob) #ski @cat $ABC",
            "cat has:images lang:en -is:retweet",
            "snow followers_count:100 tweets_count:10..20",
            "point_radius:[-105.27 40.01 10mi] sample:10",
            "url:\"example.com/a\" OR bio:engineer OR context:10.799",
            "snow -(rain OR hail)",
            "cat or dog",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_x_lacks_is_named_once() {
        for (text, part) in [
            ("2 of (storm, flood, fire)", "N of"),
            ("~viagra", "`~`"),
            ("=Apple", "`=`"),
            ("{fruit} pie", "named sets"),
            ("from:{friends}", "named sets"),
            ("snow*", "wildcards"),
            ("#sno*", "wildcards"),
            ("/sno+w/", "regexes"),
            ("in:quote(snow)", "in:quote"),
            ("from:ann,bob", "one value"),
            ("from:me", "`me`"),
            ("snow length:>10", "`length:`"),
            ("snow followers_count:>10", "by signs"),
            ("snow followers:10", "`followers:`"),
            ("snow min_faves:10", "`min_faves:`"),
            ("snow since:2021-01-01", "`since:`"),
            ("snow is:bot", "such `is:`"),
            ("snow has:polls", "such `has:`"),
            ("snow sample:12.5", "whole per cents"),
            ("snow AND ice", "`AND`"),
            ("snow NOT ice", "`NOT`"),
            ("-snow", "must not be there"),
            ("snow OR -ice", "must not be there"),
        ] {
            let said = said(text);
            assert!(said.len() == 1 && said[0].contains(part), "{text}: {said:?}");
        }
        assert_eq!(said("{a} OR {b}").len(), 1);
    }
}
