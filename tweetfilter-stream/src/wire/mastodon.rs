//! Mastodon's statuses, and the messages of its streams.

use std::collections::{HashMap, HashSet};

use tweetfilter_core::Span;
use tweetfilter_core::post::{
    Account, Author, Engagement, Entities, Link, Media, Mention, Post, PostFlags, Reference, ReplyTo, Tag,
};

use super::markup::{self, Anchor};
use super::v1;
use super::view::View;
use super::{DecodeError, decode_text, shown_address};
use crate::Event;

/// Statuses inside each other that are read.
const NESTED: u8 = 4;

/// Whether an object is a status.
pub(super) fn is_status(object: &View<'_>) -> bool {
    object.has("account") && object.has("content")
}

/// The post of a status.
pub(super) fn event(status: &View<'_>) -> Event {
    Event::Post(Box::new(post(status, NESTED)))
}

/// The event of a stream's message: a kind beside a payload that is JSON in a string.
pub(super) fn streamed(message: &View<'_>, depth: u8) -> Option<Result<Event, DecodeError>> {
    let payload = message.raw("payload").map(|_| message.id("payload"))?;
    let kind = message.text("event");
    Some(match &*kind {
        "update" => decode_text(&payload, depth),
        "status.update" => decode_text(&payload, depth).map(|event| match event {
            Event::Post(mut post) => {
                // Not every update is an edit: a poll that ended or a quote that was approved leaves the first version,
                // and whoever is told of it by another server has the same.
                post.edited_at = post.edited_at.or(post.created_at);
                Event::Edit(post)
            }
            other => other,
        }),
        "delete" => {
            Ok(Event::Delete { network: String::new(), id: payload, author: Account::default(), at: None })
        }
        _ => Ok(Event::Other { kind: kind.into_owned() }),
    })
}

fn post(status: &View<'_>, depth: u8) -> Post {
    let host = host(status);
    let below = depth.checked_sub(1);
    let carried = |status: View<'_>| {
        let post = below.map(|depth| post(&status, depth));
        Box::new(Reference { id: status.id("id"), account: Account::default(), post })
    };
    let retweet_of = status.some_object("reblog").map(carried);
    let quote = status.object("quote");
    let quote_of = match quote.some_object("quoted_status") {
        Some(quoted) => Some(carried(quoted)),
        // Others send the quoted status itself, or its id alone.
        None if is_status(&quote) => Some(carried(quote)),
        None => Some(quote.first_id(&["quoted_status_id", "id"]))
            .filter(|id| !id.is_empty())
            .map(|id| Box::new(Reference { id, ..Reference::default() })),
    };
    let (text, entities) = if retweet_of.is_some() { Default::default() } else { content(status, &host) };
    let author = author(&status.object("account"), &host);
    let reply_to = reply(status, &author.account, &entities);
    let flags = PostFlags {
        sensitive: status.flag("sensitive"),
        edited: status.has("edited_at"),
        self_thread: reply_to
            .as_ref()
            .is_some_and(|reply| !author.account.id.is_empty() && reply.account.id == author.account.id),
        nullcast: false,
        poll: status.has("poll"),
    };
    Post {
        id: status.id("id"),
        created_at: status.time("created_at"),
        edited_at: status.time("edited_at"),
        author,
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
        network: host,
        ..Post::default()
    }
}

/// The host of a status, out of its address.
fn host(status: &View<'_>) -> String {
    let of =
        |url: &str| url.split("//").nth(1).and_then(|rest| rest.split('/').next()).map(str::to_lowercase);
    of(&status.text("uri")).or_else(|| of(&status.text("url"))).unwrap_or_default()
}

/// The name with its server; that of a local account lacks it in the payload.
fn handle(acct: &str, host: &str) -> String {
    if acct.is_empty() || acct.contains('@') || host.is_empty() {
        acct.to_owned()
    } else {
        format!("{acct}@{host}")
    }
}

fn author(account: &View<'_>, host: &str) -> Author {
    let (bio, anchors) = markup::read(&account.text("note"));
    Author {
        account: Account { id: account.id("id"), handle: handle(&account.text("acct"), host) },
        name: account.string("display_name"),
        bio_links: anchors.into_iter().filter(Anchor::is_link).map(|anchor| link(anchor, &bio)).collect(),
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

fn reply(status: &View<'_>, author: &Account, entities: &Entities) -> Option<ReplyTo> {
    let (id, account) = (status.id("in_reply_to_id"), status.id("in_reply_to_account_id"));
    if id.is_empty() && account.is_empty() {
        return None;
    }
    let known = entities.mentions.iter().map(|mention| &mention.account).chain([author]);
    let account = known
        .into_iter()
        .find(|known| known.id == account)
        .cloned()
        .unwrap_or(Account { id: account, handle: String::new() });
    Some(ReplyTo { id, account })
}

fn content(status: &View<'_>, host: &str) -> (String, Entities) {
    let (text, anchors) = markup::read(&status.text("content"));
    let mut found = Entities::default();
    let mentioned: Vec<_> = status
        .list("mentions")
        .into_iter()
        .map(|user| {
            let account = Account { id: user.id("id"), handle: handle(&user.text("acct"), host) };
            (user.text("url"), account)
        })
        .collect();
    let mut by_url = HashMap::new();
    for (url, account) in &mentioned {
        by_url.entry(url.as_ref()).or_insert(account);
    }
    let mut tags = HashSet::new();
    for anchor in anchors {
        if anchor.is_tag() {
            let name = text[anchor.span.range()].trim_start_matches('#').to_owned();
            tags.insert(name.to_lowercase());
            found.hashtags.push(Tag { text: name, span: Some(anchor.span) });
        } else if anchor.is_mention() {
            let shown = text[anchor.span.range()].trim_start_matches('@');
            let known = by_url.get(anchor.href.as_str()).map(|account| (*account).clone());
            let account = known.unwrap_or_else(|| Account { id: String::new(), handle: shown.to_owned() });
            found.mentions.push(Mention { account, span: Some(anchor.span) });
        } else {
            found.links.push(link(anchor, &text));
        }
    }
    // Whom and what the payload names beside the text.
    let mut ids: HashSet<String> = found.mentions.iter().map(|mention| mention.account.id.clone()).collect();
    for (_, account) in mentioned {
        if ids.insert(account.id.clone()) {
            found.mentions.push(Mention { account, span: None });
        }
    }
    for tag in status.list("tags") {
        let name = tag.id("name");
        if !name.is_empty() && tags.insert(name.to_lowercase()) {
            found.hashtags.push(Tag { text: name, span: None });
        }
    }
    let media = status.list("media_attachments");
    let of =
        |medium: &View<'_>| Media { kind: v1::kind(&medium.text("type")), alt: medium.string("description") };
    found.media = media.iter().map(of).collect();
    card(&status.object("card"), &mut found);
    (text, found)
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
