//! The one table of operators: names, aliases, and what kind of value each takes.

use super::values::{FILTER_FLAGS, HAS_FLAGS, IS_FLAGS};
use super::{AccountField, IdBound, IdField, NumberField, PlaceField, TimeBound, WordField};

/// An operator of the language.
#[derive(Debug)]
pub(super) struct Operator {
    /// Canonical name, without colon.
    pub(super) name: &'static str,
    /// Other spellings.
    pub(super) aliases: &'static [&'static str],
    /// What stands behind the colon.
    pub(super) kind: ValueKind,
}

/// What an operator's value is, and what it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
    Contains,
    UrlContains,
    Account(AccountField),
    Words(WordField),
    Domain,
    Id(IdField),
    IdBound(IdBound),
    Is,
    Has,
    /// X's web search: a table of its own.
    Filter,
    /// `in:quote(…)`; without parenthesis an error.
    In,
    Lang,
    Place(PlaceField),
    PointRadius,
    BoundingBox,
    Number(NumberField),
    /// `min_faves:` and the like: a bare number, `>=`.
    AtLeast(NumberField),
    Time(TimeBound),
    AccountAge,
    Context,
    Entity,
    Sample,
    Attribute,
}

const fn op(name: &'static str, aliases: &'static [&'static str], kind: ValueKind) -> Operator {
    Operator { name, aliases, kind }
}

/// Every operator, in the order of SYNTAX.md.
pub(super) static OPERATORS: &[Operator] = &[
    op("contains", &[], ValueKind::Contains),
    op("from", &["author"], ValueKind::Account(AccountField::From)),
    op("to", &[], ValueKind::Account(AccountField::To)),
    op("retweets_of", &["retweets_of_user"], ValueKind::Account(AccountField::RetweetsOf)),
    op("quotes_of", &[], ValueKind::Account(AccountField::QuotesOf)),
    op("bio", &["user_bio", "bio_contains"], ValueKind::Words(WordField::Bio)),
    op("bio_name", &["name", "bio_name_contains"], ValueKind::Words(WordField::BioName)),
    op(
        "bio_location",
        &["user_bio_location", "bio_location_contains"],
        ValueKind::Words(WordField::BioLocation),
    ),
    op("url", &[], ValueKind::Words(WordField::Url)),
    op("url_contains", &[], ValueKind::UrlContains),
    op("domain", &[], ValueKind::Domain),
    op("url_title", &["within_url_title"], ValueKind::Words(WordField::UrlTitle)),
    op("url_description", &["within_url_description"], ValueKind::Words(WordField::UrlDescription)),
    op("alt", &[], ValueKind::Words(WordField::Alt)),
    op("cw", &[], ValueKind::Words(WordField::Warning)),
    op("in_reply_to_tweet_id", &["in_reply_to_status_id"], ValueKind::Id(IdField::InReplyTo)),
    op("retweets_of_tweet_id", &["retweets_of_status_id"], ValueKind::Id(IdField::RetweetsOf)),
    op("quotes_of_tweet_id", &["quotes_of_status_id"], ValueKind::Id(IdField::QuotesOf)),
    op("conversation_id", &[], ValueKind::Id(IdField::Conversation)),
    op("since_id", &[], ValueKind::IdBound(IdBound::Since)),
    op("max_id", &[], ValueKind::IdBound(IdBound::Max)),
    op("is", &[], ValueKind::Is),
    op("has", &[], ValueKind::Has),
    op("filter", &[], ValueKind::Filter),
    op("in", &[], ValueKind::In),
    op("lang", &["twitter_lang"], ValueKind::Lang),
    op("source", &[], ValueKind::Words(WordField::Source)),
    op("place", &["place_contains"], ValueKind::Place(PlaceField::Place)),
    op("place_country", &["country_code"], ValueKind::Place(PlaceField::Country)),
    op("point_radius", &[], ValueKind::PointRadius),
    op("bounding_box", &[], ValueKind::BoundingBox),
    op("profile_country", &["profile_country_code"], ValueKind::Place(PlaceField::ProfileCountry)),
    op("profile_region", &[], ValueKind::Place(PlaceField::ProfileRegion)),
    op("profile_locality", &[], ValueKind::Place(PlaceField::ProfileLocality)),
    op("followers", &["followers_count"], ValueKind::Number(NumberField::Followers)),
    op("following", &["following_count", "friends_count"], ValueKind::Number(NumberField::Following)),
    op("posts", &["tweets_count", "statuses_count"], ValueKind::Number(NumberField::Posts)),
    op("listed", &["listed_count", "user_in_lists_count"], ValueKind::Number(NumberField::Listed)),
    op("likes", &[], ValueKind::Number(NumberField::Likes)),
    op("retweets", &[], ValueKind::Number(NumberField::Retweets)),
    op("replies", &[], ValueKind::Number(NumberField::Replies)),
    op("quotes", &[], ValueKind::Number(NumberField::Quotes)),
    op("min_faves", &["min_likes"], ValueKind::AtLeast(NumberField::Likes)),
    op("min_followers", &[], ValueKind::AtLeast(NumberField::Followers)),
    op("min_retweets", &["min_reposts"], ValueKind::AtLeast(NumberField::Retweets)),
    op("min_replies", &[], ValueKind::AtLeast(NumberField::Replies)),
    op("length", &[], ValueKind::Number(NumberField::Length)),
    op("hashtags", &[], ValueKind::Number(NumberField::Hashtags)),
    op("mentions", &[], ValueKind::Number(NumberField::Mentions)),
    op("links", &[], ValueKind::Number(NumberField::Links)),
    op("emoji", &[], ValueKind::Number(NumberField::Emoji)),
    op("caps", &[], ValueKind::Number(NumberField::Caps)),
    op("since", &["since_time"], ValueKind::Time(TimeBound::Since)),
    op("until", &["until_time"], ValueKind::Time(TimeBound::Until)),
    op("account_age", &[], ValueKind::AccountAge),
    op("context", &[], ValueKind::Context),
    op("entity", &[], ValueKind::Entity),
    op("sample", &[], ValueKind::Sample),
    op("attr", &[], ValueKind::Attribute),
];

/// The operator of a name or alias, in any case; `attr.NAME` is `attr`.
pub(super) fn find(name: &str) -> Option<&'static Operator> {
    let is_attribute = name.len() > 5 && name.is_char_boundary(5) && name[..5].eq_ignore_ascii_case("attr.");
    let name = if is_attribute { "attr" } else { name };
    if name.eq_ignore_ascii_case("attr") && !is_attribute {
        return None;
    }
    let is = |n: &&str| n.eq_ignore_ascii_case(name);
    OPERATORS.iter().find(|o| is(&o.name) || o.aliases.iter().any(is))
}

/// The canonical name of an operator of this kind.
pub(super) fn name_of(kind: ValueKind) -> &'static str {
    OPERATORS.iter().find(|o| o.kind == kind).map_or("", |o| o.name)
}

/// Every name and alias.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OPERATORS.iter().flat_map(|o| std::iter::once(o.name).chain(o.aliases.iter().copied()))
}

/// How an operator is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// Canonical name, without colon; `attr` is written `attr.NAME`.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Its values, if they come from a fixed list; else empty.
    pub values: Vec<&'static str>,
}

/// Every operator, in the order of SYNTAX.md: for completion, and for tests that none is forgotten.
///
/// ```
/// use tweetfilter_core::syntax::spellings;
/// let from = spellings().find(|operator| operator.name == "from").unwrap();
/// assert_eq!(from.aliases, ["author"]);
/// ```
pub fn spellings() -> impl Iterator<Item = Spelling> {
    fn firsts<T>(list: &[(&'static str, T)]) -> Vec<&'static str> {
        list.iter().map(|entry| entry.0).collect()
    }
    OPERATORS.iter().map(|o| Spelling {
        name: o.name,
        aliases: o.aliases,
        values: match o.kind {
            ValueKind::Is => firsts(&IS_FLAGS),
            ValueKind::Has => firsts(&HAS_FLAGS),
            ValueKind::Filter => firsts(&FILTER_FLAGS),
            ValueKind::In => vec!["quote", "retweet"],
            _ => Vec::new(),
        },
    })
}
