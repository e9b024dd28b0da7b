//! What becomes of a part, before it is stored and when it is.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tweetfilter_core::Scratch;
use tweetfilter_core::post::Millis;

use super::Options;
use super::compiled::Compiled;
use super::evaluate::{self, Versions};
use super::together;
use crate::buffer::{EntryId, Leased};
use crate::entry::{Entry, EntryError};
use crate::store::{Committed, DeadLetter, Outcome, Store, StoreError};

/// What became of a part, to be committed.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) outcome: Outcome,
    pub(super) ids: Vec<EntryId>,
    /// Entries that only a newer version understands.
    pub(super) held: Vec<EntryId>,
    /// When the newest entry was received that names somebody of whom the filters knew no account.
    pub(super) unknown: Option<Millis>,
    pub(super) evaluation: Duration,
}

/// Commits what became of a part. An entry that the store refuses even alone goes where people see it: then the outcome
/// that was stored instead comes along.
pub(super) async fn commit<S: Store>(
    store: &S,
    ready: &Ready,
    part: &[Leased],
) -> Result<(Option<Committed>, Option<Outcome>), StoreError> {
    if ready.ids.is_empty() {
        return Ok((None, None));
    }
    let reason = match (store.commit(&ready.outcome, &ready.ids).await, part) {
        (Err(StoreError::Refused(reason)), [_]) => reason,
        (committed, _) => return Ok((Some(committed?), None)),
    };
    let Outcome { at, revision, again, until, ref acknowledged, ref received, .. } = ready.outcome;
    let dead = part.iter().map(|entry| DeadLetter::new(entry.bytes.clone(), reason.clone(), at));
    let (acknowledged, received) = (acknowledged.clone(), received.clone());
    let dead = dead.collect();
    let outcome = Outcome { dead, revision, at, received, again, until, acknowledged, ..Outcome::default() };
    Ok((Some(store.commit(&outcome, &ready.ids).await?), Some(outcome)))
}

/// How many entries the next batches may have after one that was so many and took so long: a batch is committed well before
/// its leases run out, also when it waits for one before it and the next one is evaluated meanwhile.
pub(super) fn adapted(most: usize, options: &Options, ready: &Ready) -> usize {
    let entries = ready.ids.len();
    if ready.evaluation > options.lease / 16 {
        (most.min(entries) / 2).max(1)
    } else if ready.evaluation < options.lease / 64 && entries >= most {
        most.saturating_mul(2).min(options.batch.entries)
    } else {
        most
    }
}

/// Evaluates a part, and notes how long that took.
pub(super) async fn evaluated(
    compiled: &Compiled,
    scratch: &mut Scratch,
    part: &[Leased],
    now: Millis,
    keep_all: bool,
    known: &Versions,
    pulse: &AtomicU64,
) -> Ready {
    let work = evaluated_untimed(compiled, scratch, part, now, keep_all, known);
    let (ready, evaluation) = together::timed(work, pulse).await;
    Ready { evaluation, ..ready }
}

/// How far the entries of a source go, which come in one order or in several, one behind the other.
#[derive(Default)]
struct Reached {
    /// When the last one was received.
    last: Millis,
    /// The least of the ends of the orders before.
    least: Option<Millis>,
}

impl Reached {
    fn note(&mut self, at: Millis) {
        if at < self.last {
            self.least = Some(self.end());
        }
        self.last = at;
    }

    fn end(&self) -> Millis {
        self.least.map_or(self.last, |least| least.min(self.last))
    }
}

async fn evaluated_untimed(
    compiled: &Compiled,
    scratch: &mut Scratch,
    part: &[Leased],
    now: Millis,
    keep_all: bool,
    known: &Versions,
) -> Ready {
    let mut outcome = Outcome { revision: compiled.revision(), at: now, ..Outcome::default() };
    let (mut ids, mut entries) = (Vec::with_capacity(part.len()), Vec::with_capacity(part.len()));
    let (mut held, mut reached) = (Vec::new(), BTreeMap::<String, Reached>::new());
    for Leased { id, bytes, .. } in part {
        match Entry::from_slice(bytes) {
            Ok(entry) => {
                reached.entry(entry.source.clone()).or_default().note(entry.at);
                entries.push(entry);
            }
            Err(EntryError::NewerVersion { .. }) => {
                held.push(id.clone());
                continue;
            }
            Err(error) => outcome.dead.push(DeadLetter::new(bytes.clone(), error.to_string(), now)),
        }
        ids.push(id.clone());
        together::breathe().await;
    }
    outcome.received = reached.into_iter().map(|(source, reached)| (source, reached.end())).collect();
    let unknown = evaluate::evaluate(compiled, scratch, entries.iter(), known, &mut outcome).await;
    let Outcome { posts, unmatched, .. } = &mut outcome;
    posts.retain_mut(|post| {
        if !keep_all {
            post.deliveries.retain(|delivery| !delivery.filters.is_empty());
        }
        let kept = keep_all || post.version > 0 || !post.deliveries.is_empty();
        if !kept {
            *unmatched.entry(post.source.clone()).or_default() += 1;
        }
        kept
    });
    Ready { outcome, ids, held, unknown, evaluation: Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_orders_the_one_that_is_least_far_counts() {
        for (times, end) in [
            (&[3][..], 3),
            (&[3, 3, 7][..], 7),
            (&[3, 7, 2, 6, 1, 9][..], 6),
            (&[3, 7, 2, 6, 8, 1, 9][..], 7),
            (&[5, 9, 4][..], 4),
        ] {
            let mut reached = Reached::default();
            times.iter().for_each(|at| reached.note(*at));
            assert_eq!(reached.end(), end, "{times:?}");
        }
    }

    #[test]
    fn batches_that_take_long_become_small_and_those_that_do_not_become_large_again() {
        let options = Options::default();
        let after = |most, entries, seconds| {
            let ids = vec![EntryId(String::new()); entries];
            let evaluation = Duration::from_secs(seconds);
            let (outcome, held) = (Outcome::default(), Vec::new());
            adapted(most, &options, &Ready { outcome, ids, held, unknown: None, evaluation })
        };
        let full = options.batch.entries;
        assert_eq!(
            (after(full, full, 0), after(full, full, 2), after(full, full, 30)),
            (full, full, full / 2)
        );
        // The next one was leased before.
        assert_eq!((after(full / 2, full, 30), after(full, 10, 30), after(1, 1, 30)), (full / 4, 5, 1));
        assert_eq!((after(64, 64, 0), after(64, 3, 0), after(full - 1, full - 1, 0)), (128, 64, full));
    }
}
