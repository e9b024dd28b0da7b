//! What was given already, as far as it may come again.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// The last keys, of which only their hashes are kept.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Two: with one of 64 bits an event would be taken for another every few years.
    hashers: [RandomState; 2],
    known: HashSet<[u64; 2]>,
    order: VecDeque<[u64; 2]>,
}

/// How many are remembered: those of many seconds of the whole network.
const REMEMBERED: usize = 65_536;

impl Seen {
    /// Remembers a key; whether it is new.
    pub(super) fn is_new(&mut self, key: &[&str]) -> bool {
        let hash = [self.hashers[0].hash_one(key), self.hashers[1].hash_one(key)];
        if !self.known.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{REMEMBERED, Seen};

    #[test]
    fn the_window_is_bounded() {
        let mut seen = Seen::default();
        assert!(seen.is_new(&["ab", "c"]) && seen.is_new(&["a", "bc"]) && !seen.is_new(&["ab", "c"]));
        for n in 0..REMEMBERED {
            assert!(seen.is_new(&[&n.to_string()]));
        }
        assert!(seen.is_new(&["ab", "c"]), "forgotten by now");
        assert_eq!((seen.known.len(), seen.order.len()), (REMEMBERED, REMEMBERED));
    }
}
