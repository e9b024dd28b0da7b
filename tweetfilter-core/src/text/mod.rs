//! The text model: one function for filter words and for posts.
//!
//! Filters and posts meet in *tokens*: [`tokenize`] cuts a stretch of text into [`Tokens`], [`pattern`] says which
//! tokens a word or phrase of a filter asks for, and a [`Term`] says whether a token matches. SYNTAX.md tells users
//! what that means for them. The phases, each of which can be read alone:
//!
//! 1. `links` finds the links of a post; they separate, and nothing is found in them.
//! 2. `fold` goes over what stands between them by grapheme clusters: emoji sequences are cut out, ignorable
//!    characters dropped, symbols such as № set apart, the rest folded (NFKC, case, NFKC).
//! 3. `words` cuts the folded characters into words, and words in Han, kana, Hangul, Thai, Lao, Khmer and Myanmar
//!    into characters or clusters.
//! 4. `accents` decides, token by token, which accents are equal both ways and which one way only.
//!
//! `scan` does the same in one pass for the characters that need no neighbors, which are nearly all; it gives what
//! it can't decide to those four. Tests hold the two equal.
//!
//! [`fold_for_search`] makes the text that substrings are searched in, [`fold_value`] compares whole entities,
//! [`length`], [`emoji`] and [`caps`] count, [`obfuscated`] sees through disguises, and [`entities`] finds
//! tags, mentions and links by twitter-text's rules; `escapes` reads links as people do. `tables` is the one place where Unicode's data comes in.

mod accents;
mod entities;
mod escapes;
mod flags;
mod fold;
#[cfg(test)]
mod growth;
mod hash;
mod links;
mod nfc;
mod obfuscation;
mod pattern;
mod scan;
mod shape;
mod substring;
mod tables;
mod tokens;
mod value;
mod wildcard;
mod words;

pub use entities::entities;
pub(crate) use escapes::{decode_host, decode_link};
pub(crate) use fold::is_keycap;
pub use hash::hash;
pub use nfc::nfc;
pub(crate) use nfc::span_before_nfc;
pub(crate) use obfuscation::squeezed_into;
pub use obfuscation::{obfuscated, obfuscated_into, squeezed, stretched_equal};
pub(crate) use pattern::is_simple;
pub use pattern::{Pattern, Term, WildcardError, near_items, pattern};
pub use shape::{caps, emoji, length};
pub use substring::{Needle, Searchable, fold_for_search};
pub use tables::UNICODE_VERSION;
pub use tokens::{Token, TokenKind, Tokens, exact, tokenize};
pub use value::{Folded, fold_value, fold_value_into};
pub(crate) use wildcard::WildcardReach;
pub use wildcard::{Part, Wildcard};

use crate::Span;

/// Where a stretch of text comes from, which decides what a link in it is.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// A filter: links are text.
    Filter,
    /// A post or profile: these spans are links (sorted or not, checked against the text), and so is any
    /// other `http://` or `https://` run.
    Post(&'a [Span]),
}
