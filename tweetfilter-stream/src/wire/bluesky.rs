//! Bluesky: posts as records, as the app's views, and the events of Jetstream.
//!
//! A record says nothing of its author beyond the repository that it is in.

mod facets;

use tweetfilter_core::post::{
    Account, Author, Engagement, Entities, Link, Media, MediaKind, Millis, Post, PostFlags, Reference,
    ReplyTo, Tag,
};
use tweetfilter_core::text;

use super::room::Room;
use super::view::View;
use crate::Event;

/// The network's name in posts.
const NETWORK: &str = "bluesky";

/// The collection of posts in a repository.
const POSTS: &str = "app.bsky.feed.post";

/// Posts inside each other that are read.
const NESTED: u8 = 4;

/// The event of a Jetstream message.
pub(super) fn event(message: &View<'_>) -> Event {
    let did = message.id("did");
    let at = message.count("time_us").and_then(millis);
    let account = || Account { id: did.clone(), handle: String::new() };
    match &*message.text("kind") {
        "commit" => commit(&did, &message.object("commit"), message.count("time_us")),
        "identity" => {
            let identity = message.object("identity");
            Event::Identity { account: Account { handle: identity.id("handle"), ..account() }, at }
        }
        "account" => {
            let state = message.object("account");
            let active = state.flag("active");
            // One state is told: who is active is so whatever was said before, and whatever else is said of it.
            let status = if active { String::new() } else { state.id("status") };
            Event::AccountStatus { network: NETWORK.to_owned(), account: account(), active, status, at }
        }
        other => Event::Other { kind: other.to_owned() },
    }
}

fn commit(did: &str, commit: &View<'_>, time: Option<u64>) -> Event {
    let collection = commit.text("collection");
    if collection != POSTS {
        return Event::Other { kind: collection.into_owned() };
    }
    let uri = format!("at://{did}/{POSTS}/{}", commit.id("rkey"));
    match (&*commit.text("operation"), commit.some_object("record")) {
        ("create", Some(record)) => Event::Post(Box::new(post(&record, uri, did_account(did), NESTED))),
        ("update", Some(record)) => {
            let mut post = post(&record, uri, did_account(did), NESTED);
            post.flags.edited = true;
            // The same from every server of the stream, which each have a time of their own.
            post.edited_at = made(&commit.text("rev")).or(time.and_then(millis));
            Event::Edit(Box::new(post))
        }
        ("delete", _) => Event::Delete {
            network: NETWORK.to_owned(),
            id: uri,
            author: did_account(did),
            at: time.and_then(millis),
        },
        _ => Event::Other { kind: collection.into_owned() },
    }
}

/// Of microseconds.
fn millis(micros: u64) -> Option<Millis> {
    Millis::try_from(micros / 1000).ok()
}

/// When a revision of a repository was made: 13 digits of base 32, of which the last ten bits tell clocks apart, and
/// those before count microseconds. A later revision has a greater one.
fn made(revision: &str) -> Option<Millis> {
    const DIGITS: &str = "234567abcdefghijklmnopqrstuvwxyz";
    let mut number: u64 = 0;
    for digit in revision.chars() {
        number = number.checked_mul(32)?.checked_add(DIGITS.find(digit)? as u64)?;
    }
    (revision.len() == 13).then_some(number >> 10).and_then(millis)
}

/// Whether an object is the bare record of a post.
pub(super) fn is_record(object: &View<'_>) -> bool {
    object.text("$type") == POSTS
}

/// Whether an object is a post, as a record or as the app's view of one.
pub(super) fn is_post(object: &View<'_>) -> bool {
    is_record(object)
        || (object.has("record") && object.has("author"))
        || object.some_object("post").is_some()
}

/// The post of a bare record, of a view, or of an entry of a feed.
pub(super) fn bare(object: &View<'_>) -> Post {
    if let Some(post) = object.some_object("post") {
        let mut post = view(&post);
        name_answered(&mut post, &object.object("reply").object("parent").object("author"));
        return post;
    }
    match object.has("record") {
        true => view(object),
        false => post(object, object.id("uri"), Account::default(), NESTED),
    }
}

/// Gives whom a post answers the handle that a feed tells beside it: a record has the repository alone.
fn name_answered(post: &mut Post, author: &View<'_>) {
    if let Some(reply) = &mut post.reply_to
        && reply.account.id == author.id("did")
    {
        reply.account.handle = author.id("handle");
    }
}

fn view(view: &View<'_>) -> Post {
    let mut post = post(&view.object("record"), view.id("uri"), Account::default(), NESTED);
    add_view(&mut post, view);
    post.flags.self_thread |= post.reply_to.as_ref().is_some_and(|r| r.account.id == post.author.account.id);
    let embed = view.object("embed");
    let quoted = embed.object("record");
    // With media beside it the quote stands one level deeper.
    let quoted = quoted.some_object("record").unwrap_or(quoted);
    if let (Some(reference), Some(record)) = (&mut post.quote_of, quoted.some_object("value")) {
        let mut quoted_post = self::post(&record, quoted.id("uri"), Account::default(), NESTED - 1);
        add_view(&mut quoted_post, &quoted);
        reference.post = Some(quoted_post);
    }
    post
}

/// What a view says beside the record: of the author, of what others did with the post, and how it was labelled.
fn add_view(post: &mut Post, view: &View<'_>) {
    post.author = author(&view.object("author"));
    post.counts = counts(view);
    post.flags.sensitive |= is_sensitive(view.list("labels"));
}

pub(super) fn author(profile: &View<'_>) -> Author {
    Author {
        account: Account { id: profile.id("did"), handle: profile.id("handle") },
        name: profile.string("displayName"),
        bio: profile.string("description"),
        followers: profile.count("followersCount"),
        following: profile.count("followsCount"),
        posts: profile.count("postsCount"),
        created_at: profile.time("createdAt"),
        verified: profile.object("verification").text("verifiedStatus") == "valid",
        ..Author::default()
    }
}

fn counts(view: &View<'_>) -> Engagement {
    Engagement {
        likes: view.count("likeCount"),
        retweets: view.count("repostCount"),
        replies: view.count("replyCount"),
        quotes: view.count("quoteCount"),
    }
}

fn post(record: &View<'_>, uri: String, account: Account, depth: u8) -> Post {
    let text = record.text("text").into_owned();
    let mut entities = facets::of(record, &text).unwrap_or_else(|| text::entities(&text));
    let room = Room::of(record.length());
    let beside = record.each_id("tags").take_while(|_| room.holds::<Tag>());
    entities.hashtags.extend(beside.map(|text| Tag { text, span: None }));
    let mut quote_of = None;
    embed(&record.object("embed"), &mut entities, &mut quote_of, depth);
    let reply = record.object("reply");
    let reply_to = reply.some_object("parent").map(|parent| {
        let id = parent.id("uri");
        ReplyTo { account: did_account(did_of(&id)), id }
    });
    let root = reply.object("root").id("uri");
    let author = if account.id.is_empty() { did_account(did_of(&uri)) } else { account };
    let flags = PostFlags {
        sensitive: is_sensitive(record.object("labels").list("values")),
        self_thread: reply_to.as_ref().is_some_and(|r| !author.id.is_empty() && r.account.id == author.id),
        ..PostFlags::default()
    };
    Post {
        network: NETWORK.to_owned(),
        created_at: record.time("createdAt"),
        author: Author { account: author, ..Author::default() },
        text,
        lang: record.each_id("langs").next(),
        entities,
        reply_to,
        conversation_id: Some(if root.is_empty() { uri.clone() } else { root }).filter(|id| !id.is_empty()),
        quote_of,
        flags,
        id: uri,
        ..Post::default()
    }
}

/// Whether labels say that not everybody may want to see a post: the author's own, or those of whoever labels posts.
fn is_sensitive<'a>(mut labels: impl Iterator<Item = View<'a>>) -> bool {
    let names = |label: &View<'_>| {
        matches!(&*label.text("val"), "porn" | "sexual" | "nudity" | "graphic-media" | "nsfl" | "gore")
    };
    // One that is negated only says that another holds no longer.
    labels.any(|label| names(&label) && !label.flag("neg"))
}

/// The account of a repository.
fn did_account(did: &str) -> Account {
    Account { id: did.to_owned(), handle: String::new() }
}

/// The repository in `at://did:plc:…/app.bsky.feed.post/…`.
fn did_of(uri: &str) -> &str {
    uri.strip_prefix("at://").and_then(|rest| rest.split('/').next()).unwrap_or_default()
}

fn embed(embed: &View<'_>, entities: &mut Entities, quote_of: &mut Option<Box<Reference>>, depth: u8) {
    let kind = embed.text("$type");
    match kind.strip_prefix("app.bsky.embed.").unwrap_or_default() {
        "images" => {
            let room = Room::of(embed.length());
            let images = embed.list("images").take_while(|_| room.holds::<Media>());
            let of = |image: View<'_>| Media { kind: MediaKind::Image, alt: image.string("alt") };
            entities.media.extend(images.map(of));
        }
        "video" => entities.media.push(Media { kind: MediaKind::Video, alt: embed.string("alt") }),
        "external" => {
            let page = embed.object("external");
            let uri = page.id("uri");
            let (title, description) = (page.string("title"), page.string("description"));
            match entities.links.iter_mut().find(|link| link.expanded.as_deref() == Some(&*uri)) {
                Some(link) => (link.title, link.description) = (title, description),
                None if uri.is_empty() => {}
                None => entities.links.push(Link {
                    url: uri.clone(),
                    expanded: Some(uri),
                    title,
                    description,
                    ..Link::default()
                }),
            }
        }
        "record" => {
            let id = embed.object("record").id("uri");
            // Feeds and lists are embedded in the same way.
            if id.contains("/app.bsky.feed.post/") {
                let account = did_account(did_of(&id));
                *quote_of = Some(Box::new(Reference { id, account, post: None }));
            }
        }
        "recordWithMedia" => {
            if let Some(depth) = depth.checked_sub(1) {
                let quoted = embed.object("record").object("record").id("uri");
                if quoted.contains("/app.bsky.feed.post/") {
                    let account = did_account(did_of(&quoted));
                    *quote_of = Some(Box::new(Reference { id: quoted, account, post: None }));
                }
                self::embed(&embed.object("media"), entities, quote_of, depth);
            }
        }
        _ => {}
    }
}
