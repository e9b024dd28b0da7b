//! Mastodon's statuses, and the messages of its streams.

mod server;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde::de::IgnoredAny;
use tweetfilter_core::Span;
use tweetfilter_core::post::{
    Account, Author, Engagement, Entities, Link, Media, Mention, Post, PostFlags, Reference, ReplyTo, Tag,
};

use super::markup::{self, Anchor, Html};
use super::room::Room;
use super::view::View;
use super::{DecodeError, Inside, decode_text, plain, retweet, shown_address, v1};
use crate::Event;

/// Statuses inside each other that are read.
const NESTED: u8 = 4;

/// The class of what stands in a text for those who do not show quotes: "RE: " and the quote's link.
const QUOTE: &str = "quote-inline";

/// Whether an object is a status.
pub(super) fn is_status(object: &View<'_>) -> bool {
    object.some_object("account").is_some() && object.has("content")
}

/// The post of a status.
pub(super) fn event(status: &View<'_>) -> Event {
    let server = server::told(status, NESTED);
    Event::Post(Box::new(post(status, server.as_deref(), NESTED)))
}

/// The event of a stream's message: a kind beside a payload that is JSON in a string, and perhaps the server that sent it,
/// which a status alone does not always tell.
pub(super) fn streamed(message: &View<'_>, inside: Inside<'_>) -> Option<Result<Event, DecodeError>> {
    let payload = message.raw("payload").map(|_| message.id("payload"))?;
    let kind = message.text("event");
    let server = server::host(&message.text("server"));
    let read = |payload: &str| match server.as_deref().and_then(|server| Some((server, status(payload)?))) {
        Some((server, status)) => {
            let event = Event::Post(Box::new(post(&status, Some(server), NESTED)));
            Ok(plain::with_fields(event, &status))
        }
        None => decode_text(payload, inside),
    };
    Some(match &*kind {
        "update" => read(&payload),
        "status.update" => read(&payload).map(|event| match event {
            Event::Post(mut post) => {
                // Not every update is an edit: a poll that ended or a quote that was approved leaves the first version,
                // and whoever is told of it by another server has the same.
                post.edited_at = post.edited_at.or(post.created_at);
                Event::Edit(post)
            }
            other => other,
        }),
        // Of the server's own ids alone; who does not tell it speaks of all that have this one.
        "delete" => {
            let network = server.clone().unwrap_or_default();
            Ok(Event::Delete { network, id: payload, author: Account::default(), at: None })
        }
        _ => Ok(Event::Other { kind: kind.into_owned() }),
    })
}

/// The status that a text is, if it is one.
fn status(text: &str) -> Option<View<'_>> {
    // What is read on demand must be sound before.
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    Some(View::of(text)).filter(is_status)
}

fn post(status: &View<'_>, server: Option<&str>, depth: u8) -> Post {
    let below = depth.checked_sub(1);
    let carried = |status: &View<'_>| below.map(|depth| post(status, server, depth));
    let retweet_of = status
        .some_object("reblog")
        .map(|original| reference(&original, carried(&original).map(retweet::original)));
    let quote_of = status.some_object("quote").map(|quote| match quoted(&quote) {
        Some(quoted) => reference(&quoted, carried(&quoted)),
        // A quote in a quote has the quoted status's id alone, and one that waits for consent, was refused or is hidden has
        // nothing: it is announced all the same.
        None => {
            let id = quote.first_id(&["quoted_status_id", "id"]);
            Box::new(Reference { id, ..Reference::default() })
        }
    });
    let (text, entities) = if retweet_of.is_some() { Default::default() } else { content(status, server) };
    let account = status.object("account");
    let (by, to) = (account.id("id"), status.id("in_reply_to_account_id"));
    let reply_to = reply(status, server, &account);
    let flags = PostFlags {
        sensitive: status.flag("sensitive"),
        edited: status.has("edited_at"),
        self_thread: !by.is_empty() && by == to,
        nullcast: false,
        poll: status.has("poll"),
    };
    Post {
        id: status.id("id"),
        created_at: status.time("created_at"),
        edited_at: status.time("edited_at"),
        author: author(&account, server),
        text,
        warning: status.string("spoiler_text"),
        lang: status.string("language"),
        entities,
        source: status.object("application").string("name"),
        reply_to,
        retweet_of,
        quote_of,
        flags,
        counts: Engagement {
            likes: status.count("favourites_count"),
            retweets: status.count("reblogs_count"),
            replies: status.count("replies_count"),
            quotes: status.count("quotes_count"),
        },
        network: server.map(str::to_owned).or_else(|| server::author_host(status)).unwrap_or_default(),
        ..Post::default()
    }
}

/// The status that is carried as a quote.
fn quoted<'a>(quote: &View<'a>) -> Option<View<'a>> {
    // Others send the quoted status itself.
    quote.some_object("quoted_status").or_else(|| is_status(quote).then(|| quote.clone()))
}

/// A status in another, by its id where it is carried no further.
fn reference(status: &View<'_>, post: Option<Post>) -> Box<Reference> {
    let id = post.as_ref().map_or_else(|| status.id("id"), |post| post.id.clone());
    Box::new(Reference { id, account: Account::default(), post })
}

fn author(account: &View<'_>, server: Option<&str>) -> Author {
    let (bio, anchors) = markup::read(&account.text("note"));
    let room = Room::of(account.length());
    let links = anchors.into_iter().filter(Anchor::is_link).take_while(|_| room.holds::<Link>());
    Author {
        account: server::account(account, server),
        name: account.string("display_name"),
        bio_links: links.map(|anchor| link(anchor, &bio)).collect(),
        bio: Some(bio).filter(|bio| !bio.is_empty()),
        followers: account.count("followers_count"),
        following: account.count("following_count"),
        posts: account.count("statuses_count"),
        created_at: account.time("created_at"),
        // Those who approve their followers one by one.
        protected: account.flag("locked"),
        bot: account.flag("bot"),
        ..Author::default()
    }
}

fn reply(status: &View<'_>, server: Option<&str>, author: &View<'_>) -> Option<ReplyTo> {
    let (id, to) = (status.id("in_reply_to_id"), status.id("in_reply_to_account_id"));
    if id.is_empty() && to.is_empty() {
        return None;
    }
    let is_answered = |user: &View<'_>| !to.is_empty() && user.id("id") == to;
    let mentioned = status.list("mentions").find(is_answered);
    let account = match mentioned.as_ref().or(Some(author).filter(|author| is_answered(author))) {
        Some(user) => server::account(user, server),
        None => Account { id: server::own_id(to, server), handle: String::new() },
    };
    Some(ReplyTo { id, account })
}

/// Somebody whom the payload names beside the text.
struct Mentioned<'a> {
    url: Cow<'a, str>,
    /// As the payload says, whoever gave it.
    id: String,
    account: Account,
}

impl<'a> Mentioned<'a> {
    fn of(user: &View<'a>, server: Option<&str>) -> Self {
        Self { url: user.text("url"), id: user.id("id"), account: server::account(user, server) }
    }

    /// Bytes that it takes, and what finds it again.
    fn size(&self) -> usize {
        2 * size_of::<Self>() + self.id.len() + size(&self.account)
    }

    /// What is equal in the same account only.
    fn key(&self) -> (&str, &str) {
        (&self.id, &self.account.handle)
    }
}

/// Bytes of the names of an account.
fn size(account: &Account) -> usize {
    account.id.len() + account.handle.len()
}

fn content(status: &View<'_>, server: Option<&str>) -> (String, Entities) {
    let room = Room::of(status.length());
    let quote = status.some_object("quote");
    let html = status.text("content");
    let Html { text, anchors, left_out, .. } = markup::read_without(&html, quote.is_some().then_some(QUOTE));
    let quoted = quote.as_ref().and_then(quoted).unwrap_or_default();
    let quoted = [quoted.text("url"), quoted.text("uri")];
    let mut found = Entities::default();
    let mut named = Vec::new();
    for anchor in anchors {
        if anchor.is_tag() && room.holds::<[Tag; 2]>() {
            let name = text[anchor.span.range()].trim_start_matches('#').to_owned();
            found.hashtags.push(Tag { text: name, span: Some(anchor.span) });
        } else if anchor.is_mention() {
            named.push(anchor);
        } else if anchor.is_link() && room.holds::<Link>() {
            let quote = quoted.iter().any(|address| !address.is_empty() && *address == anchor.href);
            found.links.push(Link { quote, ..link(anchor, &text) });
        }
    }
    let of_quote = |url: String| Link { expanded: Some(url.clone()), url, quote: true, ..Link::default() };
    found.links.extend(left_out.into_iter().take_while(|_| room.holds::<Link>()).map(of_quote));
    found.mentions = mentions(status, server, (named.as_slice(), text.as_str()), &room);
    tags(status, &mut found.hashtags, &room);
    let media = status.list("media_attachments").take_while(|_| room.holds::<Media>());
    let of =
        |medium: View<'_>| Media { kind: v1::kind(&medium.text("type")), alt: medium.string("description") };
    found.media = media.map(of).collect();
    card(&status.object("card"), &mut found);
    (text, found)
}

/// Whom the text names, and then whom the payload names beside it.
fn mentions(
    status: &View<'_>,
    server: Option<&str>,
    (in_text, text): (&[Anchor], &str),
    room: &Room,
) -> Vec<Mention> {
    let users = status.list("mentions").map(|user| Mentioned::of(&user, server));
    let users: Vec<_> = users.take_while(|user| room.takes(user.size())).collect();
    let mut by_url = HashMap::new();
    for user in &users {
        by_url.entry(&*user.url).or_insert(user);
    }
    let (mut found, mut named) = (Vec::new(), HashSet::new());
    for anchor in in_text {
        let account = match by_url.get(anchor.href.as_str()) {
            Some(&user) => {
                named.insert(user.key());
                user.account.clone()
            }
            None => server::shown(text[anchor.span.range()].trim_start_matches('@'), &anchor.href),
        };
        if !room.takes(size_of::<Mention>() + size(&account)) {
            break;
        }
        found.push(Mention { account, span: Some(anchor.span) });
    }
    for user in &users {
        if named.insert(user.key()) && room.takes(size_of::<Mention>() + size(&user.account)) {
            found.push(Mention { account: user.account.clone(), span: None });
        }
    }
    found
}

/// Adds the tags that the payload names beside the text.
fn tags(status: &View<'_>, found: &mut Vec<Tag>, room: &Room) {
    let mut known: HashSet<_> = found.iter().map(|tag| tag.text.to_lowercase()).collect();
    for tag in status.list("tags") {
        let name = tag.id("name");
        if !name.is_empty() && known.insert(name.to_lowercase()) {
            if !room.holds::<[Tag; 2]>() {
                break;
            }
            found.push(Tag { text: name, span: None });
        }
    }
}

/// The page of a link, as the server saw it.
fn card(card: &View<'_>, found: &mut Entities) {
    let url = card.id("url");
    if url.is_empty() {
        return;
    }
    let (title, description) = (card.string("title"), card.string("description"));
    match found.links.iter_mut().find(|link| link.expanded.as_deref() == Some(&*url)) {
        Some(link) => (link.title, link.description) = (title, description),
        None => {
            let expanded = Some(url.clone());
            found.links.push(Link { url, expanded, title, description, ..Link::default() });
        }
    }
}

fn link(anchor: Anchor, text: &str) -> Link {
    let span: Span = anchor.span;
    Link {
        url: shown_address(&text[span.range()], &anchor.href).to_owned(),
        expanded: Some(anchor.href),
        span: Some(span),
        ..Link::default()
    }
}
