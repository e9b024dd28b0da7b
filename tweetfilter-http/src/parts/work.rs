//! `work`: entries of the buffer into the store.

use std::time::Duration;

use tweetfilter_stream::buffer::{Buffer, BufferError};
use tweetfilter_stream::store::{Store, StoreError};
use tweetfilter_stream::worker::{Step, StepError, Worker};

use super::{PartError, Stop, now};

/// How long to wait where there is nothing to do.
const IDLE: Duration = Duration::from_millis(20);
/// How long to wait for what is away: at first, and at most.
const WAIT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

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
}

/// Works until it is told to stop, or, if `until_empty`, until the buffer is empty.
///
/// While the store or the buffer is away, it holds what it leased and tries again.
///
/// # Errors
/// See [`PartError`].
pub async fn work<B: Buffer, S: Store>(
    mut worker: Worker<B, S>,
    until_empty: bool,
    mut stop: Stop,
    mut each: impl FnMut(&Worked),
) -> Result<Worked, PartError> {
    let mut worked = Worked::default();
    let mut wait = WAIT.0;
    let mut away = false;
    while !stop.is_told() {
        match worker.step(now()).await {
            Ok(step) => {
                if std::mem::take(&mut away) {
                    tracing::info!("store and buffer are back");
                }
                wait = WAIT.0;
                tell(&worker, &step);
                worked.add(&step);
                if step.entries > 0 {
                    each(&worked);
                } else if until_empty {
                    break;
                } else {
                    stop.sleep(IDLE).await;
                }
            }
            Err(error) if is_passing(&error) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!(%error, "holds its entries until it can go on");
                }
                stop.sleep(wait).await;
                wait = (wait * 2).min(WAIT.1);
            }
            Err(StepError::Buffer(error)) => return Err(error.into()),
            Err(StepError::Store(error)) => return Err(error.into()),
        }
    }
    // What is not given back comes back when its lease has run out.
    if let Err(error) = worker.release().await {
        tracing::warn!(%error, "leases are left to run out");
    }
    Ok(worked)
}

fn is_passing(error: &StepError) -> bool {
    matches!(
        error,
        StepError::Buffer(BufferError::Away(_) | BufferError::Full(_))
            | StepError::Store(StoreError::Away(_) | StoreError::Retry(_))
    )
}

fn tell<B: Buffer, S: Store>(worker: &Worker<B, S>, step: &Step) {
    if let (Some(refused), Some(compiled)) = (step.filters, worker.compiled()) {
        tracing::info!(revision = compiled.revision(), filters = compiled.filters(), refused, "filters are live");
        for filter in compiled.refused() {
            tracing::warn!(filter = filter.id, reason = filter.reason, "filter can't be used");
        }
    }
    for reason in &step.dead {
        tracing::error!(reason, "an entry went to the dead letters");
    }
    if step.held > 0 {
        tracing::error!(entries = step.held, "entries of a newer version stay in the buffer: upgrade this worker");
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
