//! Kinds of keys, their hashes, and the tables that are looked up by these.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// What kind of key: the first byte of its hash, so that equal bytes of different kinds differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum KeyKind {
    /// Folded or plain token, or a whole value.
    Plain,
    /// Token as typed (`=`).
    Exact,
    /// Fully collapsed skeleton (`~`).
    Obfuscated,
    /// First characters of a wildcard word or tag.
    Prefix,
    /// Two terms in a row, as their numbers.
    Pair,
    /// A literal that Aho-Corasick finds; never looked up by hash at match time.
    Literal,
    /// The same for regexes, searched in another text.
    RegexLiteral,
    /// The same for words with wildcards, searched in the folded tokens.
    Part,
    /// The same for those under `=`, searched in the tokens as typed.
    ExactPart,
    /// An account on one network.
    Identity,
    /// A named set that matched.
    Set,
}

impl KeyKind {
    /// Whether its terms are found by their numbers: their keys are searched for, not looked up by hash.
    pub(crate) fn is_numbered(self) -> bool {
        matches!(self, Self::Literal | Self::RegexLiteral | Self::Part | Self::ExactPart | Self::Set)
    }
}

/// Hashes keys with a seed per process: filters and posts are written by strangers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed(u64, u64);

impl Seed {
    pub(crate) fn random() -> Self {
        let state = RandomState::new();
        Self(state.hash_one(1u8) | 1, state.hash_one(2u8) | 1)
    }

    /// Folded multiplication over eight bytes at a time.
    #[inline]
    pub(crate) fn hash(self, kind: KeyKind, bytes: &[u8]) -> u64 {
        let mut h = self.0 ^ (kind as u64) ^ ((bytes.len() as u64) << 8);
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            h = mix(h ^ u64::from_le_bytes(chunk.try_into().unwrap_or_default()), self.1);
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            h = mix(h ^ tail(rest), self.1);
        }
        mix(h, 0x9e37_79b9_7f4a_7c15)
    }

    #[inline]
    pub(super) fn hash_pair(self, a: u32, b: u32) -> u64 {
        mix(
            mix(self.0 ^ KeyKind::Pair as u64 ^ (u64::from(a) << 32 | u64::from(b)), self.1),
            0x9e37_79b9_7f4a_7c15,
        )
    }
}

#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

/// One to seven bytes as a number.
#[inline]
fn tail(rest: &[u8]) -> u64 {
    let n = rest.len();
    if n >= 4 {
        let low = u32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]);
        let high = u32::from_le_bytes([rest[n - 4], rest[n - 3], rest[n - 2], rest[n - 1]]);
        u64::from(low) | u64::from(high) << 32
    } else {
        u64::from(rest[0]) | u64::from(rest[n / 2]) << 8 | u64::from(rest[n - 1]) << 16
    }
}

/// Equality of two keys of the same length, most of them a few bytes long.
#[inline]
pub(super) fn is_same(a: &[u8], b: &[u8]) -> bool {
    match (a.first_chunk::<8>(), b.first_chunk::<8>(), a.last_chunk::<8>(), b.last_chunk::<8>()) {
        (Some(a_first), Some(b_first), Some(a_last), Some(b_last)) => {
            a_first == b_first && a_last == b_last && (a.len() <= 16 || a == b)
        }
        _ => a.is_empty() || tail(a) == tail(b),
    }
}

/// Open addressing over 64-bit slots: the upper half a tag, the lower half a value plus one.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) slots: Vec<u64>,
    len: usize,
}

impl Table {
    pub(super) fn with_room(entries: usize) -> Self {
        Self { slots: vec![0; (entries * 2).next_power_of_two().max(16)], len: 0 }
    }

    /// The slot at which a search for a hash begins.
    #[inline]
    pub(super) fn first(&self, hash: u64) -> u64 {
        self.slots[hash as usize & (self.slots.len() - 1)]
    }

    #[inline]
    pub(super) fn find(&self, hash: u64, mut same: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = hash as usize & mask;
        loop {
            let slot = *self.slots.get(at)?;
            if slot == 0 {
                return None;
            }
            if slot >> 32 == hash >> 32 && same(slot as u32 - 1) {
                return Some(slot as u32 - 1);
            }
            at = (at + 1) & mask;
        }
    }

    pub(super) fn insert(&mut self, hash: u64, value: u32) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = hash >> 32 << 32 | u64::from(value + 1);
        self.len += 1;
    }

    pub(super) fn is_crowded(&self) -> bool {
        self.len * 2 >= self.slots.len()
    }
}

/// A bit for the hash of every key: most keys of a post are none, and end here.
///
/// **A set bit means nothing yet**: other keys share it.
#[derive(Debug, Default)]
pub(super) struct Bitmap {
    pub(super) bits: Vec<u64>,
}

impl Bitmap {
    /// At least eight bits for each key.
    pub(super) fn with_room(keys: usize) -> Self {
        Self { bits: vec![0; (keys / 8).next_power_of_two().max(16)] }
    }

    // The table takes the hash's lowest bits.
    #[inline]
    fn place(&self, hash: u64) -> (usize, u32) {
        ((hash >> 40) as usize & (self.bits.len() - 1), (hash >> 34) as u32 & 63)
    }

    pub(super) fn insert(&mut self, hash: u64) {
        let (word, bit) = self.place(hash);
        self.bits[word] |= 1 << bit;
    }

    #[inline]
    pub(super) fn has(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.bits[word] >> bit & 1 == 1
    }
}
