//! Tweets of X's API v1.1, 2006 to 2021.
//!
//! Text is HTML-escaped, and indices count code points of the escaped text. A cut text has its whole in
//! `extended_tweet`; of a retweet the original is read and what the outer tweet repeats of it is not.

mod entities;
mod place;
mod tweet;
mod user;

pub(super) use entities::{Entities, Surroundings, Url, Urls, kind};
pub(super) use place::{Geometry, center, point};
pub(super) use tweet::{Tweet, is_media_link, leads_to};

/// The network's name in posts.
pub(super) const NETWORK: &str = "x";
