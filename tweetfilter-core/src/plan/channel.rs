//! Channels: what kind of place in a post a term was found in.
//!
//! One dictionary serves all channels; a stretch of a post feeds a set of them. Dialect x has channels of its
//! own, which more stretches feed: so an atom of that dialect stays one atom.

use crate::syntax::{AccountField, IdField, WordField};

/// What an atom reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Channel {
    Text,
    Warning,
    Bio,
    BioName,
    BioLocation,
    Url,
    UrlTitle,
    UrlDescription,
    Alt,
    Source,
    Hashtag,
    Mention,
    Cashtag,
    From,
    To,
    RetweetsOf,
    QuotesOf,
    Domain,
    InReplyTo,
    RetweetsOfId,
    QuotesOfId,
    Conversation,
    Lang,
    Place,
    PlaceId,
    Country,
    ProfileCountry,
    ProfileRegion,
    ProfileLocality,
    Annotation,
    Entity,
    Attribute,
    /// Text, links, the quoted post's text and its links.
    TextX,
    UrlX,
    DomainX,
    HashtagX,
    MentionX,
    CashtagX,
    /// Substrings of the text, of links; literals of regexes.
    Contains,
    ContainsX,
    UrlContains,
    UrlContainsX,
    Regex,
    /// A named set that matched.
    Set,
}

impl Channel {
    /// What a word operator reads; `x`: in dialect x.
    pub(crate) fn of_words(field: WordField, x: bool) -> Self {
        match field {
            WordField::Bio => Self::Bio,
            WordField::BioName => Self::BioName,
            WordField::BioLocation => Self::BioLocation,
            WordField::Url if x => Self::UrlX,
            WordField::Url => Self::Url,
            WordField::UrlTitle => Self::UrlTitle,
            WordField::UrlDescription => Self::UrlDescription,
            WordField::Alt => Self::Alt,
            WordField::Warning => Self::Warning,
            WordField::Source => Self::Source,
        }
    }

    /// What an account operator reads.
    pub(crate) fn of_account(field: AccountField) -> Self {
        match field {
            AccountField::From => Self::From,
            AccountField::To => Self::To,
            AccountField::RetweetsOf => Self::RetweetsOf,
            AccountField::QuotesOf => Self::QuotesOf,
        }
    }

    /// What an operator of ids reads.
    pub(crate) fn of_id(field: IdField) -> Self {
        match field {
            IdField::InReplyTo => Self::InReplyTo,
            IdField::RetweetsOf => Self::RetweetsOfId,
            IdField::QuotesOf => Self::QuotesOfId,
            IdField::Conversation => Self::Conversation,
        }
    }
}

/// A set of channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Channels(pub u64);

impl Channels {
    pub(crate) const fn of(list: &[Channel]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < list.len() {
            bits |= 1 << list[i] as u8;
            i += 1;
        }
        Self(bits)
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn has(self, channel: Channel) -> bool {
        self.0 >> channel as u8 & 1 == 1
    }

    pub(crate) fn insert(&mut self, channel: Channel) {
        self.0 |= 1 << channel as u8;
    }
}

/// Which post of the chain an atom reads: the post itself, the quoted one, the retweeted original, or one
/// behind a second scope (which has no postings of its own).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Level {
    #[default]
    Post,
    Quote,
    Original,
    Deeper,
}
