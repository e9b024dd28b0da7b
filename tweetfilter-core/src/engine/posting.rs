//! What a term of a post leads to.

use crate::plan::channel::{Channel, Level};

/// Where the postings of one list were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListHeader {
    pub(crate) channel: Channel,
    pub(crate) level: Level,
}

/// A filter that a term gives access to, with cheap conditions beside it.
///
/// **Candidate is not match** unless [`Posting::is_final`] says that nothing is left to confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Posting(pub(crate) u64);

impl Posting {
    pub(crate) fn new(filter: u32, mask: u16, signature: u16) -> Self {
        Self(u64::from(filter) << 32 | u64::from(mask) << 16 | u64::from(signature & 0xfff) << 2)
    }

    /// Nothing is left to confirm.
    pub(crate) fn make_final(self, is_final: bool) -> Self {
        Self(self.0 | u64::from(is_final))
    }

    /// No other posting leads to this filter.
    pub(crate) fn make_only(self, is_only: bool) -> Self {
        Self(self.0 | u64::from(is_only) << 1)
    }

    #[inline]
    pub(crate) fn filter(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Number of the condition on the post's bits.
    #[inline]
    pub(crate) fn mask(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Place in the post's signature of a second term that must be there; 0: none.
    #[inline]
    pub(crate) fn signature(self) -> u16 {
        (self.0 >> 2) as u16 & 0xfff
    }

    /// Whether this is the one way to its filter, so that it can't be found twice.
    #[inline]
    pub(crate) fn is_only(self) -> bool {
        self.0 >> 1 & 1 == 1
    }

    #[inline]
    pub(crate) fn is_final(self) -> bool {
        self.0 & 1 == 1
    }
}
