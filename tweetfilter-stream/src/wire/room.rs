//! What is kept of a message: how much of its lists, and which parts.
//!
//! An empty object of a list takes three bytes, and as a link more than a hundred; a number in a page takes two, and is a
//! message that can't be read. Messages of the networks are nowhere near that, so what their lists take is bounded by their
//! length, and what follows in a list is passed over.

use std::cell::Cell;

use tweetfilter_core::{Part, Parts};

/// Bytes that items of lists may take for each byte of their message. Of what networks write, nothing takes more than a
/// link without further attributes in a status of Mastodon, which takes four.
const PER_BYTE: usize = 5;

/// Bytes that they may take whatever its length is.
const SMALL: usize = 1 << 10;

/// The same for the messages of a page.
const PAGE: usize = 32 << 20;

/// Bytes that they may take for each byte of a page: a post of v2 without optional fields takes eight.
const PAGE_PER_BYTE: usize = 16;

/// What the lists of a message may still take, and the parts of posts that are kept.
pub(super) struct Room {
    left: Cell<usize>,
    parts: Parts,
}

impl Room {
    /// For the lists of a message, or of a part of it, of so many bytes.
    pub(super) fn of(length: usize) -> Self {
        Self::with(length.saturating_mul(PER_BYTE).saturating_add(SMALL))
    }

    /// For the messages of a page of so many bytes.
    pub(super) fn of_page(length: usize) -> Self {
        Self::with(length.saturating_mul(PAGE_PER_BYTE).saturating_add(PAGE))
    }

    fn with(left: usize) -> Self {
        Self { left: Cell::new(left), parts: Parts::ALL }
    }

    /// The same, where only these parts are kept.
    pub(super) fn keeping(self, parts: Parts) -> Self {
        Self { parts, ..self }
    }

    /// Whether a part is kept.
    pub(super) fn keeps(&self, part: Part) -> bool {
        self.parts.has(part)
    }

    /// Takes so many bytes, if they are there.
    pub(super) fn takes(&self, bytes: usize) -> bool {
        let left = self.left.get().checked_sub(bytes);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Takes what an item of a list needs, without its texts, if that is there.
    pub(super) fn holds<T>(&self) -> bool {
        self.takes(size_of::<T>())
    }
}
