//! Numbers of batches, by which Redis knows one again that is sent twice.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::buffer::{Batch, Fence};

/// What this process sent, by source.
#[derive(Debug, Default)]
pub(super) struct Sent(HashMap<String, Last>);

#[derive(Debug, Default)]
struct Last {
    fence: Fence,
    number: u64,
    /// By this the batch is known again whose answer did not come.
    unknown: Option<u64>,
}

impl Sent {
    /// The number of a batch: that of the one before, if that is the same and its answer did not come.
    pub(super) fn number(&mut self, batch: &Batch) -> u64 {
        let digest = digest(batch);
        let last = self.0.entry(batch.source.clone()).or_default();
        if last.fence != batch.fence {
            *last = Last { fence: batch.fence, ..Last::default() };
        }
        if last.unknown != Some(digest) {
            last.number += 1;
        }
        last.unknown = Some(digest);
        last.number
    }

    /// The answer to the last batch of a source came: it is stored.
    pub(super) fn answered(&mut self, source: &str) {
        if let Some(last) = self.0.get_mut(source) {
            last.unknown = None;
        }
    }
}

fn digest(batch: &Batch) -> u64 {
    let mut hasher = DefaultHasher::new();
    for entry in &batch.entries {
        (entry.key, &entry.bytes).hash(&mut hasher);
    }
    batch.cursor.hash(&mut hasher);
    format!("{:?}{:?}", batch.counts, batch.gaps).hash(&mut hasher);
    hasher.finish()
}
