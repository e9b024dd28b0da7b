//! Messages that are decoded, and filters that are tried on what they say.

#![allow(dead_code, reason = "each test that includes this uses a part of it")]

use tweetfilter_core::{FilterId, FilterSetBuilder, Post};
use tweetfilter_stream::Event;
use tweetfilter_stream::wire::decode;

/// What a message says.
pub fn event(json: &str) -> Event {
    decode(json.as_bytes()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// The post of a message, whatever is said beside it.
pub fn post(json: &str) -> Post {
    match event(json) {
        Event::Post(post) | Event::PostAnd { post, .. } => *post,
        other => panic!("not a post: {other:?}"),
    }
}

/// Whether a filter matches.
pub fn matches(post: &Post, filter: &str) -> bool {
    let mut builder = FilterSetBuilder::new();
    builder.add(FilterId(1), filter).expect(filter);
    !builder.build().matches(post).is_empty()
}
