//! What the tweets of a page of API v2 refer to, and how much may be made of it.
//!
//! A page has each user, medium and tweet once, and every post of it that refers to one has it as its own. That takes no
//! more of the pages that X sends than a few times their length, but a long text that each of many posts quotes would take
//! any amount. So what is made of included things is added up, and what a page may take has an end.

use std::cell::Cell;
use std::collections::HashMap;

use tweetfilter_core::post::{Account, Post};

use super::view::View;

/// Bytes that may be made of what is included: so many, and so many for each byte of the message.
const ALLOWED: usize = 64 << 20;
const ALLOWED_PER_BYTE: usize = 16;

/// Bytes that an object of a message may take more than its text has: of all that is kept in lists, a link is the largest.
const OBJECT: usize = 128;

/// What the tweets of a page refer to.
pub(super) struct Includes<'a> {
    tweets: HashMap<String, Included<'a>>,
    users: HashMap<String, Included<'a>>,
    media: HashMap<String, Included<'a>>,
    places: HashMap<String, Included<'a>>,
    /// Bytes that may still be made of them.
    left: Cell<usize>,
    /// Whether more than that was asked for.
    spent: Cell<bool>,
}

struct Included<'a> {
    view: View<'a>,
    /// Bytes that it takes wherever it is referred to.
    size: usize,
}

impl<'a> Includes<'a> {
    /// The `includes` of a message of so many bytes.
    pub(super) fn of(includes: &View<'a>, length: usize) -> Self {
        let by = |list: &str, key: &str, more: usize| {
            let included = includes.raw_objects(list).map(|text| {
                let (view, size) = (View::of(text).shrunk(), size(text).saturating_add(more));
                (view.id(key), Included { view, size })
            });
            included.collect()
        };
        Self {
            tweets: by("tweets", "id", size_of::<Post>()),
            users: by("users", "id", 0),
            media: by("media", "media_key", 0),
            places: by("places", "id", 0),
            left: Cell::new(length.saturating_mul(ALLOWED_PER_BYTE).saturating_add(ALLOWED)),
            spent: Cell::new(false),
        }
    }

    pub(super) fn tweet(&self, id: &str) -> Option<&View<'a>> {
        self.take(self.tweets.get(id)?)
    }

    pub(super) fn user(&self, id: &str) -> Option<&View<'a>> {
        self.take(self.users.get(id)?)
    }

    pub(super) fn medium(&self, key: &str) -> Option<&View<'a>> {
        self.take(self.media.get(key)?)
    }

    pub(super) fn place(&self, id: &str) -> Option<&View<'a>> {
        self.take(self.places.get(id)?)
    }

    /// Who has an id, as far as that is known.
    pub(super) fn account(&self, id: String) -> Account {
        let handle = self.users.get(&id).map(|user| user.view.id("username"));
        let handle = handle.filter(|handle| self.spend(handle.len())).unwrap_or_default();
        Account { id, handle }
    }

    /// Counts bytes that are made of them; `false` if those are more than may be.
    pub(super) fn spend(&self, bytes: usize) -> bool {
        match self.left.get().checked_sub(bytes) {
            Some(left) if !self.spent.get() => self.left.set(left),
            _ => self.spent.set(true),
        }
        !self.spent.get()
    }

    /// Whether more was asked for than may be made of them: then a post lacks some of it.
    pub(super) fn is_spent(&self) -> bool {
        self.spent.get()
    }

    fn take<'i>(&self, included: &'i Included<'a>) -> Option<&'i View<'a>> {
        self.spend(included.size).then_some(&included.view)
    }
}

/// Bytes that what a text describes may take, nearly.
fn size(text: &str) -> usize {
    let objects = memchr::memchr_iter(b'{', text.as_bytes()).count();
    // Six bytes of text are three at most.
    let escapes = memchr::memmem::find_iter(text.as_bytes(), b"\\u").count();
    objects.saturating_mul(OBJECT).saturating_add(text.len()).saturating_sub(3 * escapes)
}
