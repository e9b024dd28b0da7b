//! Decoding of single messages, without sockets.
//!
//! What a message is shows in its fields; nothing needs to be told beforehand.

mod bluesky;
mod carried;
mod compliance;
mod control;
mod fields;
mod gnip;
mod html;
mod includes;
mod markup;
mod mastodon;
mod page;
mod plain;
mod retweet;
mod room;
pub(crate) mod time;
mod v1;
mod v2;
mod view;
mod withheld;

use fields::{DEPTH, Object, Scalar};
use serde::de::{DeserializeSeed, IgnoredAny};
use tweetfilter_core::{Parts, Post};

pub use crate::Event;
use crate::json::{Reader, elements};
pub use carried::Carrier;
use page::Inside;
use room::Room;
use v1::Tweet;
use view::View;

/// How a link stands in a text: as what is shown of it if that is an address, whole or cut short, else as the address
/// that it leads to, for words under a link are words.
fn shown_address<'a>(shown: &'a str, address: &'a str) -> &'a str {
    let bare = |text: &str| {
        let text = text.to_ascii_lowercase();
        let text = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(&text);
        text.strip_prefix("www.").unwrap_or(text).to_owned()
    };
    let begin = bare(shown.trim_end_matches(['…', '.']));
    let is_address = begin.contains('.') && bare(address).starts_with(&begin);
    if is_address || shown.starts_with("http") { shown } else { address }
}

/// Why a message can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct DecodeError {
    /// What kind of error it is, for counting.
    pub reason: Reason,
    /// What is wrong with this message.
    pub message: String,
}

/// Why a message can't be read, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The line is not one JSON value: broken, cut off, or followed by something.
    NotJson,
    /// JSON, but no message of a known network.
    UnknownMessage,
    /// Longer than the reader was told to accept.
    TooLong,
    /// A post whose users, media and posts that it refers to take, with those of the posts before it in the same message,
    /// more than 64 MiB and 16 bytes for each byte of that: X's API v2 has them once, and every post refers to them.
    TooLarge,
    /// Messages in one, which take more than 32 MiB and 16 bytes for each byte of that: those behind are not read.
    TooMany,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotUtf8 => "not UTF-8",
            Self::NotJson => "not JSON",
            Self::UnknownMessage => "unknown message",
            Self::TooLong => "too long",
            Self::TooLarge => "too large with what it refers to",
            Self::TooMany => "too many messages in one",
        })
    }
}

impl Reason {
    fn because(self, message: impl Into<String>) -> DecodeError {
        DecodeError { reason: self, message: message.into() }
    }
}

/// Decodes one JSON message of any wire.
///
/// Of fields that no filter reads, only this is checked: strings end, and each bracket is closed by one of its kind.
/// Of lists in a post (links, tags, mentions, media, …) the first items are kept, in 5 bytes for each byte of the post and
/// 1 KiB, without their texts. No network writes posts with more. What is found in the text of a post that names nothing
/// beside it is kept whole: 40 bytes for each byte are the most that it can take.
///
/// # Errors
/// See [`Reason`]; nothing that a message holds makes this panic.
pub fn decode(line: &[u8]) -> Result<Event, DecodeError> {
    decode_parts(line, Parts::ALL)
}

/// The same for who reads only some parts of posts, as a set of filters [does](tweetfilter_core::FilterSet::parts): the others
/// may be left out, which takes less time. What can't be read is the same whatever is kept.
///
/// # Errors
/// As [`decode`].
pub fn decode_parts(line: &[u8], parts: Parts) -> Result<Event, DecodeError> {
    let line = str::from_utf8(line).map_err(|e| Reason::NotUtf8.because(e.to_string()))?;
    decode_text(line, Inside::of(&Room::of_page(line.len()), parts))
}

/// The same for text, inside of what is around it.
fn decode_text(line: &str, inside: Inside<'_>) -> Result<Event, DecodeError> {
    // A tenth of a stream is deletes; their first bytes tell.
    if line.starts_with("{\"delete\"") || line.starts_with('[') {
        return decode_other(line, inside);
    }
    let mut reader = Reader::new(line);
    let tweet = Object::<Tweet<'_>>::new(DEPTH, &Room::of(line.len()).keeping(inside.parts))
        .deserialize(&mut reader)
        .and_then(|tweet| reader.end().map(|()| tweet))
        .map_err(|e| Reason::NotJson.because(e.to_string()))?;
    match tweet {
        Some(tweet) if tweet.is_tweet() => tweet_event(tweet, line.as_bytes()),
        _ => decode_other(line, inside),
    }
}

fn tweet_event(tweet: Tweet<'_>, line: &[u8]) -> Result<Event, DecodeError> {
    let (also, has_fields) = (tweet.also(), tweet.has_fields());
    let post = tweet.post().map_err(|e| Reason::NotJson.because(e.to_string()))?;
    let event = post_and(post, also);
    if !has_fields {
        return Ok(event);
    }
    let line = str::from_utf8(line).map_err(|e| Reason::NotUtf8.because(e.to_string()))?;
    Ok(plain::with_fields(event, &View::of(line)))
}

/// A post, and what its message says beside it, if anything.
fn post_and(post: Post, also: Vec<Event>) -> Event {
    let post = Box::new(post);
    if also.is_empty() { Event::Post(post) } else { Event::PostAnd { post, also } }
}

/// Decodes a message that is no tweet of API v1.1.
fn decode_other(line: &str, inside: Inside<'_>) -> Result<Event, DecodeError> {
    let Some(below) = inside.below() else {
        return Err(Reason::UnknownMessage.because("messages in messages in messages"));
    };
    // What is read on demand must be sound before.
    serde_json::from_str::<IgnoredAny>(line).map_err(|e| Reason::NotJson.because(e.to_string()))?;
    if line.trim_start().starts_with('[') {
        return Ok(below.page(elements(line).map_while(Result::ok), read(below)));
    }
    let message = View::of(line);
    if message.is_empty() {
        return Err(Reason::UnknownMessage.because("no object, or an empty one"));
    }
    decode_object(&message, below).map(|event| plain::with_fields(event, &message))
}

/// Reads the messages of a page.
fn read(inside: Inside<'_>) -> impl Fn(&str) -> Event {
    move |text| decode_text(text, inside).unwrap_or_else(Event::Unreadable)
}

/// Decodes an object by its keys.
fn decode_object(message: &View<'_>, below: Inside<'_>) -> Result<Event, DecodeError> {
    if let Scalar::Text(text) = message.scalar("text")
        && !has_text_of_network(message)
    {
        return Ok(Event::Post(Box::new(plain::post(message, text.into_owned()))));
    }
    if let Some(streamed) = mastodon::streamed(message, below) {
        return streamed;
    }
    if let Some(event) = control::event(message, below)? {
        return Ok(event);
    }
    if message.has("statuses") {
        return Ok(below.page(message.raws("statuses"), read(below)));
    }
    if mastodon::is_status(message) {
        return Ok(mastodon::event(message));
    }
    if message.has("did") && message.has("kind") {
        return Ok(bluesky::event(message));
    }
    if bluesky::is_post(message) {
        return Ok(Event::Post(Box::new(bluesky::bare(message))));
    }
    if gnip::is_activity(message) {
        return Ok(gnip::event(message));
    }
    match v2::event(message, below) {
        Some(Event::Unreadable(error)) => return Err(error),
        Some(event) => return Ok(event),
        None => {}
    }
    if let Some(event) = control::enterprise(message) {
        return Ok(event);
    }
    let keys: Vec<_> = message.keys().take(4).collect();
    Err(Reason::UnknownMessage.because(format!("an object with {}", keys.join(", "))))
}

/// Whether a message that has a text of its own is one of those of a network that have. Any other is a post, whatever else
/// stands beside its text.
fn has_text_of_network(message: &View<'_>) -> bool {
    mastodon::is_status(message)
        || bluesky::is_record(message)
        || v2::is_flattened(message)
        || control::is_direct_message(message)
}

/// Profiles of one answer that are read: four times as many as may be asked for at once.
#[cfg(feature = "net")]
const PROFILES: usize = 100;

/// The profiles of an answer of Bluesky's AppView; `None` if it is none.
#[cfg(feature = "net")]
pub(crate) fn bluesky_profiles(text: &str) -> Option<Vec<tweetfilter_core::post::Author>> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let answer = View::of(text);
    let is_list = answer.raw("profiles")?.starts_with('[');
    let profiles = || answer.list("profiles").take(PROFILES).map(|profile| bluesky::author(&profile));
    is_list.then(|| profiles().collect())
}

/// Decodes a tweet of API v1.1 with serde_json beneath, for comparison with [`decode`] in benchmarks.
///
/// # Errors
/// See [`Reason`].
#[doc(hidden)]
pub fn decode_tweet_by_serde_json(line: &[u8]) -> Result<Event, DecodeError> {
    let mut json = serde_json::Deserializer::from_slice(line);
    let tweet = Object::<Tweet<'_>>::new(DEPTH, &Room::of(line.len()))
        .deserialize(&mut json)
        .and_then(|tweet| json.end().map(|()| tweet))
        .map_err(|e| Reason::NotJson.because(e.to_string()))?;
    match tweet {
        Some(tweet) if tweet.is_tweet() => tweet_event(tweet, line),
        _ => Err(Reason::UnknownMessage.because("no tweet")),
    }
}
