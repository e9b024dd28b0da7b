//! People whom a stream told of by id alone, until it is known who they are: they are looked up after their posts came.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::people::People;

/// How long is waited before the store is asked for them, at first and at most.
const WAIT: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));
/// How long they are asked for: what is not known then is told with the next timeline.
const LONG: Duration = Duration::from_secs(600);
/// How many are asked for.
const MOST: usize = 500;

/// Those of one stream.
#[derive(Debug, Default)]
pub(super) struct Nameless {
    /// By network and id, with when they were told of first.
    since: BTreeMap<(String, String), Instant>,
    /// When to ask, and how long that was put off.
    due: Option<(Instant, Duration)>,
}

impl Nameless {
    /// Notes of whom was told by id alone.
    pub(super) fn note(&mut self, told: BTreeSet<(String, String)>, people: &People) {
        let (now, before) = (Instant::now(), self.since.len());
        for person in told.into_iter().filter(|person| !people.knows(person)) {
            if self.since.len() < MOST {
                self.since.entry(person).or_insert(now);
            }
        }
        if self.since.len() > before {
            let soon = now + WAIT.0;
            self.due = Some((self.due.map_or(soon, |(at, _)| at.min(soon)), WAIT.0));
        }
    }

    /// When to ask for them.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.map(|(at, _)| at)
    }

    /// Whom to ask for now.
    pub(super) fn take_due(&mut self) -> Option<BTreeSet<(String, String)>> {
        let now = Instant::now();
        let (_, waited) = self.due.filter(|(at, _)| *at <= now)?;
        self.since.retain(|_, since| now.duration_since(*since) < LONG);
        let wait = (waited * 2).min(WAIT.1);
        self.due = (!self.since.is_empty()).then_some((now + wait, wait));
        Some(self.since.keys().cloned().collect())
    }

    /// What to tell of those who were found, of whom nothing more is asked.
    pub(super) fn found(&mut self, people: &People) -> Vec<Value> {
        let told = people.found().map(|(person, profile)| {
            self.since.remove(person);
            let (network, id) = person;
            json!({"network": network, "id": id, "handle": profile.handle, "name": profile.name})
        });
        told.collect()
    }
}
