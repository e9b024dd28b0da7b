//! Decoding of single messages, without sockets.

mod v1;

use tweetfilter_core::Post;

/// What one message of a stream says.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A post.
    Post(Box<Post>),
    /// Any other message.
    Other,
}

/// Why a message can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong with it.
    pub message: String,
}

/// Decodes one JSON message.
///
/// # Errors
/// When it is not JSON.
pub fn decode(line: &[u8]) -> Result<Event, DecodeError> {
    v1::decode(line).map_err(|e| DecodeError { message: e.to_string() })
}
