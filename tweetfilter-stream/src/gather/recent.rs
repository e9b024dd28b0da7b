//! Posts that were written already, by the bytes in which they came.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::entry::Written;

/// Bytes of messages that are remembered, to recognize late copies.
const REMEMBERED: usize = 4 << 20;

/// A post that was decoded and written already.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) key: u64,
    pub(super) network: String,
    pub(super) id: String,
    pub(super) written: Written,
}

/// Messages that came a short while ago.
#[derive(Debug, Default)]
pub(super) struct Recent {
    hasher: RandomState,
    by_hash: HashMap<u64, Known>,
    order: VecDeque<u64>,
    bytes: usize,
}

#[derive(Debug)]
pub(super) struct Known {
    pub(super) bytes: Box<[u8]>,
    pub(super) post: Arc<Told>,
}

impl Recent {
    pub(super) fn hash(&self, message: &[u8]) -> u64 {
        self.hasher.hash_one(message)
    }

    pub(super) fn find(&self, hash: u64, message: &[u8]) -> Option<&Known> {
        self.by_hash.get(&hash).filter(|known| *known.bytes == *message)
    }

    pub(super) fn add(&mut self, hash: u64, known: Known) {
        self.bytes += known.size();
        match self.by_hash.insert(hash, known) {
            Some(before) => self.bytes -= before.size(),
            None => self.order.push_back(hash),
        }
        while self.bytes > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.bytes -= self.by_hash.remove(&oldest).map_or(0, |known| known.size());
        }
    }
}

impl Known {
    fn size(&self) -> usize {
        self.bytes.len() + self.post.written.len()
    }
}

#[cfg(test)]
mod tests {
    use tweetfilter_core::post::Post;

    use super::*;

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut recent = Recent::default();
        let long = "x".repeat(1 << 20);
        for id in 0..10 {
            let post = Post { id: id.to_string(), ..Post::from_text(long.as_str()) };
            let written = Written::new(&post, false).unwrap();
            let post = Arc::new(Told { key: 0, network: String::new(), id: post.id, written });
            let known = Known { bytes: [id as u8].into(), post };
            recent.add(id, known);
        }
        assert!(recent.bytes <= REMEMBERED && recent.by_hash.len() == recent.order.len());
        assert!(recent.find(9, &[9]).is_some() && recent.find(0, &[0]).is_none());
        // Equal hashes of different messages are no copies.
        assert!(recent.find(9, &[8]).is_none());
    }
}
