//! The tweet object.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::json;
use serde::de::MapAccess;
use tweetfilter_core::post::{self, Account, Engagement, Millis, Point, Post, PostFlags, Reference, ReplyTo};
use tweetfilter_core::{Part, text};

use super::super::fields::{Field, Fields, Raw, Scalar, Sieve, takes};
use super::super::html::{self, Offsets};
use super::super::withheld::{self, Withheld};
use super::super::{retweet, time};
use super::entities::{Entities, Surroundings, Url};
use super::place::{Geometry, Place, point};
use super::user::User;
use crate::Event;

/// A tweet as the payload has it.
#[derive(Default)]
pub(in super::super) struct Tweet<'de> {
    id_str: Scalar<'de>,
    id: Scalar<'de>,
    text: Option<Raw<'de>>,
    full_text: Option<Raw<'de>>,
    extended: Option<Box<Extended<'de>>>,
    entities: Option<Box<Entities<'de>>>,
    extended_entities: Option<Box<Entities<'de>>>,
    user: Option<Box<User<'de>>>,
    created_at: Option<Millis>,
    timestamp: Option<Millis>,
    source: Option<Cow<'de, str>>,
    lang: Option<String>,
    search_lang: Option<String>,
    reply_id_str: Scalar<'de>,
    reply_user_id_str: Scalar<'de>,
    reply_handle: Option<String>,
    reply_id: Scalar<'de>,
    reply_user_id: Scalar<'de>,
    conversation: Option<String>,
    retweeted: Option<Box<Tweet<'de>>>,
    /// The original of a retweet, without its text.
    announced: Option<Box<Tweet<'de>>>,
    quoted: Option<Box<Tweet<'de>>>,
    quote_announced: bool,
    quoted_id_str: Scalar<'de>,
    quoted_id: Scalar<'de>,
    permalink: Option<Box<Url<'de>>>,
    place: Option<Place>,
    coordinates: Option<Point>,
    geo: Option<Point>,
    flags: PostFlags,
    counts: Engagement,
    versions: Vec<String>,
    withheld: Option<Box<Withheld>>,
    /// A field that other messages have and tweets do not.
    foreign: bool,
    /// An envelope.
    wrapped: bool,
    /// Fields of one's own stand beside it.
    has_fields: bool,
}

impl<'de> Fields<'de> for Tweet<'de> {
    takes! {
        (self, key, field);
        "id_str" => self.id_str = field.scalar()?,
        "id" => self.id = field.scalar()?,
        "text" => self.text = field.raw()?,
        "full_text" => self.full_text = field.raw()?,
        // What a retweet's outer tweet repeats of its original, cut, is not read.
        "extended_tweet" | "entities" | "extended_entities" if self.retweeted.is_some() => field.skip()?,
        "extended_tweet" => {
            self.extended = field.object::<Box<Extended<'_>>>()?.filter(|e| e.full_text.is_some());
        },
        "entities" => self.entities = field.object()?,
        "extended_entities" => self.extended_entities = field.object()?,
        "user" => self.user = field.object()?,
        "created_at" => self.created_at = field.text()?.and_then(|t| time::parse(&t)),
        "timestamp_ms" => self.timestamp = field.count()?.and_then(|ms| Millis::try_from(ms).ok()),
        "source" => self.source = field.text_of(Part::Source)?,
        "lang" => self.lang = field.string()?,
        "metadata" => self.search_lang = field.object::<Metadata>()?.and_then(|m| m.language),
        "in_reply_to_status_id_str" => self.reply_id_str = field.scalar()?,
        "in_reply_to_status_id" => self.reply_id = field.scalar()?,
        "in_reply_to_user_id_str" => self.reply_user_id_str = field.scalar()?,
        "in_reply_to_user_id" => self.reply_user_id = field.scalar()?,
        "in_reply_to_screen_name" => self.reply_handle = field.string()?,
        "conversation_id_str" | "conversation_id" => {
            self.conversation = Some(field.scalar()?.into_id()).filter(|id| !id.is_empty());
        },
        "retweeted_status" => {
            let original = field.object::<Box<Self>>()?;
            (self.retweeted, self.announced) = match original {
                Some(original) if original.has_text() => (Some(original), None),
                other => (None, other),
            };
        },
        // A retweet's outer tweet repeats the quote that its original carries.
        "quoted_status" if self.carries_quote() => field.skip()?,
        "quoted_status" => self.quoted = field.object()?,
        "is_quote_status" => self.quote_announced = field.flag()?,
        "quoted_status_id_str" => self.quoted_id_str = field.scalar()?,
        "quoted_status_id" => self.quoted_id = field.scalar()?,
        "quoted_status_permalink" => self.permalink = field.object()?,
        "place" => self.place = field.object()?,
        "coordinates" => self.coordinates = position(field, point)?,
        "geo" => self.geo = position(field, |a, b| point(b, a))?,
        "possibly_sensitive" => self.flags.sensitive = field.flag()?,
        "nullcast" => self.flags.nullcast |= field.flag()?,
        "scopes" => {
            let scopes = field.object::<Scopes>()?.unwrap_or_default();
            self.flags.nullcast |= scopes.promoted_only;
        },
        "self_thread" => self.flags.self_thread = field.object::<super::entities::Anything>()?.is_some(),
        "card" => {
            let card = field.object::<Card<'_>>()?.unwrap_or_default();
            self.flags.poll |= card.name.starts_with("poll");
        },
        "edit_history" => self.versions = field.object::<Versions>()?.unwrap_or_default().0,
        "favorite_count" => self.counts.likes = field.count()?,
        "retweet_count" => self.counts.retweets = field.count()?,
        "reply_count" => self.counts.replies = field.count()?,
        "quote_count" => self.counts.quotes = field.count()?,
        "withheld_in_countries" | "withheld_copyright" | "withheld_scope" => {
            self.withheld.get_or_insert_default().take(key, field)?;
        },
        "for_user" => {
            self.wrapped = true;
            field.skip()?;
        },
        "attr" => {
            self.has_fields = true;
            field.skip()?;
        },
        "author_id" | "author" | "actor" | "account" | "sender" | "event" | "record" | "verb" | "did"
        | "$type" | "data" | "username" => {
            self.foreign = true;
            field.skip()?;
        },
    }
}

fn position<'de, A: MapAccess<'de>>(
    field: Field<'_, A>,
    order: impl Fn(f64, f64) -> Option<Point>,
) -> Result<Option<Point>, A::Error> {
    let shape = field.object::<Geometry>()?;
    Ok(shape.and_then(|shape| match shape.coordinates.as_slice() {
        [a, b] => order(*a, *b),
        _ => None,
    }))
}

impl<'de> Tweet<'de> {
    /// Whether there is a text to filter.
    fn has_text(&self) -> bool {
        self.text.is_some() || self.full_text.is_some() || self.extended.is_some()
    }

    /// Whether it is a tweet, and no message of another kind that shares some fields with it.
    pub(in super::super) fn is_tweet(&self) -> bool {
        let told = self.user.is_some()
            || !self.foreign
                && (self.created_at.is_some()
                    || self.id_str != Scalar::None
                    || self.entities.is_some()
                    || self.retweeted.is_some()
                    || self.full_text.is_some());
        told && self.has_text() && !self.wrapped
    }

    /// Whether fields of one's own stand beside it.
    pub(in super::super) fn has_fields(&self) -> bool {
        self.has_fields
    }

    /// What it says beside the post, of what it carries too.
    pub(in super::super) fn also(&self) -> Vec<Event> {
        let mut found = Vec::new();
        self.say(&mut found);
        found
    }

    fn say(&self, found: &mut Vec<Event>) {
        let user = self.user.as_ref().filter(|user| user.withheld.is_some());
        if self.versions.len() > 1 || self.withheld.is_some() || user.is_some() {
            let id = either(self.id_str.clone(), self.id.clone());
            let author = self.user.as_ref().map(|user| user.known()).unwrap_or_default();
            withheld::versions(found, &id, &author, &self.versions);
            if let Some(mark) = &self.withheld {
                withheld::post(found, &id, &author, mark);
            }
            if let Some(mark) = user.and_then(|user| user.withheld.as_ref()) {
                withheld::user(found, &author, mark);
            }
        }
        for carried in [&self.retweeted, &self.announced, &self.quoted].into_iter().flatten() {
            carried.say(found);
        }
    }

    /// The post.
    pub(in super::super) fn post(mut self) -> Result<Post, json::Error> {
        let mut retweet_of = match self.retweeted.take() {
            Some(mut original) => {
                // Some tell beside the retweet alone what the original quotes, by which its link is known to be the quote's.
                if original.quoted.is_none() {
                    original.quoted = self.quoted.take();
                }
                Some(carried(retweet::original(original.post()?)))
            }
            None => self.announced.take().and_then(|original| original.announcement()),
        };
        let whole = retweet_of.as_ref().is_none_or(|original| original.post.is_none());
        let id = either(std::mem::take(&mut self.id_str), std::mem::take(&mut self.id));
        let quote_of = if whole { self.quote()? } else { None };
        let (mut text, mut entities) =
            if whole { self.content(&id, quote_of.as_deref())? } else { Default::default() };
        if let Some(original) = retweet_of.as_mut().filter(|_| whole) {
            retweet::uncover(&mut text, &mut entities, original);
        }
        let reply = ReplyTo {
            id: either(self.reply_id_str, self.reply_id),
            account: Account {
                id: either(self.reply_user_id_str, self.reply_user_id),
                handle: self.reply_handle.unwrap_or_default(),
            },
        };
        let reply_to = (reply != ReplyTo::default()).then_some(reply);
        let author = self.user.map(|user| user.author()).unwrap_or_default();
        let mut flags = self.flags;
        flags.edited = self.versions.first().is_some_and(|first| *first != id);
        flags.self_thread |= reply_to
            .as_ref()
            .is_some_and(|reply| !reply.id.is_empty() && same(&reply.account, &author.account));
        Ok(Post {
            network: super::NETWORK.to_owned(),
            created_at: self.timestamp.or(self.created_at),
            author,
            text,
            warning: None,
            lang: self.lang.or(self.search_lang),
            entities,
            source: self.source.map(|source| html::without_tags(&source)).filter(|name| !name.is_empty()),
            reply_to,
            conversation_id: self.conversation,
            retweet_of,
            quote_of,
            place: self.place.map(|place| place.0),
            coordinates: self.coordinates.or(self.geo),
            flags,
            counts: self.counts,
            id,
            ..Post::default()
        })
    }

    /// What an original without text tells of itself, if that is anything.
    fn announcement(self) -> Option<Box<Reference>> {
        let id = either(self.id_str, self.id);
        let account = self.user.map(|user| user.author().account).unwrap_or_default();
        let reference = Reference { id, account, post: None };
        (reference != Reference::default()).then(|| Box::new(reference))
    }

    fn carries_quote(&self) -> bool {
        self.retweeted.as_ref().is_some_and(|original| original.quoted.is_some())
    }

    fn quote(&mut self) -> Result<Option<Box<Reference>>, json::Error> {
        if let Some(quoted) = self.quoted.take() {
            return quoted.post().map(|post| Some(carried(post)));
        }
        let id = either(std::mem::take(&mut self.quoted_id_str), std::mem::take(&mut self.quoted_id));
        let announced = self.quote_announced || !id.is_empty();
        Ok(announced.then(|| Box::new(Reference { id, ..Reference::default() })))
    }

    /// The decoded text and what stands in it.
    fn content(
        &mut self,
        id: &str,
        quote: Option<&Reference>,
    ) -> Result<(String, post::Entities), json::Error> {
        let extended = self.extended.take().map(|extended| *extended);
        let (escaped, entities, more) = match extended {
            Some(extended) => (extended.full_text, extended.entities, extended.extended_entities),
            None => (
                self.full_text.take().or(self.text.take()),
                self.entities.take(),
                self.extended_entities.take(),
            ),
        };
        let escaped = escaped.map(Raw::decode).transpose()?.unwrap_or_default();
        let more = more.map(|more| more.media).unwrap_or_default();
        self.flags.poll |= entities.as_ref().is_some_and(|entities| entities.poll);
        let given = entities.is_some();
        let entities = entities.map(|entities| *entities).unwrap_or_default();
        if entities.is_empty() && more.is_empty() {
            let text = html::unescape(escaped).into_owned();
            let entities = if given { post::Entities::default() } else { text::entities(&text) };
            return Ok((text, entities));
        }
        let offsets = Offsets::of_escaped(&escaped);
        let text = html::unescape(escaped).into_owned();
        let quoted = quote.map(Reference::id).unwrap_or_default();
        let permalink = self.permalink.as_deref();
        let leads = |url: &Url<'_>, id: &str| url.expanded.as_deref().is_some_and(|to| leads_to(to, id));
        let quote_link = |url: &Url<'_>| {
            permalink.is_some_and(|link| !link.url.is_empty() && link.url == url.url) || leads(url, quoted)
        };
        let own_link = |url: &Url<'_>| leads(url, id);
        let mut entities = entities.convert(
            more,
            &Surroundings { text: &text, offsets: &offsets, quote_link: &quote_link, own_link: &own_link },
        );
        if !given {
            let found = text::entities(&text);
            (entities.hashtags, entities.cashtags) = (found.hashtags, found.cashtags);
            (entities.mentions, entities.links) = (found.mentions, found.links);
            let others: HashSet<_> = entities.other_links.iter().collect();
            entities.links.retain(|link| link.span.is_none_or(|span| !others.contains(&span)));
        }
        Ok((text, entities))
    }
}

/// The id as a string where it is one: numbers are rounded by some who wrote them.
fn either(string: Scalar<'_>, number: Scalar<'_>) -> String {
    let id = string.into_id();
    if id.is_empty() { number.into_id() } else { id }
}

fn carried(post: Post) -> Box<Reference> {
    Box::new(Reference { post: Some(post), ..Reference::default() })
}

/// Whether two objects are known to name one account.
fn same(a: &Account, b: &Account) -> bool {
    match (a.id.is_empty() || b.id.is_empty(), a.handle.is_empty() || b.handle.is_empty()) {
        (false, _) => a.id == b.id,
        (true, false) => a.handle.eq_ignore_ascii_case(&b.handle),
        (true, true) => false,
    }
}

/// Whether a link leads to a medium of a tweet.
pub(in super::super) fn is_media_link(link: &str) -> bool {
    let mut parts = link.rsplitn(4, '/');
    let number = parts.next().is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    number
        && matches!(parts.next(), Some("photo" | "video"))
        && parts
            .next()
            .is_some_and(|id| parts.next().is_some_and(|before| leads_to(&format!("{before}/{id}"), id)))
}

/// Whether a link leads to the tweet of this id.
pub(in super::super) fn leads_to(link: &str, id: &str) -> bool {
    if id.is_empty() || !link.contains(id) {
        return false;
    }
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let host = path.split("//").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    matches!(host, "twitter.com" | "www.twitter.com" | "mobile.twitter.com" | "x.com" | "www.x.com")
        && path.trim_end_matches('/').rsplit_once('/').is_some_and(|(before, last)| {
            last == id && (before.ends_with("/status") || before.ends_with("/statuses"))
        })
}

/// The whole of a cut text.
#[derive(Default)]
struct Extended<'de> {
    full_text: Option<Raw<'de>>,
    entities: Option<Box<Entities<'de>>>,
    extended_entities: Option<Box<Entities<'de>>>,
}

impl<'de> Fields<'de> for Extended<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match key {
            "full_text" => self.full_text = field.raw()?,
            "entities" => self.entities = field.object()?,
            "extended_entities" => self.extended_entities = field.object()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct Metadata {
    language: Option<String>,
}

impl<'de> Fields<'de> for Metadata {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match key {
            "iso_language_code" => self.language = field.string()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// Who may see it: promoted tweets are kept from followers.
#[derive(Default)]
struct Scopes {
    promoted_only: bool,
}

impl<'de> Fields<'de> for Scopes {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match key {
            "followers" => self.promoted_only = field.scalar()? == Scalar::Flag(false),
            _ => field.skip()?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct Card<'de> {
    name: Cow<'de, str>,
}

impl<'de> Fields<'de> for Card<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match key {
            "name" => self.name = field.text()?.unwrap_or_default(),
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// Ids of a tweet's versions, the first one first.
#[derive(Default)]
struct Versions(Vec<String>);

impl<'de> Fields<'de> for Versions {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match key {
            "edit_tweet_ids" => self.0 = field.ids()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}
