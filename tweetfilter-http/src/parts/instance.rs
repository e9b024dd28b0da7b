//! Under which name a process claims a source.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use tweetfilter_sql::Database;
use tweetfilter_stream::source::Chunk;

use super::forgotten::Memory;
use crate::ops::Part;

/// The name of an instance. A source goes back at once to who claims it under the name of its holder, so that a process
/// that was started again need not wait. Of two processes that have one name each would rob the other so: who was robbed
/// goes on under a name of its own, and waits like a stranger. It remembers where its source stood, so each source has an
/// instance of its own. Clones share what happened.
#[derive(Clone, Debug)]
pub struct Instance {
    name: String,
    /// The name that no other process has, once it is needed.
    own: Arc<Mutex<Option<String>>>,
    memory: Memory,
    /// Who says how the connection of the source is.
    part: Option<Arc<Part>>,
}

impl Instance {
    /// An instance of a name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), own: Arc::default(), memory: Memory::default(), part: None }
    }

    /// Has a store say whether a source was read before that the buffer does not know.
    #[must_use]
    pub fn asking(mut self, store: &Database) -> Self {
        self.memory.asking(store);
        self
    }

    /// Has a part say how the connection of its source is.
    #[must_use]
    pub fn told_by(mut self, part: &Arc<Part>) -> Self {
        self.part = Some(part.clone());
        self
    }

    /// The source gave this.
    pub(super) fn gave(&self, chunk: &Chunk) {
        if let Some(part) = &self.part {
            part.gave(chunk);
        }
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The name to claim under.
    pub(super) fn claims_as(&self) -> String {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_else(|| self.name.clone())
    }

    /// Whether another process may have this name.
    pub(super) fn is_shared_with(&self, holder: &str) -> bool {
        holder == self.name && self.claims_as() != self.name
    }

    /// Another process has taken the source over.
    pub(super) fn was_robbed(&self) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.get_or_insert_with(|| {
            let number = RandomState::new().hash_one(std::process::id());
            format!("{}/{:08x}", self.name, number as u32)
        });
    }

    /// A stranger holds the source, and nobody of this name.
    pub(super) fn goes_by_its_name(&self) {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_robbed_waits_under_a_name_of_its_own_until_a_stranger_is_there() {
        let instance = Instance::new("host");
        let part = instance.clone();
        assert_eq!((part.claims_as().as_str(), part.is_shared_with("host")), ("host", false));
        part.was_robbed();
        let own = instance.claims_as();
        assert!(own.starts_with("host/") && instance.is_shared_with("host") && !instance.is_shared_with("b"));
        instance.was_robbed();
        assert_eq!(instance.claims_as(), own);
        part.goes_by_its_name();
        assert_eq!(instance.claims_as(), "host");
    }
}
