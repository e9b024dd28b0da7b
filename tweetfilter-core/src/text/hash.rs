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

    pub(super) fn hash(self, bytes: &[u8]) -> u64 {
        if bytes.len() <= SHORT {
            let mut padded = [0; SHORT];
            padded[..bytes.len()].copy_from_slice(bytes);
            return self.short(u128::from_le_bytes(padded));
        }
        let [mut state, ..] = self.0;
        for block in bytes.chunks(SHORT) {
            let mut padded = [0; SHORT];
            padded[..block.len()].copy_from_slice(block);
            state = fold(state, self.short(u128::from_le_bytes(padded)) | 1);
        }
        state ^ bytes.len() as u64
    }

    /// The same for the first `len` bytes of `bytes`. Where enough bytes follow them, it does not branch on the
    /// length, which no processor can foresee.
    #[inline]
    pub(super) fn hash_first(self, bytes: &[u8], len: usize) -> u64 {
        match (bytes.first_chunk::<SHORT>(), MASKS.get(len)) {
            (Some(first), Some(mask)) => self.short(u128::from_le_bytes(*first) & mask),
            _ => self.hash(&bytes[..len]),
        }
    }

    /// Tokens hold no NUL, so that padding keeps lengths apart.
    #[inline]
    fn short(self, text: u128) -> u64 {
        let Self([k0, k1, k2]) = self;
        fold(fold(text as u64 ^ k1, (text >> 64) as u64 ^ k2), k0)
    }
}

const SHORT: usize = 16;

/// What leaves the first bytes of sixteen.
static MASKS: [u128; SHORT + 1] = {
    let mut masks = [u128::MAX; SHORT + 1];
    let mut len = 0;
    while len < SHORT {
        masks[len] = (1 << (8 * len)) - 1;
        len += 1;
    }
    masks
};

/// The hash of a token's text, as in [`super::Token::plain_hash`] and [`super::Token::folded_hash`].
#[must_use]
pub fn hash(text: &str) -> u64 {
    Key::get().hash(text.as_bytes())
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Key, hash};

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
        for len in 0..20 {
            let all = Key::get().hash_first(text.as_bytes(), len);
            let near_end = Key::get().hash_first(&text.as_bytes()[..len + 1], len);
            assert_eq!((all, near_end), (hash(&text[..len]), hash(&text[..len])));
        }
    }
}
