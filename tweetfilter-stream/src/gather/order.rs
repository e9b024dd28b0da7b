//! What tells apart that which nothing else does: versions of one moment, and posts without an id.

use std::collections::HashMap;

use tweetfilter_core::post::Millis;

use crate::source::Place;

/// The versions of posts that were received at one time, by their keys: of several of one post, each is taken to be
/// received a millisecond after the one before, so that it is known of both entries which is the later.
#[derive(Debug, Default)]
pub(super) struct Moment {
    at: Millis,
    versions: HashMap<u64, Millis>,
}

impl Moment {
    pub(super) fn next(&mut self, key: u64, at: Millis) -> Millis {
        if self.at != at {
            self.at = at;
            self.versions.clear();
        }
        let before = self.versions.entry(key).or_default();
        *before += 1;
        at.saturating_add(*before - 1)
    }
}

/// Where posts without an id stand.
#[derive(Debug, Default)]
pub(super) struct Nameless {
    /// Of the line that is taken, if it has one, and how many such posts there were in it.
    pub(super) place: Option<(Place, u64)>,
    /// Those that came in lines without a place.
    others: u64,
}

impl Nameless {
    /// A name that the next one, which was received at a time, shares with no other of its source.
    pub(super) fn next(&mut self, at: Millis) -> String {
        let Some((Place { of, line }, before)) = &mut self.place else {
            self.others += 1;
            return format!("{at}#{}", self.others);
        };
        *before += 1;
        match before {
            1 => format!("{of}:{line}"),
            _ => format!("{of}:{line}.{before}"),
        }
    }
}
