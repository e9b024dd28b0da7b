//! The compiled form of a set of filters, and what builds it.
//!
//! postings → candidates → confirm: a term that a post holds leads through its [`dictionary::Posting`]s to
//! candidates; conditions beside the posting drop most of them; a flat [`program`] confirms the rest.

pub(crate) mod build;
pub(crate) mod dictionary;
mod grams;
mod hash;
pub(crate) mod literals;
pub(crate) mod masks;
mod posting;
pub(crate) mod program;

use crate::parts::{Part, Parts};
use crate::plan::atoms::Atom;
use crate::plan::channel::{Channel, Channels, Level};
use dictionary::{Dictionary, Posting};
use literals::Literals;
use masks::Masks;
use program::Program;

/// Everything that evaluation reads: immutable and shared.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) dictionary: Dictionary,
    pub(crate) literals: Literals,
    pub(crate) atoms: Vec<Atom>,
    pub(crate) program: Program,
    pub(crate) masks: Masks,
    /// Filters without access atoms, tried on every post.
    pub(crate) scanned: Vec<Posting>,
    pub(crate) sets: Vec<SetEntry>,
    /// Those without access atoms, tried on every post.
    pub(crate) scanned_sets: Vec<ScannedSet>,
    pub(crate) uses: Uses,
    /// Number of filters; postings with larger numbers lead to named sets.
    pub(crate) filters: u32,
}

/// A named set: when its program holds, its term is present.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetEntry {
    /// Where its term's postings stand.
    pub(crate) record: u32,
    pub(crate) term: u32,
    pub(crate) level: Level,
}

/// A named set without access atoms.
#[derive(Debug)]
pub(crate) struct ScannedSet {
    pub(crate) number: u32,
    /// As filters write it.
    pub(crate) atom: Box<str>,
}

/// Which parts of a post any filter reads: the rest is not prepared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uses {
    /// By level: post, quote, original, deeper.
    pub(crate) channels: [Channels; 4],
    /// How many scopes stand inside each other at most.
    pub(crate) depth: usize,
    /// `=` with wildcards, `~` and pairs occur.
    pub(crate) exact_wild: bool,
    pub(crate) obfuscated: bool,
    pub(crate) pairs: bool,
    /// Identities (`me`) occur.
    pub(crate) identities: bool,
    /// Bit n: prefixes of n characters occur.
    pub(crate) prefixes: u8,
    /// Whether in:quote, in:retweet occur.
    pub(crate) quote: bool,
    pub(crate) original: bool,
}

impl Index {
    /// The parts of posts that any filter reads.
    pub(crate) fn parts(&self) -> Parts {
        let is_used = |channel: Channel| self.uses.channels.iter().any(|used| used.has(channel));
        let by_age = || self.atoms.iter().any(|atom| matches!(atom, Atom::Age(_)));
        let read = [
            (Part::Name, is_used(Channel::BioName)),
            (Part::Bio, is_used(Channel::Bio)),
            (Part::Location, is_used(Channel::BioLocation)),
            (Part::AccountTime, by_age()),
            (Part::Source, is_used(Channel::Source)),
        ];
        read.into_iter().filter(|(_, read)| *read).fold(Parts::NONE, |parts, (part, _)| parts.with(part))
    }

    /// Bytes of memory, the texts of filters not included.
    pub(crate) fn bytes(&self) -> usize {
        self.dictionary.bytes()
            + self.literals.bytes()
            + self.atoms.len() * size_of::<Atom>()
            + self.program.bytes()
            + self.scanned.len() * size_of::<Posting>()
    }
}
