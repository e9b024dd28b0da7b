//! How often terms occur in posts: what the choice of access atoms rests on.

use std::collections::HashMap;

use super::channel::Channel;
use crate::engine::dictionary::KeyKind;
use crate::post::Post;
use crate::syntax::lint::is_common;
use crate::text::{Origin, Tokens, tokenize};

/// Term frequencies of a sample of posts.
///
/// The default knows the commonest words of several languages; a sample of the stream that the filters will
/// see makes a better index. Results never depend on it, only speed.
///
/// ```
/// use tweetfilter_core::{FilterSetBuilder, Post, TermStatistics};
/// let mut statistics = TermStatistics::default();
/// statistics.observe(&Post::from_text("a sample of what the stream says"));
/// let mut filters = FilterSetBuilder::new();
/// filters.statistics(statistics);
/// ```
#[derive(Clone, Debug, Default)]
pub struct TermStatistics {
    counts: HashMap<Box<str>, u32>,
    posts: u32,
    tokens: Tokens,
}

/// Below this many posts a sample says too little.
const ENOUGH: u32 = 200;

impl TermStatistics {
    /// Counts the terms of one post.
    pub fn observe(&mut self, post: &Post) {
        self.posts = self.posts.saturating_add(1);
        self.tokens.clear();
        tokenize(&post.content().text, Origin::Post(&[]), &mut self.tokens);
        for token in self.tokens.iter() {
            match self.counts.get_mut(token.plain) {
                Some(count) => *count = count.saturating_add(1),
                None => {
                    self.counts.insert(token.plain.into(), 1);
                }
            }
        }
    }

    /// The expected number of occurrences in a post.
    pub(crate) fn frequency(&self, channel: Channel, kind: KeyKind, key: &str) -> f32 {
        match channel {
            _ if kind == KeyKind::Prefix => 0.01,
            _ if matches!(kind, KeyKind::Part | KeyKind::ExactPart) => literal(key.len()),
            Channel::Text | Channel::TextX => self.word(key),
            Channel::Bio => 0.5 * self.word(key),
            Channel::Lang => 0.1,
            Channel::From | Channel::Conversation | Channel::InReplyTo | Channel::QuotesOfId => 1e-5,
            Channel::RetweetsOfId | Channel::RetweetsOf | Channel::To | Channel::QuotesOf => 1e-4,
            Channel::Source | Channel::Country | Channel::ProfileCountry => 0.05,
            Channel::Contains | Channel::ContainsX | Channel::UrlContains | Channel::UrlContainsX => {
                literal(key.len())
            }
            Channel::Regex => literal(key.len()) * 0.5,
            _ => 1e-3,
        }
    }

    fn word(&self, key: &str) -> f32 {
        if self.posts >= ENOUGH {
            let seen = self.counts.get(key).copied().unwrap_or(0);
            return (seen as f32 + 0.2) / self.posts as f32;
        }
        if is_common(key) {
            return 0.1;
        }
        let first = key.chars().next().unwrap_or(' ');
        match key.chars().count() {
            // A single letter, or a character that is a token of its own.
            1 if first.is_ascii() => 0.05,
            1 => 0.01,
            2 => 0.005,
            3 => 1e-3,
            _ => 1e-4,
        }
    }
}

/// A substring of so many bytes occurs in about so many posts.
fn literal(bytes: usize) -> f32 {
    [0.9, 0.7, 0.4, 0.1, 0.03, 0.01, 0.004].get(bytes).copied().unwrap_or(0.002)
}
