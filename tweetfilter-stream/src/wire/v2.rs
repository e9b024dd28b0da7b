//! Tweets of X's API v2: alone, in pages, with or without what they refer to, or flattened into one object; and what its
//! compliance streams say.
//!
//! Text is HTML-escaped here too, and the numbers count code points of the escaped text.

use std::collections::HashSet;

use tweetfilter_core::post::{
    Account, Annotation, Author, Engagement, Media, MediaKind, Place, Point, Post, PostFlags, Reference,
    ReplyTo,
};
use tweetfilter_core::text;

use super::html::{self, Offsets};
use super::includes::Includes;
use super::room::Room;
use super::v1::{self, Entities, Geometry, Surroundings, Url, Urls};
use super::view::View;
use super::withheld::{self, Withheld};
use super::{Inside, Reason, compliance, plain, retweet};
use crate::Event;

/// Posts inside each other that are read.
const NESTED: u8 = 4;

/// The event of a page, a stream's line or a flattened tweet.
pub(super) fn event(message: &View<'_>, inside: Inside<'_>) -> Option<Event> {
    if is_flattened(message) {
        return Some(said(message, &Includes::of(&View::default(), message.length())));
    }
    if message.has("username") && message.has("public_metrics") {
        return Some(Event::Other { kind: "user".to_owned() });
    }
    match message.raw("data") {
        Some(data) => {
            let includes = Includes::of(&message.object("includes"), message.length());
            let item = |item: &View<'_>| match item.has("text") {
                true => plain::with_fields(said(item, &includes), item),
                false => compliance::event(item).unwrap_or_else(|| Event::Other { kind: "user".to_owned() }),
            };
            Some(match data.starts_with('[') {
                true => inside.page(message.list("data"), |tweet| item(&tweet)),
                false => item(&View::of(data)),
            })
        }
        None if message.has("errors") => Some(failure(&message.list("errors").next().unwrap_or_default())),
        None if message.has("meta") => Some(Event::Several(Vec::new())),
        None => is_problem(message).then(|| failure(message)),
    }
}

/// Whether a message is a post whose author stands in it, as tools write them that take pages apart.
pub(super) fn is_flattened(message: &View<'_>) -> bool {
    message.has("text") && (message.has("author_id") || message.has("author"))
}

fn failure(error: &View<'_>) -> Event {
    let words = ["detail", "message", "title"].map(|key| error.text(key));
    let found = words.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    Event::Failure { message: found.into_owned() }
}

/// Whether it is an error that comes in no list of them: something with a title, and with what only problems have.
fn is_problem(message: &View<'_>) -> bool {
    let kind = message.text("type");
    let is_titled = !message.text("title").is_empty();
    let has_status = || message.count("status").is_some_and(|status| (400..600).contains(&status));
    let has_kind = || kind == "about:blank" || kind.contains("/problems/");
    is_titled && (has_status() || has_kind() || message.has("connection_issue"))
}

/// A post with what its payload says beside it. One that would lack something it refers to is none.
fn said(tweet: &View<'_>, includes: &Includes<'_>) -> Event {
    if !includes.is_spent() {
        let mut also = Vec::new();
        let post = post(tweet, includes, NESTED, &mut also);
        if !includes.is_spent() {
            return super::post_and(post, also);
        }
    }
    let why = "the users, media and posts that are referred to again and again take too much memory";
    Event::Unreadable(Reason::TooLarge.because(why))
}

/// Bytes of an event that names an author, and countries where there are any.
fn told(event: &Event, author: &Account) -> usize {
    let countries = match event {
        Event::StatusWithheld { countries, .. } | Event::UserWithheld { countries, .. } => {
            countries.as_slice()
        }
        _ => &[],
    };
    let countries: usize = countries.iter().map(|country| country.len() + 2 * size_of::<String>()).sum();
    countries + author.id.len() + author.handle.len()
}

/// Adds what a payload says beside its post, which has these versions.
fn say(
    tweet: &View<'_>,
    user: Option<&View<'_>>,
    (id, author): (&str, &Account),
    versions: &[String],
    also: &mut Vec<Event>,
) {
    withheld::versions(also, id, author, versions);
    if let Some(mark) = mark(tweet) {
        withheld::post(also, id, author, &mark);
    }
    if let Some(mark) = user.and_then(mark) {
        withheld::user(also, author, &mark);
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

/// What a tweet refers to: of each kind the last.
#[derive(Default)]
struct References<'a> {
    retweeted: Option<View<'a>>,
    quoted: Option<View<'a>>,
    answered: String,
}

impl<'a> References<'a> {
    fn of(tweet: &View<'a>) -> Self {
        let mut found = Self::default();
        for reference in tweet.list("referenced_tweets") {
            match &*reference.text("type") {
                "retweeted" => found.retweeted = Some(reference),
                "quoted" => found.quoted = Some(reference),
                "replied_to" => found.answered = reference.id("id"),
                _ => {}
            }
        }
        found
    }
}

/// The post, and in `also` what it and those that it carries say beside it.
fn post(tweet: &View<'_>, includes: &Includes<'_>, depth: u8, also: &mut Vec<Event>) -> Post {
    let id = tweet.id("id");
    let inlined = tweet.some_object("author");
    let user = inlined.as_ref().or_else(|| includes.user(&tweet.id("author_id")));
    let author = match user {
        Some(user) => author(user),
        None => Author {
            account: Account { id: tweet.id("author_id"), ..Account::default() },
            ..Author::default()
        },
    };
    let versions = tweet.ids("edit_history_tweet_ids");
    let before = also.len();
    say(tweet, user, (id.as_str(), &author.account), &versions, also);
    includes.spend(also[before..].iter().map(|event| told(event, &author.account)).sum());
    let References { retweeted, quoted, answered } = References::of(tweet);
    let mut retweet_of =
        retweeted.map(|reference| Box::new(original(referenced(&reference, includes, depth, also))));
    let quote_of = quoted.map(|reference| Box::new(referenced(&reference, includes, depth, also)));
    let carried = retweet_of.as_ref().is_some_and(|reference| reference.post.is_some());
    let metrics = tweet.object("public_metrics");
    let geo = tweet.object("geo");
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
fn referenced(reference: &View<'_>, includes: &Includes<'_>, depth: u8, also: &mut Vec<Event>) -> Reference {
    let id = reference.id("id");
    let Some(depth) = depth.checked_sub(1) else {
        return Reference { id, ..Reference::default() };
    };
    let tweet = if reference.has("text") { Some(reference) } else { includes.tweet(&id) };
    let post = tweet.map(|tweet| post(tweet, includes, depth, also));
    let account = includes.account(reference.id("author_id"));
    Reference { id, account, post }
}

/// What a retweet is of: not of a retweet, but of what that is of.
fn original(retweeted: Reference) -> Reference {
    let Reference { id, account, post } = retweeted;
    match post.map(retweet::original) {
        Some(post) if !post.id.is_empty() && post.id != id => {
            Reference { id: post.id.clone(), account: Account::default(), post: Some(post) }
        }
        post => Reference { id, account, post },
    }
}

fn reply(tweet: &View<'_>, id: String, includes: &Includes<'_>) -> Option<ReplyTo> {
    let account = match tweet.some_object("in_reply_to_user") {
        Some(user) => Account { id: user.id("id"), handle: user.id("username") },
        None => includes.account(tweet.id("in_reply_to_user_id")),
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
    let room = Room::of(attachments.length());
    let inlined = attachments.list("media").take_while(|_| room.holds::<Media>());
    let inlined: Vec<_> = inlined.map(|medium| of(&medium)).collect();
    if !inlined.is_empty() {
        return inlined;
    }
    // Whoever names one again means the same.
    let mut named = HashSet::new();
    let once = attachments.each_id("media_keys").filter(|key| named.insert(key.clone()));
    let once = once.take_while(|_| room.holds::<(Media, String)>());
    once.map(|key| includes.medium(&key).map_or_else(|| unknown_medium(&key), of)).collect()
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
    let place = match includes.place(&id) {
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
    let room = Room::of(tweet.length());
    let known = tweet.list("context_annotations").map(|annotation| {
        let (domain, entity) = (annotation.object("domain"), annotation.object("entity"));
        Annotation { domain: domain.id("id"), entity: entity.id("id"), name: entity.id("name") }
    });
    let named = tweet
        .object("entities")
        .list("annotations")
        .map(|annotation| Annotation { name: annotation.id("normalized_text"), ..Annotation::default() });
    known.chain(named).take_while(|_| room.holds::<Annotation>()).collect()
}
