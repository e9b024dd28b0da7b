//! Decoding of single messages, without sockets.
//!
//! What a message is shows in its fields; nothing needs to be told beforehand.

mod fields;
mod html;
mod time;
mod v1;

use fields::{DEPTH, Object};
use serde::de::DeserializeSeed;

pub use crate::Event;
use crate::json::Reader;
use v1::Tweet;

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
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotUtf8 => "not UTF-8",
            Self::NotJson => "not JSON",
            Self::UnknownMessage => "unknown message",
            Self::TooLong => "too long",
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
/// # Errors
/// See [`Reason`]; nothing that a message holds makes this panic.
pub fn decode(line: &[u8]) -> Result<Event, DecodeError> {
    let line = str::from_utf8(line).map_err(|e| Reason::NotUtf8.because(e.to_string()))?;
    let mut reader = Reader::new(line);
    let tweet = Object::<Tweet<'_>>::new(DEPTH)
        .deserialize(&mut reader)
        .and_then(|tweet| reader.end().map(|()| tweet))
        .map_err(|e| Reason::NotJson.because(e.to_string()))?;
    event(tweet)
}

fn event(tweet: Option<Tweet<'_>>) -> Result<Event, DecodeError> {
    match tweet {
        Some(tweet) if tweet.is_tweet() && tweet.has_text() => Ok(Event::Post(Box::new(tweet.post()))),
        Some(tweet) if tweet.has_text() => Ok(Event::Post(Box::new(tweet.plain()))),
        Some(_) => Ok(Event::Other { kind: String::new() }),
        None => Err(Reason::UnknownMessage.because("not an object")),
    }
}

/// Decodes a tweet of API v1.1 with serde_json beneath, for comparison with [`decode`] in benchmarks.
///
/// # Errors
/// See [`Reason`].
#[doc(hidden)]
pub fn decode_tweet_by_serde_json(line: &[u8]) -> Result<Event, DecodeError> {
    let mut json = serde_json::Deserializer::from_slice(line);
    let tweet = Object::<Tweet<'_>>::new(DEPTH)
        .deserialize(&mut json)
        .and_then(|tweet| json.end().map(|()| tweet))
        .map_err(|e| Reason::NotJson.because(e.to_string()))?;
    event(tweet)
}
