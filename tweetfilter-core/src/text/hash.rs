//! Hashes of token texts: quick on short ones, and keyed, since posts and filters are written by strangers.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

/// The process's key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key([u64; 3]);

impl Key {
    /// Drawn anew in each process: hashes must not be stored.
    pub(super) fn get() -> Self {
        static KEY: OnceLock<Key> = OnceLock::new();
        *KEY.get_or_init(|| {
            let random = RandomState::new();
            Self([random.hash_one(0_u8) | 1, random.hash_one(1_u8), random.hash_one(2_u8) | 1])
        })
    }

    #[inline]
    pub(super) fn hash(self, bytes: &[u8]) -> u64 {
        let Self([k0, k1, k2]) = self;
        let mut state = k0;
        let mut rest = bytes;
        while let Some((head, tail)) = rest.split_first_chunk::<16>().filter(|(_, tail)| !tail.is_empty()) {
            let [a, b] = halves(*head);
            state = fold(a ^ k1 ^ state, b ^ k2);
            rest = tail;
        }
        let n = rest.len();
        let (a, b) = if let (Some(first), Some(last)) = (rest.first_chunk(), rest.last_chunk()) {
            (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
        } else if let (Some(first), Some(last)) = (rest.first_chunk(), rest.last_chunk()) {
            (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
        } else if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
            (u64::from(*first) << 8 | u64::from(rest[n / 2]), u64::from(*last))
        } else {
            (0, 0)
        };
        fold(fold(a ^ k1 ^ state, b ^ k2) ^ bytes.len() as u64, k2)
    }
}

/// The hash of a token's text, as in [`super::Token::plain_hash`] and [`super::Token::folded_hash`].
#[must_use]
pub fn hash(text: &str) -> u64 {
    Key::get().hash(text.as_bytes())
}

fn halves(bytes: [u8; 16]) -> [u64; 2] {
    let n = u128::from_le_bytes(bytes);
    [n as u64, (n >> 64) as u64]
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::hash;

    #[test]
    fn texts_of_every_length_hash_apart() {
        let text = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
        let mut seen = HashSet::new();
        for start in 0..26 {
            for end in start..text.len() {
                seen.insert(hash(&text[start..end]));
            }
        }
        let all: HashSet<&str> = (0..26).flat_map(|s| (s..text.len()).map(move |e| &text[s..e])).collect();
        assert_eq!(seen.len(), all.len());
    }
}
