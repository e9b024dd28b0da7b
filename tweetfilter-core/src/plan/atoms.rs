//! Atoms: the smallest predicates, interned once for all filters of a set.

use std::collections::HashMap;

use super::channel::Channel;
use crate::engine::dictionary::{Interner, TermId};
use crate::post::Point;
use crate::syntax::{
    Comparison, HasFlag, IdBound, IsFlag, NumberField, RegexPattern, TextPattern, TimeBound,
};
use crate::text::{Needle, Term, Token};

/// Number of an atom that is more than a term or a flag.
pub(crate) type AtomId = u32;

/// The cheapest form of a predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Test {
    /// A term of the dictionary was found in a channel.
    Term(Channel, TermId),
    /// A bit of the post.
    Flag(Flag),
    /// Anything else.
    Atom(AtomId),
}

/// Yes/no facts that are one bit of the post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Flag {
    Retweet,
    Reply,
    Quote,
    Verified,
    Sensitive,
    Edited,
    SelfThread,
    Bot,
    Protected,
    Nullcast,
    Links,
    Media,
    Images,
    Videos,
    Gifs,
    Hashtags,
    Mentions,
    Cashtags,
    Geo,
    ProfileGeo,
    Polls,
    Alt,
    Lang,
    /// The retweet's original, the quoted post is carried.
    OriginalCarried,
    QuoteCarried,
    /// What dialect x reads in post and quote.
    ReplyX,
    LinksX,
    MediaX,
    HashtagsX,
    MentionsX,
    CashtagsX,
}

impl Flag {
    pub(crate) fn of_is(flag: IsFlag, x: bool) -> Self {
        match flag {
            IsFlag::Retweet => Self::Retweet,
            IsFlag::Reply if x => Self::ReplyX,
            IsFlag::Reply => Self::Reply,
            IsFlag::Quote => Self::Quote,
            IsFlag::Verified => Self::Verified,
            IsFlag::Sensitive => Self::Sensitive,
            IsFlag::Edited => Self::Edited,
            IsFlag::SelfThread => Self::SelfThread,
            IsFlag::Bot => Self::Bot,
            IsFlag::Protected => Self::Protected,
            IsFlag::Nullcast => Self::Nullcast,
        }
    }

    pub(crate) fn of_has(flag: HasFlag, x: bool) -> Self {
        match flag {
            HasFlag::Links if x => Self::LinksX,
            HasFlag::Media if x => Self::MediaX,
            HasFlag::Hashtags if x => Self::HashtagsX,
            HasFlag::Mentions if x => Self::MentionsX,
            HasFlag::Cashtags if x => Self::CashtagsX,
            HasFlag::Links => Self::Links,
            HasFlag::Media => Self::Media,
            HasFlag::Images => Self::Images,
            HasFlag::Videos => Self::Videos,
            HasFlag::Gifs => Self::Gifs,
            HasFlag::Hashtags => Self::Hashtags,
            HasFlag::Mentions => Self::Mentions,
            HasFlag::Cashtags => Self::Cashtags,
            HasFlag::Geo => Self::Geo,
            HasFlag::ProfileGeo => Self::ProfileGeo,
            HasFlag::Polls => Self::Polls,
            HasFlag::Alt => Self::Alt,
            HasFlag::Lang => Self::Lang,
        }
    }
}

/// One place of a phrase.
#[derive(Clone, Debug)]
pub(crate) enum Element {
    /// This term stands there.
    Term(TermId),
    /// A token that matches these wildcards stands there.
    Wild(Box<Wild>),
}

impl Element {
    /// The term that stands there, if it is one.
    pub(crate) fn term(&self) -> Option<TermId> {
        match self {
            Self::Term(term) => Some(*term),
            Self::Wild(_) => None,
        }
    }
}

/// An item of a proximity, with all that are equal to it.
#[derive(Clone, Debug)]
pub(crate) struct NearItem {
    /// Stand in a row; all of them are terms.
    pub(crate) elements: Box<[Element]>,
    /// How often it must stand.
    pub(crate) times: u32,
}

impl NearItem {
    /// Its terms, in order.
    pub(crate) fn terms(&self) -> impl Iterator<Item = TermId> {
        self.elements.iter().filter_map(Element::term)
    }
}

/// A token with wildcards.
#[derive(Clone, Debug)]
pub(crate) struct Wild {
    pub(crate) term: Term,
    /// `=`: letters are compared as typed.
    pub(crate) exact: bool,
}

/// By what the tokens that match a word with wildcards are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Its first letters are a prefix of theirs.
    Head(TermId),
    /// They hold these letters; found in the text of all tokens, so perhaps across two of them.
    Part(TermId),
    /// Every token must be tried.
    None,
}

impl Wild {
    /// Whether it matches a token, of which `exact` is the text as typed.
    pub(crate) fn matches(&self, token: Token<'_>, exact: &str) -> bool {
        if self.exact { self.term.matches_exact(token.kind, exact) } else { self.term.matches(token) }
    }
}

/// A predicate that is more than a term or a flag.
#[derive(Clone, Debug)]
pub(crate) enum Atom {
    /// Three or more tokens in a row, or two of which the last has wildcards. `pairs` are all there where it is.
    Phrase { channel: Channel, elements: Box<[Element]>, pairs: Box<[TermId]> },
    /// Items near each other.
    Near { channel: Channel, items: Box<[NearItem]>, distance: u32 },
    /// A word with wildcards.
    Wild { channel: Channel, wild: Box<Wild>, reach: Reach },
    /// `~word`; `term` is its collapsed skeleton.
    Obfuscated { channel: Channel, skeleton: Box<str>, term: TermId },
    /// A substring; `term` is its literal.
    Contains { channel: Channel, needle: Box<Needle>, term: TermId },
    /// A regex; any of its literals is there where it matches, if there are any.
    Regex { pattern: Box<RegexPattern>, literals: Box<[TermId]> },
    /// `#tag*`.
    TagPrefix { channel: Channel, prefix: Box<str>, plain: bool, head: TermId },
    /// A number of the post.
    Number(NumberField, Comparison),
    /// Words of a field of the embedder's; `words` is the same asked of all such fields.
    Attribute { name: Box<str>, pattern: Box<TextPattern>, words: Test },
    /// A number of the embedder's.
    AttributeNumber(Box<str>, Comparison),
    /// `since:`, `until:`.
    Time(TimeBound, i64),
    /// `account_age:` in milliseconds.
    Age(Comparison),
    /// `since_id:`, `max_id:`.
    IdBound(IdBound, u64),
    /// `point_radius:` in kilometres.
    Radius(Point, f64),
    /// `bounding_box:`.
    Inside(Point, Point),
    /// `sample:` in hundredths of a per cent.
    Sample(u16),
}

/// All atoms of a set.
#[derive(Debug)]
pub(crate) struct Atoms {
    pub(crate) terms: Interner,
    pub(crate) list: Vec<Atom>,
    known: HashMap<Vec<u8>, AtomId>,
}

impl Atoms {
    pub(crate) fn new() -> Self {
        Self { terms: Interner::new(), list: Vec::new(), known: HashMap::new() }
    }

    /// The number of the atom that `key` identifies.
    pub(crate) fn intern(&mut self, key: Vec<u8>, atom: impl FnOnce() -> Atom) -> Test {
        let next = self.list.len() as AtomId;
        let id = *self.known.entry(key).or_insert(next);
        if id == next {
            self.list.push(atom());
        }
        Test::Atom(id)
    }

    /// A plain key in a channel.
    pub(crate) fn term(&mut self, channel: Channel, key: &str) -> Test {
        Test::Term(channel, self.terms.intern_plain(key))
    }
}
