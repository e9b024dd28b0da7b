//! The term dictionary: bytes to term, and term to postings, in one arena.
//!
//! While a set is built, [`Interner`] gives each key a dense number. [`Dictionary`] is the frozen form: a bitmap
//! that most keys of a post stop at, small enough for the caches; a table of tags and offsets; and an arena of
//! records, each a key with its posting lists behind it. So a miss costs one cache line of few, a hit two more.
//! Keys are verified on every hit; the hash is seeded per process.

use super::hash::{Bitmap, Seed, Table, is_same};
use crate::plan::channel::{Channels, Level};

pub(crate) use super::hash::KeyKind;
pub(crate) use super::posting::{ListHeader, Posting};

/// Number of a term: dense, in the order of first use.
pub(crate) type TermId = u32;

/// No term.
pub(crate) const NO_TERM: TermId = u32::MAX;

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
        let lists = postings.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).count();
        let room = self.bytes.len() + self.keys.len() * HEAD + lists * LIST_HEAD + postings.len() * 8;
        let mut dictionary = Dictionary {
            seed: self.seed,
            known: Bitmap::with_room(self.keys.len()),
            table: Table::with_room(self.keys.len()),
            records: Vec::with_capacity(room),
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
            if key.kind.is_numbered() {
                dictionary.offsets.push((id as TermId, offset));
            } else {
                dictionary.table.insert(key.hash, offset);
                dictionary.known.insert(key.hash);
            }
        }
        debug_assert_eq!(dictionary.records.len(), room, "all that was written was counted");
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

/// Bytes of a record before its key, and of a list before its postings.
const HEAD: usize = 10;
const LIST_HEAD: usize = 6;

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
            let list = &self.records[at..at + LIST_HEAD];
            let bytes = u32::from_le_bytes([list[2], list[3], list[4], list[5]]) as usize * 8;
            at += LIST_HEAD;
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
