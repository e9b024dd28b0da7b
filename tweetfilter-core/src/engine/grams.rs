//! Many literals at once, each found by one gram of it: a few bytes in a row that few other literals have.
//!
//! A bitmap over the hashes of the grams answers for nearly every place of a text; only where a bit is set are the
//! literals looked at that have their gram there. That costs about a nanosecond a byte, a tenth of what an
//! automaton takes whose rows leave the caches, whatever the number of literals up to some thousands.

use std::collections::HashMap;

use super::dictionary::Hit;

/// So many literals may share a gram; what has no other is left to the automaton, which no text makes slow.
const CROWD: u32 = 8;
/// A literal's first bytes stand for it.
const LONGEST: usize = 24;
/// Bits of the bitmap for each literal, and the most there are.
const BITS: usize = 32;
const MOST_BITS: usize = 1 << 20;

/// Literals that have a gram of `N` bytes, two to four.
///
/// **Finds every literal that occurs**, and of those longer than 24 bytes also some that do not: whoever asks must
/// confirm, as everywhere before confirmation.
#[derive(Debug)]
pub(super) struct Grams<const N: usize> {
    bits: Box<[u64]>,
    shift: u32,
    /// Where the entries of each eighth bit's bucket begin.
    starts: Box<[u32]>,
    entries: Box<[Entry]>,
    bytes: Box<[u8]>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    gram: u32,
    /// Where the literal stands in `bytes`, how long it is, and where in it the gram.
    start: u32,
    len: u8,
    at: u8,
    hit: Hit,
}

impl<const N: usize> Grams<N> {
    /// Takes out of `literals` those that it will find; `None` if there are none.
    pub(super) fn new(literals: &mut Vec<(&[u8], Hit)>) -> Option<Self> {
        let mut crowds: HashMap<u32, u32> = HashMap::new();
        let mut bytes = Vec::new();
        let mut entries = Vec::new();
        literals.retain(|(literal, hit)| {
            let literal = &literal[..literal.len().min(LONGEST)];
            let crowd = |gram: &[u8]| crowds.get(&number::<N>(gram)).copied().unwrap_or(0);
            let Some((at, gram)) = literal.windows(N).enumerate().min_by_key(|(_, gram)| crowd(gram)) else {
                return true;
            };
            let gram = number::<N>(gram);
            let crowd = crowds.entry(gram).or_default();
            if *crowd == CROWD {
                return true;
            }
            *crowd += 1;
            entries.push(Entry {
                gram,
                start: bytes.len() as u32,
                len: literal.len() as u8,
                at: at as u8,
                hit: *hit,
            });
            bytes.extend_from_slice(literal);
            false
        });
        if entries.is_empty() {
            return None;
        }
        let size = (entries.len() * BITS).next_power_of_two().clamp(1 << 10, MOST_BITS);
        let shift = 32 - size.trailing_zeros();
        entries.sort_by_key(|e| (place(e.gram, shift), e.start));
        let mut bits = vec![0u64; size / 64];
        let mut starts = vec![0u32; size / 8 + 1];
        for entry in &entries {
            let place = place(entry.gram, shift);
            bits[place / 64] |= 1 << (place % 64);
            starts[place / 8 + 1] += 1;
        }
        for bucket in 1..starts.len() {
            starts[bucket] += starts[bucket - 1];
        }
        Some(Self {
            bits: bits.into(),
            shift,
            starts: starts.into(),
            entries: entries.into(),
            bytes: bytes.into(),
        })
    }

    /// Calls `found` with every literal that occurs in the text, repeats included.
    pub(super) fn find(&self, text: &[u8], found: &mut impl FnMut(Hit)) {
        let mut at = 0;
        // Four places at a time: one branch for all, and no hash waits for the one before.
        while let Some(eight) = text.get(at..).and_then(<[u8]>::first_chunk) {
            let eight = u64::from_le_bytes(*eight);
            let grams: [u32; 4] = std::array::from_fn(|n| (eight >> (8 * n)) as u32 & Self::MASK);
            let mut known = (0..4).fold(0, |known, n| known | self.bit(grams[n]) << n);
            while known != 0 {
                let n = known.trailing_zeros() as usize;
                self.look(text, at + n, grams[n], found);
                known &= known - 1;
            }
            at += grams.len();
        }
        for (n, window) in text[at..].windows(N).enumerate() {
            let gram = number::<N>(window);
            if self.bit(gram) != 0 {
                self.look(text, at + n, gram, found);
            }
        }
    }

    const MASK: u32 = u32::MAX >> (32 - 8 * N);

    #[inline]
    fn bit(&self, gram: u32) -> u64 {
        let place = place(gram, self.shift);
        self.bits[place / 64] >> (place % 64) & 1
    }

    /// Looks at the literals whose gram may be the one at `at`.
    fn look(&self, text: &[u8], at: usize, gram: u32, found: &mut impl FnMut(Hit)) {
        let bucket = place(gram, self.shift) / 8;
        for entry in &self.entries[self.starts[bucket] as usize..self.starts[bucket + 1] as usize] {
            let literal = &self.bytes[entry.start as usize..][..usize::from(entry.len)];
            let stands = entry.gram == gram
                && at
                    .checked_sub(usize::from(entry.at))
                    .is_some_and(|start| text[start..].starts_with(literal));
            if stands {
                found(entry.hit);
            }
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.bits.len() * 8
            + self.starts.len() * 4
            + self.entries.len() * size_of::<Entry>()
            + self.bytes.len()
    }
}

#[inline]
fn number<const N: usize>(gram: &[u8]) -> u32 {
    let mut bytes = [0; 4];
    bytes[..N].copy_from_slice(gram);
    u32::from_le_bytes(bytes)
}

#[inline]
fn place(gram: u32, shift: u32) -> usize {
    (gram.wrapping_mul(0x9e37_79b1) >> shift) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is left, and the literals that were found, by number.
    fn found<const N: usize>(literals: &[Vec<u8>], text: &[u8]) -> (Vec<u32>, Vec<u32>) {
        let hits = (0..).map(|n| Hit::of_record(n, n));
        let mut open: Vec<_> = literals.iter().map(Vec::as_slice).zip(hits).collect();
        let grams = Grams::<N>::new(&mut open);
        let left = open.iter().map(|(_, hit)| hit.term).collect();
        let mut out = Vec::new();
        if let Some(grams) = grams {
            grams.find(text, &mut |hit| out.push(hit.term));
        }
        out.sort_unstable();
        out.dedup();
        (left, out)
    }

    fn naive(literals: &[Vec<u8>], left: &[u32], text: &[u8]) -> Vec<u32> {
        let occurs = |literal: &[u8]| text.windows(literal.len()).any(|w| w == literal);
        (0..).zip(literals).filter(|(n, l)| !left.contains(n) && occurs(l)).map(|(n, _)| n).collect()
    }

    proptest! {
        #[test]
        fn every_literal_that_occurs_is_found(
            literals in prop::collection::vec("[ab]{1,6}|[a-c]{20,24}|é[a-z]?", 1..40),
            text in "([ab]{0,30}|[a-cé]{0,60})",
        ) {
            let literals: Vec<Vec<u8>> = literals.into_iter().map(String::into_bytes).collect();
            let (left, all) = found::<4>(&literals, text.as_bytes());
            prop_assert_eq!(all, naive(&literals, &left, text.as_bytes()));
            let (left, all) = found::<2>(&literals, text.as_bytes());
            prop_assert_eq!(all, naive(&literals, &left, text.as_bytes()));
        }
    }

    #[test]
    fn short_and_crowded_literals_are_left() {
        let literals: Vec<Vec<u8>> = ["abc"]
            .into_iter()
            .map(String::from)
            .chain((0..10).map(|_| "abcd".into()))
            .map(String::into_bytes)
            .collect();
        let (left, all) = found::<4>(&literals, b"xabcdx");
        assert_eq!(left, [0, 9, 10]);
        assert_eq!(all, (1..9).collect::<Vec<_>>());
    }

    #[test]
    fn a_long_literal_is_found_by_its_beginning() {
        let literals = [[b"snow".repeat(6), b"man".to_vec()].concat()];
        assert_eq!(found::<4>(&literals, &b"snow".repeat(6)).1, [0]);
    }
}
