//! The worker: entries from the buffer are evaluated for everyone who saw them, and stored.
//!
//! It knows neither clock nor runtime: [`Worker::step`] does one batch, and says what came of it; the caller decides
//! when to go on. The order within a step is the whole guarantee: **lease, evaluate, commit, and only then
//! acknowledge**. Whoever dies in between leaves the entries leased, and another gets them.

mod compiled;
mod evaluate;

use std::collections::VecDeque;
use std::time::Duration;

use tweetfilter_core::Scratch;
use tweetfilter_core::budget::Price;
use tweetfilter_core::post::Millis;

use crate::buffer::{Buffer, BufferError, Leased};
use crate::entry::{Entry, EntryError};
use crate::store::{Committed, DeadLetter, Outcome, Store, StoreError};

pub use compiled::{Compiled, RefusedFilter};

/// How a worker works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Entries of one batch.
    pub batch: usize,
    /// How long a batch may take before others get its entries.
    pub lease: Duration,
    /// How long filters are used before the store is asked for newer ones.
    pub filters_for: Duration,
    /// Whether posts that no filter matched are stored too.
    pub keep_all: bool,
    /// What the filters of one account may cost a post together.
    pub budget: Price,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch: 512,
            lease: Duration::from_secs(60),
            filters_for: Duration::from_secs(1),
            keep_all: true,
            budget: Price::OWNER,
        }
    }
}

/// What a step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Entries that were done with; 0: there are none.
    pub entries: usize,
    /// What the commits did, in order.
    pub commits: Vec<Committed>,
    /// Entries that went to the dead letters, with the reason.
    pub dead: Vec<String>,
    /// Entries that stay in the buffer since only a newer version understands them.
    pub held: usize,
    /// Whether the filters are new, and how many of them can't be used.
    pub filters: Option<usize>,
}

/// Why a step did not end. Nothing is lost: the next step goes on with the same entries.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The buffer did not do it.
    #[error(transparent)]
    Buffer(#[from] BufferError),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Evaluates entries of a buffer and stores what became of them.
#[derive(Debug)]
pub struct Worker<B, S> {
    buffer: B,
    store: S,
    name: String,
    options: Options,
    compiled: Option<Compiled>,
    asked_at: Millis,
    scratch: Scratch,
    /// Parts of the leased batch that are not committed yet.
    open: VecDeque<Vec<Leased>>,
}

impl<B: Buffer, S: Store> Worker<B, S> {
    /// A worker with a name that no other has.
    pub fn new(name: impl Into<String>, buffer: B, store: S, options: Options) -> Self {
        Self {
            buffer,
            store,
            name: name.into(),
            options,
            compiled: None,
            asked_at: Millis::MIN,
            scratch: Scratch::default(),
            open: VecDeque::new(),
        }
    }

    /// The filters that are used now.
    #[must_use]
    pub fn compiled(&self) -> Option<&Compiled> {
        self.compiled.as_ref()
    }

    /// Does one batch, at the given time.
    ///
    /// # Errors
    /// See [`StepError`]: wait and call again. What was leased is kept, or comes back when its lease has run out.
    pub async fn step(&mut self, now: Millis) -> Result<Step, StepError> {
        let mut step = Step::default();
        self.refresh(now, &mut step).await?;
        if self.open.is_empty() {
            let leased = self.buffer.lease(&self.name, self.options.batch, self.options.lease).await?;
            if leased.is_empty() {
                return Ok(step);
            }
            self.open.push_back(leased);
        } else {
            let ids: Vec<_> = self.open.iter().flatten().map(|entry| entry.id.clone()).collect();
            self.buffer.extend(&self.name, &ids, self.options.lease).await?;
        }
        while let Some(part) = self.open.front() {
            match self.part(part.clone(), now, &mut step).await {
                Ok(()) => {
                    self.open.pop_front();
                }
                Err(StepError::Store(StoreError::Refused(_))) => self.bisect(),
                Err(error) => return Err(error),
            }
        }
        Ok(step)
    }

    /// Gives back what was leased and not done, for another to go on with.
    ///
    /// # Errors
    /// As [`Buffer::release`].
    pub async fn release(&mut self) -> Result<(), BufferError> {
        let ids: Vec<_> = self.open.drain(..).flatten().map(|entry| entry.id).collect();
        if ids.is_empty() { Ok(()) } else { self.buffer.release(&self.name, &ids).await }
    }

    async fn refresh(&mut self, now: Millis, step: &mut Step) -> Result<(), StoreError> {
        let due = self.asked_at.saturating_add(self.options.filters_for.as_millis() as Millis);
        if self.compiled.is_some() && now < due && now >= self.asked_at {
            return Ok(());
        }
        let known = self.compiled.as_ref().map(Compiled::revision);
        if let Some(snapshot) = self.store.filters(known).await? {
            let compiled = Compiled::new(&snapshot, self.options.budget);
            step.filters = Some(compiled.refused().len());
            self.compiled = Some(compiled);
        }
        self.asked_at = now;
        Ok(())
    }

    /// Evaluates, commits and acknowledges some entries.
    async fn part(&mut self, part: Vec<Leased>, now: Millis, step: &mut Step) -> Result<(), StepError> {
        let Some(compiled) = &self.compiled else { return Ok(()) };
        let mut outcome = Outcome { revision: compiled.revision(), at: now, ..Outcome::default() };
        let mut ids = Vec::with_capacity(part.len());
        let mut entries = Vec::with_capacity(part.len());
        let mut held = 0;
        let alone = part.len() == 1;
        for Leased { id, bytes, .. } in part {
            match Entry::from_slice(&bytes) {
                Ok(entry) => entries.push((entry, alone.then_some(bytes))),
                Err(EntryError::NewerVersion { .. }) => {
                    held += 1;
                    continue;
                }
                Err(error) => outcome.dead.push(DeadLetter {
                    entry: bytes,
                    source: String::new(),
                    reason: error.to_string(),
                    at: now,
                }),
            }
            ids.push(id);
        }
        evaluate::evaluate(compiled, &mut self.scratch, entries.iter().map(|(entry, _)| entry), &mut outcome);
        outcome
            .posts
            .retain(|post| self.options.keep_all || post.deliveries.iter().any(|d| !d.filters.is_empty()));
        if !ids.is_empty() {
            let committed = match self.store.commit(&outcome, &ids).await {
                // Nothing smaller is left: what can't be stored goes where people see it.
                Err(StoreError::Refused(reason)) if alone => {
                    outcome = self.dead(entries, &outcome, reason);
                    self.store.commit(&outcome, &ids).await?
                }
                committed => committed?,
            };
            if !committed.acked {
                self.buffer.ack(&self.name, &ids).await?;
            }
            step.commits.push(committed);
        }
        step.entries += ids.len();
        step.held += held;
        step.dead.extend(outcome.dead.into_iter().map(|dead| dead.reason));
        Ok(())
    }

    /// The outcome of an entry that the store refuses.
    fn dead(&self, entries: Vec<(Entry, Option<Vec<u8>>)>, refused: &Outcome, reason: String) -> Outcome {
        let dead = entries.into_iter().map(|(entry, bytes)| DeadLetter {
            entry: bytes.unwrap_or_default(),
            source: entry.source,
            reason: reason.clone(),
            at: refused.at,
        });
        Outcome { dead: dead.collect(), revision: refused.revision, at: refused.at, ..Outcome::default() }
    }

    /// Cuts the refused part in two, to find the entry that spoils it.
    fn bisect(&mut self) {
        let Some(mut part) = self.open.pop_front() else { return };
        let rest = part.split_off(part.len() / 2);
        for half in [rest, part] {
            if !half.is_empty() {
                self.open.push_front(half);
            }
        }
    }
}
