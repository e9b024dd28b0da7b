//! Tweets of X's API v2: alone, in pages, with or without what they refer to, or flattened into one object; and what its
//! compliance streams say.
//!
//! Text is HTML-escaped here too, and the numbers count code points of the escaped text.

use std::collections::HashMap;

use tweetfilter_core::post::{
    Account, Annotation, Author, Engagement, Media, MediaKind, Place, Point, Post, PostFlags, Reference,
    ReplyTo,
};
use tweetfilter_core::text;

use super::compliance;
use super::html::{self, Offsets};
use super::retweet;
use super::v1::{self, Entities, Geometry, Surroundings, Url, Urls};
use super::view::View;
use super::withheld::{self, Withheld};
use crate::Event;

/// Posts inside each other that are read.
const NESTED: u8 = 4;

/// The event of a page, a stream's line or a flattened tweet.
pub(super) fn event(message: &View<'_>) -> Option<Event> {
    if message.has("text") && (message.has("author_id") || message.has("author")) {
        return Some(said(message, &Includes::default()));
    }
    if message.has("username") && message.has("public_metrics") {
        return Some(Event::Other { kind: "user".to_owned() });
    }
    match message.raw("data") {
        Some(data) => {
            let includes = Includes::of(&message.object("includes"));
            let item = |item: &View<'_>| match item.has("text") {
                true => said(item, &includes),
                false => compliance::event(item).unwrap_or_else(|| Event::Other { kind: "user".to_owned() }),
            };
            Some(match data.starts_with('[') {
                true => Event::Several(message.list("data").iter().map(item).collect()),
                false => item(&View::of(data)),
            })
        }
        None if message.has("errors") => {
            let error = message.list("errors").into_iter().next().unwrap_or_default();
            let words = ["detail", "message", "title"].map(|key| error.text(key));
            let found = words.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
            Some(Event::Failure { message: found.into_owned() })
        }
        None if message.has("meta") => Some(Event::Several(Vec::new())),
        None => None,
    }
}

/// A post with what its payload says beside it.
fn said(tweet: &View<'_>, includes: &Includes<'_>) -> Event {
    let mut also = Vec::new();
    say(tweet, includes, NESTED, &mut also);
    super::post_and(post(tweet, includes, NESTED), also)
}

fn say(tweet: &View<'_>, includes: &Includes<'_>, depth: u8, found: &mut Vec<Event>) {
    let id = tweet.id("id");
    let inlined = tweet.some_object("author");
    let user = inlined.as_ref().or_else(|| includes.users.get(&tweet.id("author_id")));
    let account = match user {
        Some(user) => Account { id: user.id("id"), handle: user.id("username") },
        None => Account { id: tweet.id("author_id"), handle: String::new() },
    };
    withheld::versions(found, &id, &account, &tweet.ids("edit_history_tweet_ids"));
    if let Some(mark) = mark(tweet) {
        withheld::post(found, &id, &account, &mark);
    }
    if let Some(mark) = user.and_then(mark) {
        withheld::user(found, &account, &mark);
    }
    let Some(depth) = depth.checked_sub(1) else { return };
    for reference in tweet.list("referenced_tweets") {
        if !matches!(&*reference.text("type"), "retweeted" | "quoted") {
            continue;
        }
        let included = includes.tweets.get(&reference.id("id"));
        if let Some(carried) = if reference.has("text") { Some(&reference) } else { included } {
            say(carried, includes, depth, found);
        }
    }
}

/// Where a tweet or a user is withheld.
fn mark(of: &View<'_>) -> Option<Withheld> {
    let mark = of.some_object("withheld")?;
    Some(Withheld {
        countries: mark.ids("country_codes"),
        copyright: mark.flag("copyright"),
        of_author: mark.text("scope") == "user",
    })
}

/// What the tweets of a page refer to.
#[derive(Default)]
struct Includes<'a> {
    tweets: HashMap<String, View<'a>>,
    users: HashMap<String, View<'a>>,
    media: HashMap<String, View<'a>>,
    places: HashMap<String, View<'a>>,
}

impl<'a> Includes<'a> {
    fn of(includes: &View<'a>) -> Self {
        let by = |list: &str, key: &str| {
            includes.list(list).into_iter().map(|item| (item.id(key), item)).collect()
        };
        Self {
            tweets: by("tweets", "id"),
            users: by("users", "id"),
            media: by("media", "media_key"),
            places: by("places", "id"),
        }
    }
}

fn post(tweet: &View<'_>, includes: &Includes<'_>, depth: u8) -> Post {
    let id = tweet.id("id");
    let author = match tweet.some_object("author") {
        Some(user) => author(&user),
        None => known_author(tweet.id("author_id"), includes),
    };
    let (mut retweet_of, mut quote_of, mut answered) = (None, None, String::new());
    for reference in tweet.list("referenced_tweets") {
        match &*reference.text("type") {
            "retweeted" => retweet_of = Some(referenced(&reference, includes, depth)),
            "quoted" => quote_of = Some(referenced(&reference, includes, depth)),
            "replied_to" => answered = reference.id("id"),
            _ => {}
        }
    }
    let carried = retweet_of.as_ref().is_some_and(|reference| reference.post.is_some());
    let metrics = tweet.object("public_metrics");
    let geo = tweet.object("geo");
    let versions = tweet.ids("edit_history_tweet_ids");
    let attachments = tweet.object("attachments");
    let (mut text, mut entities) = match carried {
        true => Default::default(),
        false => content(tweet, &id, quote_of.as_deref()),
    };
    if !carried {
        entities.media = media(&attachments, includes);
        if let Some(original) = &mut retweet_of {
            retweet::uncover(&mut text, &mut entities, original);
        }
    }
    let reply_to = reply(tweet, answered, includes);
    let flags = PostFlags {
        sensitive: tweet.flag("possibly_sensitive"),
        edited: versions.first().is_some_and(|first| *first != id),
        self_thread: reply_to.as_ref().is_some_and(|reply| {
            !(reply.id.is_empty() || reply.account.id.is_empty()) && reply.account.id == author.account.id
        }),
        nullcast: tweet.flag("nullcast"),
        poll: attachments.has("poll") || attachments.has("poll_ids"),
    };
    Post {
        network: v1::NETWORK.to_owned(),
        created_at: tweet.time("created_at"),
        author,
        text,
        lang: tweet.string("lang"),
        entities,
        source: tweet.string("source"),
        reply_to,
        conversation_id: tweet.string("conversation_id"),
        retweet_of,
        quote_of,
        place: place(&geo, includes),
        coordinates: point(&geo),
        flags,
        counts: Engagement {
            likes: metrics.count("like_count"),
            retweets: metrics.count("retweet_count"),
            replies: metrics.count("reply_count"),
            quotes: metrics.count("quote_count"),
        },
        annotations: annotations(tweet),
        id,
        ..Post::default()
    }
}

fn known_author(id: String, includes: &Includes<'_>) -> Author {
    match includes.users.get(&id) {
        Some(user) => author(user),
        None => Author { account: Account { id, handle: String::new() }, ..Author::default() },
    }
}

fn author(user: &View<'_>) -> Author {
    let metrics = user.object("public_metrics");
    let bio = user.string("description");
    let links = user.object("entities").keep::<Urls<'_>>("description").unwrap_or_default().urls;
    let offsets = Offsets::of_plain(bio.as_deref().unwrap_or_default());
    let bio_links =
        links.into_iter().map(|url| url.link(bio.as_deref().unwrap_or_default(), &offsets)).collect();
    Author {
        account: Account { id: user.id("id"), handle: user.id("username") },
        name: user.string("name"),
        bio,
        bio_links,
        location: user.string("location"),
        followers: metrics.count("followers_count"),
        following: metrics.count("following_count"),
        posts: metrics.count("tweet_count"),
        listed: metrics.count("listed_count"),
        created_at: user.time("created_at"),
        verified: user.flag("verified") || !matches!(&*user.text("verified_type"), "" | "none"),
        protected: user.flag("protected"),
        ..Author::default()
    }
}

/// A referenced tweet: inlined (flattened), included, or only announced.
fn referenced(reference: &View<'_>, includes: &Includes<'_>, depth: u8) -> Box<Reference> {
    let id = reference.id("id");
    let Some(depth) = depth.checked_sub(1) else {
        return Box::new(Reference { id, ..Reference::default() });
    };
    let tweet = if reference.has("text") { Some(reference) } else { includes.tweets.get(&id) };
    let post = tweet.map(|tweet| post(tweet, includes, depth));
    let account = known_author(reference.id("author_id"), includes).account;
    Box::new(Reference { id, account, post })
}

fn reply(tweet: &View<'_>, id: String, includes: &Includes<'_>) -> Option<ReplyTo> {
    let account = match tweet.some_object("in_reply_to_user") {
        Some(user) => Account { id: user.id("id"), handle: user.id("username") },
        None => known_author(tweet.id("in_reply_to_user_id"), includes).account,
    };
    let reply = ReplyTo { id, account };
    (reply != ReplyTo::default()).then_some(reply)
}

fn content(
    tweet: &View<'_>,
    id: &str,
    quote: Option<&Reference>,
) -> (String, tweetfilter_core::post::Entities) {
    // A long tweet has its whole text apart.
    let whole = tweet.some_object("note_tweet").filter(|note| note.has("text"));
    let holder = whole.as_ref().unwrap_or(tweet);
    let escaped = holder.text("text");
    let offsets = Offsets::of_escaped(&escaped);
    let text = html::unescape(escaped).into_owned();
    let Some(entities) = holder.keep::<Entities<'_>>("entities") else {
        let entities = text::entities(&text);
        return (text, entities);
    };
    let quoted = quote.map(Reference::id).unwrap_or_default();
    let quote_link = |url: &Url<'_>| v1::leads_to(url.expanded.as_deref().unwrap_or_default(), quoted);
    let own_link = |url: &Url<'_>| {
        let to = url.expanded.as_deref().unwrap_or_default();
        v1::leads_to(to, id) || v1::is_media_link(to)
    };
    let around =
        Surroundings { text: &text, offsets: &offsets, quote_link: &quote_link, own_link: &own_link };
    let entities = entities.convert(Vec::new(), &around);
    (text, entities)
}

fn media(attachments: &View<'_>, includes: &Includes<'_>) -> Vec<Media> {
    let of =
        |medium: &View<'_>| Media { kind: v1::kind(&medium.text("type")), alt: medium.string("alt_text") };
    let inlined = attachments.list("media");
    if !inlined.is_empty() {
        return inlined.iter().map(of).collect();
    }
    let keys = attachments.ids("media_keys");
    keys.iter().map(|key| includes.media.get(key).map_or_else(|| unknown_medium(key), of)).collect()
}

/// A medium of which only the key is there: its number tells the kind.
fn unknown_medium(key: &str) -> Media {
    let kind = match key.split('_').next() {
        Some("3") => MediaKind::Image,
        Some("7" | "13") => MediaKind::Video,
        Some("16") => MediaKind::Gif,
        _ => MediaKind::Other,
    };
    Media { kind, alt: None }
}

fn place(geo: &View<'_>, includes: &Includes<'_>) -> Option<Place> {
    let id = geo.first_id(&["place_id", "id"]);
    let place = match includes.places.get(&id) {
        Some(place) => place,
        None if geo.has("full_name") => geo,
        None if id.is_empty() => return None,
        None => return Some(Place { id, ..Place::default() }),
    };
    let mut names: Vec<_> = [place.string("name"), place.string("full_name")].into_iter().flatten().collect();
    names.dedup();
    let center = place.keep::<Geometry>("geo").and_then(|shape| v1::center(&shape.bbox));
    let (country, country_code) = (place.string("country"), place.string("country_code"));
    Some(Place { id, names, country, country_code, center })
}

fn point(geo: &View<'_>) -> Option<Point> {
    match geo.keep::<Geometry>("coordinates")?.coordinates.as_slice() {
        [lon, lat] => v1::point(*lon, *lat),
        _ => None,
    }
}

fn annotations(tweet: &View<'_>) -> Vec<Annotation> {
    let known = tweet.list("context_annotations").into_iter().map(|annotation| {
        let (domain, entity) = (annotation.object("domain"), annotation.object("entity"));
        Annotation { domain: domain.id("id"), entity: entity.id("id"), name: entity.id("name") }
    });
    let named = tweet
        .object("entities")
        .list("annotations")
        .into_iter()
        .map(|annotation| Annotation { name: annotation.id("normalized_text"), ..Annotation::default() });
    known.chain(named).collect()
}
