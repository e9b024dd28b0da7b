//! `work`: entries of the buffer into the store.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tweetfilter_stream::buffer::{Buffer, BufferError};
use tweetfilter_stream::store::{Store, StoreError};
use tweetfilter_stream::worker::{Step, StepError, Worker};

use super::newer::Newer;
use super::{HeldUp, PartError, Stop, now};
use crate::ops::{Part, Server};

/// How long to wait where there is nothing to do, or so little that a commit for it alone costs more than it is worth.
const IDLE: Duration = Duration::from_millis(20);
/// Entries that are worth a commit at once.
const MANY: usize = 256;
/// How long a step may wait: a server that says nothing for so long may never again. MariaDB lets go of who is silent
/// in a statement after 30 s.
pub(super) const SILENCE: Duration = Duration::from_secs(25);
/// How often it is looked whether something is evaluated meanwhile.
const PULSE: Duration = Duration::from_millis(100);
/// How long a batch may be evaluated before that is told.
const LONG: Duration = Duration::from_secs(5);
/// Characters of a reason that are logged; the dead letters have all of it.
const REASON: usize = 300;
/// How long to wait for what is away: at first, and at most.
const WAIT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How often to look whether what others hold has come free.
const LOOK: Duration = Duration::from_millis(100);

/// What a worker did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worked {
    /// Entries that were done with.
    pub entries: u64,
    /// Posts that were new.
    pub posts: u64,
    /// Deliveries that were new.
    pub deliveries: u64,
    /// Matches that were new.
    pub matches: u64,
    /// Posts that were deleted before they came.
    pub suppressed: u64,
    /// Entries that went to the dead letters.
    pub dead: u64,
    /// Entries of a newer version, which it left in the buffer.
    pub newer: u64,
}

/// A worker, and how it gets on. Whatever only takes time, it waits for.
#[derive(Debug)]
pub struct Works<B, S> {
    worker: Worker<B, S>,
    worked: Worked,
    wait: Duration,
    /// Why it holds its entries, if it does, and whether that is said.
    held: Option<StepError>,
    held_up: HeldUp,
    /// The revision of the filters that were told.
    told: Option<u64>,
    /// Entries that were nobody's and are leased again, as far as that was told.
    reclaimed: u64,
    /// Entries of the last batch.
    last: usize,
    /// Entries of a newer version, which nobody waits for.
    newer: Newer,
    /// Until when to wait for entries that others hold, once that has begun.
    others_until: Option<Instant>,
    /// Until when to wait for entries that nobody holds, as long as no lease gives any.
    free_until: Option<Instant>,
    part: Option<Arc<Part>>,
}

impl<B: Buffer, S: Store> Works<B, S> {
    /// Begins with nothing done.
    pub fn new(worker: Worker<B, S>) -> Self {
        // A worker before it has told of those.
        let (reclaimed, newer) = (worker.buffer().reclaimed(), Newer::new(worker.lease_time()));
        Self {
            worker,
            worked: Worked::default(),
            wait: WAIT.0,
            held: None,
            held_up: HeldUp::default(),
            told: None,
            reclaimed,
            last: 0,
            newer,
            others_until: None,
            free_until: None,
            part: None,
        }
    }

    /// Counts for a part, too, how long entries were evaluated.
    #[must_use]
    pub fn counted_by(mut self, part: &Arc<Part>) -> Self {
        self.part = Some(part.clone());
        self
    }

    /// Does one batch; `false` if there was none. While the store or the buffer is away, what was leased is held,
    /// and this waits a little.
    ///
    /// # Errors
    /// See [`PartError`].
    pub async fn batch(&mut self, stop: &mut Stop) -> Result<bool, PartError> {
        let pulse = self.worker.pulse();
        let step = unless_silent(SILENCE, &pulse, self.worker.step(now())).await;
        let silent = || StoreError::Away(format!("no answer for {} s", SILENCE.as_secs()));
        // Whatever came of the step, which may fail for long.
        self.tell_filters();
        self.tell_reclaimed();
        let step = step.unwrap_or_else(|| Err(silent().into()));
        if let Ok(step) = &step
            && step.held > 0
        {
            self.newer.came(step.held, step.held_until, now());
        }
        if let Some(part) = &self.part {
            part.leaves_newer(self.newer.shown(now()));
        }
        // The next lease may give those again, also if the step went on without the one that failed.
        if !self.worker.is_sure() {
            self.newer.may_come_again();
        }
        let error = match step {
            Ok(step) => {
                self.goes_on();
                tell(&step);
                self.worked.add(&step);
                self.last = step.entries + step.held;
                self.free_until = self.free_until.filter(|_| self.last == 0);
                if let Some(part) = self.part.as_ref().filter(|_| self.last > 0) {
                    part.counters.evaluation.observe(step.evaluation.as_secs_f64());
                }
                return Ok(self.last > 0);
            }
            Err(error) if is_passing(&error) => error,
            Err(StepError::Buffer(error @ BufferError::Named { .. })) => {
                tracing::warn!(
                    %error,
                    "the name is another worker's; where both run, give each its own, by --instance NAME or `instance` in \
                     the settings"
                );
                return Ok(true);
            }
            Err(StepError::Buffer(error)) => return Err(error.into()),
            Err(StepError::Store(error)) => return Err(error.into()),
        };
        self.holds(error);
        stop.sleep(self.wait).await;
        self.wait = (self.wait * 2).min(WAIT.1);
        Ok(true)
    }

    /// Says why it holds its entries: each reason once, however often it is met, and now and then that it still does.
    fn holds(&mut self, error: StepError) {
        let (due, entries) = (self.held_up.holds(), self.worker.open_entries());
        let lasted = self.held_up.lasted();
        if due.is_some() || self.held.as_ref() != Some(&error) {
            let for_seconds = lasted.as_secs();
            tracing::warn!(%error, entries, for_seconds, "holds its entries until it can go on");
        }
        if let Some(part) = &self.part {
            let server = if matches!(error, StepError::Buffer(_)) { Server::Buffer } else { Server::Store };
            part.holds(server, lasted, error.to_string());
        }
        self.held = Some(error);
    }

    /// Says for how long it held its entries, if it did.
    fn goes_on(&mut self) {
        if let Some(lasted) = self.held_up.goes_on() {
            tracing::info!(after_seconds = lasted.as_secs(), "store and buffer are back");
        }
        if let (Some(_), Some(part)) = (self.held.take(), &self.part) {
            part.goes_on();
        }
        self.wait = WAIT.0;
    }

    /// Says which filters are used and which can't be, if that was not said yet.
    fn tell_filters(&mut self) {
        let Some(compiled) = self.worker.compiled() else { return };
        let (revision, refused) = (compiled.revision(), compiled.refused());
        if self.told == Some(revision) {
            return;
        }
        let filters = compiled.filters();
        tracing::info!(revision, filters, refused = refused.len(), "filters are live");
        for filter in refused {
            tracing::warn!(filter = filter.id, reason = filter.reason, "filter can't be used");
        }
        self.told = Some(revision);
    }

    /// Says how many entries would have stayed in the buffer for ever, if some were found.
    fn tell_reclaimed(&mut self) {
        let reclaimed = self.worker.buffer().reclaimed();
        let entries = reclaimed.saturating_sub(std::mem::replace(&mut self.reclaimed, reclaimed));
        if entries > 0 {
            tracing::warn!(
                entries,
                "entries of the buffer were nobody's any more, and are leased again once nobody can be about to store them: \
                 somebody else removed a consumer of group tf, moved the group, or read with NOACK"
            );
        }
    }

    /// Where there is nothing to lease: waits a little, and says whether entries are left that may still come. Those that
    /// others hold are waited for until leases have run out, since their worker may have been killed; who prolongs them is
    /// alive, and does them itself. Those that nobody holds come with one of the next leases.
    pub async fn waits_for_others(&mut self, stop: &mut Stop) -> bool {
        let may_come = match self.worker.buffer().stats().await {
            Ok(stats) => {
                let newer = self.newer.held(now());
                let entries = stats.entries.saturating_sub(newer);
                let held = stats.leased.saturating_sub(newer).min(entries);
                !stop.is_told() && entries > 0 && self.may_come(entries, held)
            }
            // The next batch finds out what that means.
            Err(_) => !stop.is_told(),
        };
        if may_come {
            stop.sleep(LOOK).await;
        }
        may_come
    }

    /// Whether entries may still come, of which others hold so many. Says who has them, and in the end what is left.
    fn may_come(&mut self, entries: u64, held: u64) -> bool {
        let (now, free) = (Instant::now(), entries - held);
        let time = self.worker.lease_time() + Duration::from_secs(1);
        let seconds = time.as_secs();
        if free == 0 {
            self.free_until = None;
        }
        let is_free = free > 0 && now < *self.free_until.get_or_insert(now + time);
        let others_until = || {
            tracing::warn!(
                entries = held,
                "another worker holds entries of the buffer; they are done here if its leases run out, within {seconds} s"
            );
            now + time
        };
        let is_held = held > 0 && now < *self.others_until.get_or_insert_with(others_until);
        if is_free || is_held {
            return true;
        }
        if held > 0 {
            tracing::warn!(entries = held, "entries are left to the worker that holds them: it is alive");
        }
        if free > 0 {
            tracing::warn!(
                entries = free,
                "entries are left that nobody holds: no lease gave any for {seconds} s"
            );
        }
        false
    }

    /// Works until it is told to stop, or, if `until_empty`, until the buffer is empty.
    ///
    /// # Errors
    /// See [`PartError`].
    pub async fn run(mut self, until_empty: bool, mut stop: Stop) -> Result<Worked, PartError> {
        while !stop.is_told() {
            let worked = self.batch(&mut stop).await?;
            if !worked && until_empty {
                if self.waits_for_others(&mut stop).await {
                    continue;
                }
                break;
            }
            if !worked || (self.last < MANY && !until_empty) {
                stop.sleep(IDLE).await;
            }
        }
        Ok(self.end().await)
    }

    /// Gives back what was leased and not done, and tells what was done.
    pub async fn end(mut self) -> Worked {
        self.worked.newer = self.newer.held(now());
        // What is not given back comes back when its lease has run out.
        if let Err(error) = self.worker.release(now()).await {
            tracing::warn!(%error, "leases are left to run out");
        }
        self.worked
    }
}

/// Waits for work, unless for so long it neither ends nor evaluates anything.
async fn unless_silent<T>(silence: Duration, pulse: &AtomicU64, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let (mut known, mut since) = (pulse.load(Ordering::Relaxed), tokio::time::Instant::now());
    loop {
        if let Ok(done) = tokio::time::timeout(PULSE.min(silence), work.as_mut()).await {
            return Some(done);
        }
        let now = pulse.load(Ordering::Relaxed);
        if now != known {
            (known, since) = (now, tokio::time::Instant::now());
        } else if since.elapsed() >= silence {
            return None;
        }
    }
}

fn is_passing(error: &StepError) -> bool {
    matches!(
        error,
        StepError::Buffer(BufferError::Away(_) | BufferError::Full(_))
            | StepError::Store(StoreError::Away(_) | StoreError::Retry(_))
    )
}

fn tell(step: &Step) {
    if step.evaluation > LONG {
        tracing::warn!(
            entries = step.entries,
            seconds = step.evaluation.as_secs_f64(),
            "filters took long to evaluate a batch; the next ones are smaller"
        );
    }
    if step.again > 0 {
        tracing::info!(entries = step.again, "entries were committed before, and are only acknowledged");
    }
    for reason in &step.dead {
        // Of the server's words, or a stranger's.
        let reason: String = reason.chars().take(REASON).collect();
        tracing::error!(reason, "an entry went to the dead letters");
    }
}

impl Worked {
    fn add(&mut self, step: &Step) {
        self.entries += step.entries as u64;
        self.dead += step.dead.len() as u64;
        for commit in &step.commits {
            self.posts += u64::from(commit.new);
            self.deliveries += u64::from(commit.deliveries);
            self.matches += u64::from(commit.matches);
            self.suppressed += u64::from(commit.suppressed);
        }
    }
}

#[cfg(test)]
mod tests;
