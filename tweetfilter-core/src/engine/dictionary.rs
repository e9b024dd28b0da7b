//! The term dictionary: bytes to term, and term to postings, in one arena.
//!
//! While a set is built, [`Interner`] gives each key a dense number. [`Dictionary`] is the frozen form: a bitmap
//! that most keys of a post stop at, small enough for the caches; a table of tags and offsets; and an arena of
//! records, each a key with its posting lists behind it. So a miss costs one cache line of few, a hit two more.
//! Keys are verified on every hit; the hash is seeded per process.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use crate::plan::channel::{Channel, Channels, Level};

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
    /// An account on one network.
    Identity,
    /// A named set that matched.
    Set,
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
    fn hash_pair(self, a: u32, b: u32) -> u64 {
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

/// Number of a term: dense, in the order of first use.
pub(crate) type TermId = u32;

/// No term.
pub(crate) const NO_TERM: TermId = u32::MAX;

/// Open addressing over 64-bit slots: the upper half a tag, the lower half a value plus one.
#[derive(Debug, Default)]
struct Table {
    slots: Vec<u64>,
    len: usize,
}

impl Table {
    fn with_room(entries: usize) -> Self {
        Self { slots: vec![0; (entries * 2).next_power_of_two().max(16)], len: 0 }
    }

    /// The slot at which a search for a hash begins.
    #[inline]
    fn first(&self, hash: u64) -> u64 {
        self.slots[hash as usize & (self.slots.len() - 1)]
    }

    #[inline]
    fn find(&self, hash: u64, mut same: impl FnMut(u32) -> bool) -> Option<u32> {
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

    fn insert(&mut self, hash: u64, value: u32) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = hash >> 32 << 32 | u64::from(value + 1);
        self.len += 1;
    }

    fn is_crowded(&self) -> bool {
        self.len * 2 >= self.slots.len()
    }
}

/// Keys and their numbers while a set is built.
#[derive(Debug)]
pub(crate) struct Interner {
    seed: Seed,
    table: Table,
    bytes: Vec<u8>,
    keys: Vec<Key>,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    hash: u64,
    start: u32,
    len: u32,
    kind: KeyKind,
    flags: u8,
}

impl Interner {
    pub(crate) fn new() -> Self {
        Self { seed: Seed::random(), table: Table::with_room(64), bytes: Vec::new(), keys: Vec::new() }
    }

    /// The number of a key, a new one if it was not seen before.
    pub(crate) fn intern(&mut self, kind: KeyKind, key: &[u8]) -> TermId {
        let hash = self.seed.hash(kind, key);
        self.intern_hashed(hash, kind, key)
    }

    /// The number of a plain key: a folded token or a whole value.
    pub(crate) fn intern_plain(&mut self, key: &str) -> TermId {
        self.intern_hashed(crate::text::hash(key), KeyKind::Plain, key.as_bytes())
    }

    /// The number of a token as typed; its plain text then says that it is worth asking for.
    pub(crate) fn intern_exact(&mut self, exact: &str, plain: &str) -> TermId {
        let gate = self.intern_plain(plain);
        self.keys[gate as usize].flags |= TYPED;
        self.intern(KeyKind::Exact, exact.as_bytes())
    }

    /// The number of two terms in a row.
    pub(crate) fn intern_pair(&mut self, a: TermId, b: TermId) -> TermId {
        let mut key = [0; 8];
        key[..4].copy_from_slice(&a.to_le_bytes());
        key[4..].copy_from_slice(&b.to_le_bytes());
        self.intern_hashed(self.seed.hash_pair(a, b), KeyKind::Pair, &key)
    }

    fn intern_hashed(&mut self, hash: u64, kind: KeyKind, key: &[u8]) -> TermId {
        let (keys, bytes) = (&self.keys, &self.bytes);
        let found = self.table.find(hash, |id| {
            let k = keys[id as usize];
            k.kind == kind && &bytes[k.start as usize..(k.start + k.len) as usize] == key
        });
        if let Some(id) = found {
            return id;
        }
        let id = self.keys.len() as TermId;
        self.keys.push(Key { hash, start: self.bytes.len() as u32, len: key.len() as u32, kind, flags: 0 });
        self.bytes.extend_from_slice(key);
        if self.table.is_crowded() {
            let mut larger = Table::with_room(self.keys.len() * 2);
            for (i, k) in self.keys[..self.keys.len() - 1].iter().enumerate() {
                larger.insert(k.hash, i as u32);
            }
            self.table = larger;
        }
        self.table.insert(hash, id);
        id
    }

    /// Number of keys.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Kind and bytes of a key.
    pub(crate) fn key(&self, id: TermId) -> (KeyKind, &[u8]) {
        let k = self.keys[id as usize];
        (k.kind, &self.bytes[k.start as usize..(k.start + k.len) as usize])
    }

    /// Lays out keys with their postings, which must be sorted by term.
    pub(crate) fn freeze(&self, postings: &[(TermId, ListHeader, Posting)]) -> Dictionary {
        let mut flags: Vec<u8> = self.keys.iter().map(|key| key.flags).collect();
        for key in &self.keys {
            if key.kind == KeyKind::Pair {
                let (a, b) = pair_of(&self.bytes[key.start as usize..]);
                flags[a as usize] |= STARTS_PAIR;
                flags[b as usize] |= ENDS_PAIR;
            }
        }
        let mut dictionary = Dictionary {
            seed: self.seed,
            known: Bitmap::with_room(self.keys.len()),
            table: Table::with_room(self.keys.len()),
            records: Vec::with_capacity(self.bytes.len() + self.keys.len() * 8 + postings.len() * 9),
            offsets: Vec::new(),
        };
        let mut rest = postings;
        for (id, key) in self.keys.iter().enumerate() {
            let mine = rest.iter().take_while(|p| p.0 as usize == id).count();
            let (own, others) = rest.split_at(mine);
            rest = others;
            let offset = dictionary.records.len() as u32;
            let bytes = &self.bytes[key.start as usize..(key.start + key.len) as usize];
            push_record(&mut dictionary.records, id as TermId, *key, bytes, flags[id], own);
            if matches!(key.kind, KeyKind::Literal | KeyKind::RegexLiteral | KeyKind::Set) {
                dictionary.offsets.push((id as TermId, offset));
            } else {
                dictionary.table.insert(key.hash, offset);
                dictionary.known.insert(key.hash);
            }
        }
        dictionary.records.shrink_to_fit();
        dictionary
    }
}

fn pair_of(key: &[u8]) -> (u32, u32) {
    let n = |i: usize| u32::from_le_bytes([key[i], key[i + 1], key[i + 2], key[i + 3]]);
    (n(0), n(4))
}

/// The term begins (ends) a pair.
const STARTS_PAIR: u8 = 1;
const ENDS_PAIR: u8 = 2;
/// It is the plain text of a token that some filter asks for as typed.
const TYPED: u8 = 4;

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

// A record: term u32, key length (24 bits) and kind, lists u8, flags u8, key, lists.
// A list: channel u8, level u8, count u32, postings of eight bytes.
fn push_record(
    out: &mut Vec<u8>,
    id: TermId,
    key: Key,
    bytes: &[u8],
    flags: u8,
    own: &[(TermId, ListHeader, Posting)],
) {
    let lists: Vec<_> = own.chunk_by(|a, b| a.1 == b.1).collect();
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&identity(key.kind, bytes).to_le_bytes());
    out.push(lists.len().min(255) as u8);
    out.push(flags);
    out.extend_from_slice(bytes);
    for list in lists {
        out.push(list[0].1.channel as u8);
        out.push(list[0].1.level as u8);
        out.extend_from_slice(&(list.len() as u32).to_le_bytes());
        for posting in list {
            out.extend_from_slice(&posting.2.0.to_le_bytes());
        }
    }
}

const HEAD: usize = 10;

/// Kind and length of a key: an expression, and with it any key, is shorter than 2²⁴ bytes.
#[inline]
fn identity(kind: KeyKind, key: &[u8]) -> u32 {
    (kind as u32) << 24 | key.len() as u32
}

#[inline]
fn identity_of(head: &[u8]) -> u32 {
    u32::from_le_bytes([head[4], head[5], head[6], head[7]])
}

#[inline]
fn key_len(head: &[u8]) -> usize {
    (identity_of(head) & 0xff_ffff) as usize
}

/// Equality of two keys of the same length, most of them a few bytes long.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    match (a.first_chunk::<8>(), b.first_chunk::<8>(), a.last_chunk::<8>(), b.last_chunk::<8>()) {
        (Some(a_first), Some(b_first), Some(a_last), Some(b_last)) => {
            a_first == b_first && a_last == b_last && (a.len() <= 16 || a == b)
        }
        _ => a.is_empty() || tail(a) == tail(b),
    }
}

/// A bit for the hash of every key: most keys of a post are none, and end here.
///
/// **A set bit means nothing yet**: other keys share it.
#[derive(Debug, Default)]
struct Bitmap {
    bits: Vec<u64>,
}

impl Bitmap {
    /// At least eight bits for each key.
    fn with_room(keys: usize) -> Self {
        Self { bits: vec![0; (keys / 8).next_power_of_two().max(16)] }
    }

    // The table takes the hash's lowest bits.
    #[inline]
    fn place(&self, hash: u64) -> (usize, u32) {
        ((hash >> 40) as usize & (self.bits.len() - 1), (hash >> 34) as u32 & 63)
    }

    fn insert(&mut self, hash: u64) {
        let (word, bit) = self.place(hash);
        self.bits[word] |= 1 << bit;
    }

    #[inline]
    fn has(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.bits[word] >> bit & 1 == 1
    }
}

/// Keys with their postings, frozen.
#[derive(Debug)]
pub(crate) struct Dictionary {
    seed: Seed,
    known: Bitmap,
    table: Table,
    records: Vec<u8>,
    /// Records of literals and sets, by term.
    offsets: Vec<(TermId, u32)>,
}

/// A term that the dictionary knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub(crate) term: TermId,
    /// Where its record stands.
    pub(crate) record: u32,
    flags: u8,
}

impl Hit {
    /// A term whose record is known.
    pub(crate) fn of_record(term: TermId, record: u32) -> Self {
        Self { term, record, flags: 0 }
    }

    #[inline]
    pub(crate) fn starts_pair(self) -> bool {
        self.flags & STARTS_PAIR != 0
    }

    #[inline]
    pub(crate) fn ends_pair(self) -> bool {
        self.flags & ENDS_PAIR != 0
    }

    /// Whether the token as typed is worth a look-up.
    #[inline]
    pub(crate) fn is_typed(self) -> bool {
        self.flags & TYPED != 0
    }
}

impl Dictionary {
    /// Whether a key of this hash may be there.
    #[inline]
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        self.known.has(hash)
    }

    /// Reads what look-ups of these hashes are going to read, so that their waits for memory overlap.
    #[inline]
    pub(crate) fn warm(&self, hashes: impl Iterator<Item = u64> + Clone) {
        let slots = hashes.map(|hash| self.table.first(hash));
        std::hint::black_box(slots.clone().fold(0, |all, slot| all ^ slot));
        let heads = slots.filter_map(|slot| self.records.get((slot as u32).checked_sub(1)? as usize + HEAD));
        std::hint::black_box(heads.fold(0, |all, byte| all ^ byte));
    }

    /// A plain key by its [`crate::text::hash`], which tokens bring along.
    #[inline]
    pub(crate) fn get_plain(&self, hash: u64, key: &[u8]) -> Option<Hit> {
        self.find(hash, KeyKind::Plain, key)
    }

    #[inline]
    pub(crate) fn get(&self, kind: KeyKind, key: &[u8]) -> Option<Hit> {
        self.find(self.seed.hash(kind, key), kind, key)
    }

    /// Two terms in a row.
    #[inline]
    pub(crate) fn get_pair(&self, a: TermId, b: TermId) -> Option<Hit> {
        let mut key = [0; 8];
        key[..4].copy_from_slice(&a.to_le_bytes());
        key[4..].copy_from_slice(&b.to_le_bytes());
        self.find(self.seed.hash_pair(a, b), KeyKind::Pair, &key)
    }

    /// The record of a literal or set.
    pub(crate) fn literal(&self, term: TermId) -> Option<Hit> {
        let at = self.offsets.binary_search_by_key(&term, |o| o.0).ok()?;
        Some(self.hit(self.offsets[at].1))
    }

    #[inline]
    fn find(&self, hash: u64, kind: KeyKind, key: &[u8]) -> Option<Hit> {
        if !self.known.has(hash) {
            return None;
        }
        let wanted = identity(kind, key);
        let offset = self.table.find(hash, |offset| {
            let at = offset as usize;
            let head = &self.records[at..at + HEAD];
            identity_of(head) == wanted && is_same(&self.records[at + HEAD..at + HEAD + key.len()], key)
        })?;
        Some(self.hit(offset))
    }

    #[inline]
    fn hit(&self, offset: u32) -> Hit {
        let head = &self.records[offset as usize..offset as usize + HEAD];
        Hit { term: u32::from_le_bytes([head[0], head[1], head[2], head[3]]), record: offset, flags: head[9] }
    }

    /// Calls `each` with the postings of a record in the given channels of one level.
    #[inline]
    pub(crate) fn postings(
        &self,
        record: u32,
        channels: Channels,
        level: Level,
        mut each: impl FnMut(Posting),
    ) {
        let at = record as usize;
        let head = &self.records[at..at + HEAD];
        let mut at = at + HEAD + key_len(head);
        for _ in 0..head[8] {
            let list = &self.records[at..at + 6];
            let bytes = u32::from_le_bytes([list[2], list[3], list[4], list[5]]) as usize * 8;
            at += 6;
            if channels.0 >> list[0] & 1 == 1 && list[1] == level as u8 {
                for posting in self.records[at..at + bytes].chunks_exact(8) {
                    each(Posting(u64::from_le_bytes(posting.try_into().unwrap_or_default())));
                }
            }
            at += bytes;
        }
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        self.known.bits.len() * 8 + self.table.slots.len() * 8 + self.records.len() + self.offsets.len() * 8
    }
}
