//! The worker: entries from the buffer are evaluated for everyone who saw them, and stored.
//!
//! It knows neither clock nor runtime: [`Worker::step`] does one batch, and says what came of it; the caller decides
//! when to go on. The order for each batch is the whole guarantee: **lease, evaluate, commit, and only then
//! acknowledge**. Whoever dies in between leaves the entries leased, and another gets them. Whoever is held up for longer
//! than its leases last has them no more, and lets go of them. While a batch is committed, the next one is leased already
//! and evaluated.

mod compiled;
mod evaluate;
mod ready;
pub mod references;
mod together;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tweetfilter_core::Scratch;
use tweetfilter_core::budget::Price;
use tweetfilter_core::post::Millis;

use crate::buffer::{Buffer, BufferError, EntryId, Leased, Most};
use crate::store::{Committed, Outcome, Store, StoreError, StoredVersion};

pub use compiled::{Compiled, OVER_BUDGET, RefusedFilter};
use evaluate::Versions;
use ready::{Ready, adapted, commit, evaluated};

/// How a worker works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What one batch may have at most, and has where its entries don't take long; two are held in memory, with what becomes
    /// of them.
    pub batch: Most,
    /// How long a batch may take before others get its entries.
    pub lease: Duration,
    /// How long filters are used before the store is asked for newer ones.
    pub filters_for: Duration,
    /// Whether posts that no filter matched are stored too. If not, an account has what its own filters matched, whoever
    /// else saw it and whether their copies came together. New versions are stored in any case, since they take the
    /// place of one that did match; they are tried for those who have the one before.
    pub keep_all: bool,
    /// What the filters of one account may cost a post together.
    pub budget: Price,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch: Most { entries: 1024, bytes: 4 << 20 },
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
    /// When their leases run out, and they come again.
    pub held_until: Millis,
    /// Entries that had been committed before, by whomever: they were only acknowledged.
    pub again: usize,
    /// How long the entries were evaluated.
    pub evaluation: Duration,
}

/// Why a step did not end. Nothing is lost: the next step goes on with the same entries.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
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
    /// What is leased and not committed yet.
    open: VecDeque<Part>,
    /// Entries that only a newer version understands, with when their leases run out: they are left as they are.
    held: Vec<(EntryId, Millis)>,
    /// What became of the first part, if that is known already.
    ready: Option<Ready>,
    /// Entries that a batch may have now: fewer where they take long.
    most: usize,
    /// Counts up while something is done that waits for nobody.
    pulse: Arc<AtomicU64>,
    /// Whether a step failed, so that leases may be old by now.
    failed: bool,
    /// Whether the last lease was answered, so that there can be a further one while something is open.
    is_sure: bool,
    /// Whether a commit of something that is open failed, so that nobody knows whether it happened.
    in_doubt: bool,
    /// The first entries of batches whose acknowledgement was answered, with when their leases run out.
    answered: Vec<(EntryId, Millis)>,
    /// Those of them that nobody else had by then, for the next commit to tell.
    acknowledged: Vec<EntryId>,
}

/// Entries that are leased together.
#[derive(Debug)]
struct Part {
    entries: Vec<Leased>,
    /// When others may have them.
    until: Millis,
}

impl<B: Buffer, S: Store> Worker<B, S> {
    /// A worker with a name that no other has.
    pub fn new(name: impl Into<String>, buffer: B, store: S, options: Options) -> Self {
        Self {
            buffer,
            store,
            name: name.into(),
            most: options.batch.entries,
            pulse: Arc::default(),
            options,
            compiled: None,
            asked_at: Millis::MIN,
            scratch: Scratch::default(),
            open: VecDeque::new(),
            held: Vec::new(),
            ready: None,
            failed: false,
            is_sure: true,
            in_doubt: false,
            answered: Vec::new(),
            acknowledged: Vec::new(),
        }
    }

    /// The filters that are used now, also after a step that failed.
    #[must_use]
    pub fn compiled(&self) -> Option<&Compiled> {
        self.compiled.as_ref()
    }

    /// Where it gets entries from.
    #[must_use]
    pub fn buffer(&self) -> &B {
        &self.buffer
    }

    /// How many entries it has leased and is not done with.
    #[must_use]
    pub fn open_entries(&self) -> usize {
        self.open.iter().map(|part| part.entries.len()).sum()
    }

    /// How long entries are leased for, unless that is prolonged.
    #[must_use]
    pub fn lease_time(&self) -> Duration {
        self.options.lease
    }

    /// Whether the last lease was answered, also one that no step failed for: if not, the next one may give all that this worker
    /// has once more.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.is_sure
    }

    /// Counts up while entries are evaluated and when filters were compiled, by which a step that takes long differs from
    /// one that waits for store or buffer.
    #[must_use]
    pub fn pulse(&self) -> Arc<AtomicU64> {
        self.pulse.clone()
    }

    /// Does one batch, at the given time.
    ///
    /// # Errors
    /// See [`StepError`]: wait and call again. What was leased is kept, or comes back when its lease has run out.
    pub async fn step(&mut self, now: Millis) -> Result<Step, StepError> {
        // A step that is dropped halfway, since it takes too long, has failed too.
        let failed = std::mem::replace(&mut self.failed, true);
        let step = self.next(now, failed).await;
        self.failed = step.is_err();
        step
    }

    async fn next(&mut self, now: Millis, failed: bool) -> Result<Step, StepError> {
        let mut step = Step::default();
        self.let_go(now);
        if failed && !self.open.is_empty() {
            // Filters may have changed, and time has passed.
            self.ready = None;
            self.extend(now).await?;
        }
        self.refresh(now).await?;
        if self.open.is_empty() && !self.lease(now).await? {
            return Ok(step);
        }
        // What the store says of posts of the first part, and what became of the part behind it meanwhile.
        let (nothing, mut known, mut next) = (Versions::new(), Versions::new(), None);
        let mut looked = false;
        loop {
            // Where there is little to do, whatever came meanwhile is better leased when its turn has come. An error is
            // met again by the next step; it is none of what is ready.
            if self.open.len() == 1 && self.is_sure && self.is_much(&self.open[0].entries) {
                let _ = self.lease(now).await;
            }
            let Self { store, scratch, open, options, most, pulse, compiled: Some(compiled), .. } = self
            else {
                return Ok(step);
            };
            let keep_all = options.keep_all;
            let mut ready = match self.ready.take() {
                Some(ready) => ready,
                None => {
                    let part = &open[0].entries;
                    let ready = evaluated(compiled, scratch, part, now, keep_all, &known, pulse).await;
                    *most = adapted(*most, options, &ready);
                    ready
                }
            };
            // Once a batch: who is a stranger to filters that are older than the entry may have an account by now.
            if let Some(at) = ready.unknown.filter(|_| !std::mem::replace(&mut looked, true)) {
                let revision = ready.outcome.revision;
                if at >= self.asked_at {
                    self.ask(now).await?;
                }
                if self.compiled.as_ref().is_some_and(|compiled| compiled.revision() != revision) {
                    continue;
                }
                self.ready = Some(ready);
                continue;
            }
            let Part { entries: part, until } = &open[0];
            let until = *until;
            ready.outcome.again = self.in_doubt || part.iter().any(|entry| entry.attempts > 1);
            ready.outcome.until = Some(until);
            ready.outcome.acknowledged.clone_from(&self.acknowledged);
            self.in_doubt = true;
            let evaluated_before = next.take();
            let ahead = async {
                match (evaluated_before, open.get(1)) {
                    (None, Some(Part { entries, .. })) => {
                        Some(evaluated(compiled, scratch, entries, now, keep_all, &nothing, pulse).await)
                    }
                    (before, _) => before,
                }
            };
            let (committed, ahead) = together::both(commit(store, &ready, part), ahead).await;
            if let Some(ahead) = &ahead {
                *most = adapted(*most, options, ahead);
            }
            let (committed, outcome) = match committed {
                Ok(done) => done,
                Err(StoreError::Done(ids)) => {
                    self.without(&ids).await?;
                    step.again += ids.len();
                    if self.open.is_empty() {
                        step.entries = ids.len();
                        return Ok(step);
                    }
                    continue;
                }
                Err(StoreError::Outdated(stored)) => {
                    let by_post = |one: StoredVersion| ((one.network.clone(), one.id.clone()), one);
                    known.extend(stored.into_iter().map(by_post));
                    next = ahead;
                    continue;
                }
                Err(StoreError::Refused(_)) if self.open[0].entries.len() > 1 => {
                    self.bisect();
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if let Some(committed) = committed {
                self.acknowledged.clear();
                if !committed.acked {
                    self.buffer.ack(&self.name, &ready.ids).await?;
                    self.answered.extend(ready.ids.first().map(|first| (first.clone(), until)));
                }
                step.commits.push(committed);
            }
            self.open.pop_front();
            self.ready = ahead;
            // What is open was leased in the meantime, and committed by nobody.
            self.in_doubt = false;
            step.entries = ready.ids.len();
            (step.held, step.held_until) = (ready.held.len(), until);
            self.held.extend(ready.held.into_iter().map(|id| (id, until)));
            step.evaluation = ready.evaluation;
            let dead = outcome.unwrap_or(ready.outcome).dead;
            step.dead.extend(dead.into_iter().map(|dead| dead.reason));
            return Ok(step);
        }
    }

    /// Goes on without entries of the first part that were committed before.
    async fn without(&mut self, ids: &[EntryId]) -> Result<(), BufferError> {
        self.buffer.ack(&self.name, ids).await?;
        if let Some(Part { entries, .. }) = self.open.front_mut() {
            entries.retain(|entry| !ids.contains(&entry.id));
            if entries.is_empty() {
                self.open.pop_front();
            }
        }
        Ok(())
    }

    /// Lets go of entries whose leases have run out, as when the process was stopped for long: another worker may have
    /// them, or be done with them. What nobody took comes back as leased before. What was acknowledged while its lease
    /// lasted is nobody's any more; of anything else the store goes on to know, for whoever got it since.
    fn let_go(&mut self, now: Millis) {
        let held = self.open.len();
        self.open.retain(|part| now < part.until);
        self.held.retain(|(_, until)| now < *until);
        if self.open.len() < held {
            self.ready = None;
        }
        let in_time = self.answered.drain(..).filter(|(_, until)| now < *until).map(|(first, _)| first);
        self.acknowledged.extend(in_time);
    }

    /// Prolongs the leases of all that is open.
    async fn extend(&mut self, now: Millis) -> Result<(), BufferError> {
        let entries = self.open.iter().flat_map(|part| &part.entries);
        let ids: Vec<_> = entries.map(|entry| entry.id.clone()).collect();
        self.buffer.extend(&self.name, &ids, self.options.lease).await?;
        let until = self.until(now);
        self.open.iter_mut().for_each(|part| part.until = until);
        Ok(())
    }

    /// When a lease runs out that begins now, or later.
    fn until(&self, now: Millis) -> Millis {
        now.saturating_add(Millis::try_from(self.options.lease.as_millis()).unwrap_or(Millis::MAX))
    }

    /// Whether a part has so much that there is more where it came from.
    fn is_much(&self, part: &[Leased]) -> bool {
        let bytes = self.options.batch.bytes;
        part.len() >= self.most / 2 || part.iter().map(|entry| entry.bytes.len()).sum::<usize>() >= bytes / 2
    }

    /// Leases a further part; false if there is none.
    async fn lease(&mut self, now: Millis) -> Result<bool, BufferError> {
        let most = Most { entries: self.most, ..self.options.batch };
        let leased = self.buffer.lease(&self.name, most, self.options.lease).await;
        // Whether a lease of which no answer came was granted, the next one finds out by taking back all that this worker
        // has, what is open too.
        self.is_sure = leased.is_ok();
        let entries = leased?;
        let some = !entries.is_empty();
        if some {
            self.open.push_back(Part { entries, until: self.until(now) });
        }
        Ok(some)
    }

    /// Gives back what was leased and not done, for another to go on with, at the given time: also what only a newer version
    /// understands, so that one that takes its place finds it at once.
    ///
    /// # Errors
    /// As [`Buffer::release`].
    pub async fn release(&mut self, now: Millis) -> Result<(), BufferError> {
        self.let_go(now);
        self.ready = None;
        let open = self.open.drain(..).flat_map(|part| part.entries).map(|entry| entry.id);
        let mut ids: Vec<_> = open.chain(self.held.drain(..).map(|(id, _)| id)).collect();
        // What came again after a lease of which no answer came.
        ids.sort_unstable();
        ids.dedup();
        // Of none, too: whoever is started in its place finds its name free.
        let released = self.buffer.release(&self.name, &ids).await;
        if !self.acknowledged.is_empty() {
            // Else the store would remember them for long, which does no harm.
            let acknowledged = std::mem::take(&mut self.acknowledged);
            let outcome = Outcome { acknowledged, at: now, ..Outcome::default() };
            let _ = self.store.commit(&outcome, &[]).await;
        }
        released
    }

    async fn refresh(&mut self, now: Millis) -> Result<(), StoreError> {
        let due = self.asked_at.saturating_add(self.options.filters_for.as_millis() as Millis);
        if self.compiled.is_some() && now < due && now >= self.asked_at {
            return Ok(());
        }
        self.ask(now).await
    }

    /// Asks the store for filters that are newer than those that are used.
    async fn ask(&mut self, now: Millis) -> Result<(), StoreError> {
        let known = self.compiled.as_ref().map(Compiled::revision);
        if let Some(snapshot) = self.store.filters(known).await? {
            let compiled = Compiled::new(&snapshot, self.options.budget);
            self.pulse.fetch_add(1, Ordering::Relaxed);
            self.compiled = Some(compiled);
        }
        self.asked_at = now;
        Ok(())
    }

    /// Cuts the refused part in two, to find the entry that spoils it.
    fn bisect(&mut self) {
        let Some(Part { mut entries, until }) = self.open.pop_front() else { return };
        let rest = entries.split_off(entries.len() / 2);
        for entries in [rest, entries] {
            if !entries.is_empty() {
                self.open.push_front(Part { entries, until });
            }
        }
    }
}
