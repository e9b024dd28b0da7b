//! Parts of posts that few filters read.

/// A part of a post that few filters read, and that takes time to decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Part {
    /// The author's [`name`](crate::post::Author::name).
    Name,
    /// The author's [`bio`](crate::post::Author::bio) and the links in it.
    Bio,
    /// The author's [`location`](crate::post::Author::location).
    Location,
    /// When the author's account [was made](crate::post::Author::created_at).
    AccountTime,
    /// The post's [`source`](crate::Post::source).
    Source,
}

/// Some parts of a post: those that a set of filters reads, or that a decoder keeps. What is no [`Part`] is always kept.
///
/// ```
/// use tweetfilter_core::{FilterId, FilterSetBuilder, Part, Parts};
/// let mut builder = FilterSetBuilder::new();
/// builder.add(FilterId(1), "snow bio:skier")?;
/// assert_eq!(builder.build().parts(), Parts::NONE.with(Part::Bio));
/// # Ok::<(), tweetfilter_core::AddError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parts(u8);

impl Parts {
    /// All of them.
    pub const ALL: Self = Self(u8::MAX);
    /// None of them.
    pub const NONE: Self = Self(0);

    /// These and one more.
    #[must_use]
    pub const fn with(self, part: Part) -> Self {
        Self(self.0 | 1 << part as u8)
    }

    /// Whether a part is among them.
    #[must_use]
    pub const fn has(self, part: Part) -> bool {
        self.0 >> part as u8 & 1 == 1
    }
}
