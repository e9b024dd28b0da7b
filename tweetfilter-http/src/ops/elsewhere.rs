//! What a buffer on a server of its own knows beside the store: of its sources, and what was removed from it.

use std::cmp::Reverse;

use tweetfilter_core::post::Millis;
use tweetfilter_sql::{Database, PUT_BACK, SourceStatus, Status, StoredGap};
use tweetfilter_stream::buffer::{BufferError, EntryId, Gap, LONGEST_LEASE};
use tweetfilter_stream::redis_streams::SourceState;
use tweetfilter_stream::store::StoreError;

use crate::parts::Buffers;

/// The source of gaps that are of no one source, but of the buffer.
const BUFFER: &str = "(buffer)";

/// Takes the gaps that such a buffer noted into the store, where they stay whoever removes the buffer's keys. Those that the
/// store does not take stay where they are; what is no gap is let go, so that it stops no other. Where a list is none at all,
/// that is the error, once the others are taken.
pub(super) async fn take_gaps(buffer: &Buffers, database: &Database) -> Result<(), BufferError> {
    let Buffers::Redis(redis) = buffer else { return Ok(()) };
    let mut unfit = None;
    for noted in redis.noted_gaps().await? {
        if noted.unfit.is_some() {
            unfit = noted.unfit;
            continue;
        }
        let source = noted.source.as_deref().unwrap_or(BUFFER);
        let stored = |gap: &Gap| StoredGap { source: source.to_owned(), gap: gap.clone() };
        let gaps: Vec<_> = noted.gaps.iter().map(stored).collect();
        // Not before they are kept; what is told twice is kept once.
        match database.keep_gaps(&gaps).await {
            Ok(()) => {
                redis.let_go(&noted).await?;
                for begins in &noted.foreign {
                    tracing::warn!(
                        source,
                        begins,
                        "what stood in the buffer's list of gaps is none: somebody else wrote it, and it was removed"
                    );
                }
            }
            Err(error) => tracing::debug!(source, %error, "gaps stay in the buffer"),
        }
    }
    unfit.map_or(Ok(()), Err)
}

/// Lets the store forget which entries were committed, once such a buffer has none of a batch any more: whoever committed it and
/// was killed, or was too late, says of none that it was acknowledged.
pub(super) async fn cross_out(buffer: &Buffers, database: &Database, now: Millis) -> Result<(), BufferError> {
    let Buffers::Redis(redis) = buffer else { return Ok(()) };
    cross_out_gone(database, now, |entries| async move { redis.holds_any(&entries).await }).await
}

/// What is asked is given away: of a question that borrows it, no task is known to be one that may move between threads.
async fn cross_out_gone<F: Future<Output = Result<bool, BufferError>>>(
    database: &Database,
    now: Millis,
    holds_any: impl Fn(Vec<EntryId>) -> F,
) -> Result<(), BufferError> {
    let away = |error: StoreError| BufferError::Away(error.to_string());
    // Who had leased some of them before they went is turned away by then: that lease has run out.
    let before = now.saturating_sub(Millis::try_from(LONGEST_LEASE.as_millis()).unwrap_or(Millis::MAX));
    for entries in database.unacknowledged(before).await.map_err(away)? {
        if let Some(first) = entries.first()
            && !holds_any(entries.clone()).await?
        {
            database.cross_out(first, before).await.map_err(away)?;
        }
    }
    Ok(())
}

/// What such a buffer knows; of the embedded one nothing, since that is in the store.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    sources: Vec<SourceState>,
    losses: Vec<Gap>,
    losses_dropped: u64,
    unfit: Vec<String>,
}

impl Elsewhere {
    /// Asks the buffer of a store. What of it can't be read keeps nothing else from being told.
    ///
    /// # Errors
    /// [`BufferError::Away`].
    pub async fn of(buffer: &Buffers, database: &Database) -> Result<Self, BufferError> {
        let mut unfit = Vec::new();
        or_unfit(buffer.check_owner(database).await, &mut unfit)?;
        let sources = or_unfit(buffer.sources().await, &mut unfit)?;
        let losses = or_unfit(buffer.losses().await, &mut unfit)?;
        let losses_dropped = or_unfit(buffer.losses_dropped().await, &mut unfit)?;
        unfit.extend(sources.iter().filter_map(|source| source.unfit.as_ref()).map(ToString::to_string));
        Ok(Self { sources, losses, losses_dropped, unfit })
    }

    /// A buffer of which nothing can be read, for this reason.
    #[must_use]
    pub fn none(unfit: String) -> Self {
        Self { unfit: vec![unfit], ..Self::default() }
    }

    /// What of the buffer can't be read, and what is to be done about it.
    #[must_use]
    pub fn unfit(&self) -> &[String] {
        &self.unfit
    }

    /// What the store says now, with what the buffer said before: asked in this order, of gaps that go from there to here none
    /// is missed, and those that both have are told once. Of the gaps so many stay, the newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn with_store(
        self,
        database: &Database,
        most: u32,
    ) -> Result<(Status, Vec<StoredGap>), StoreError> {
        let of_sources: usize = self.sources.iter().map(|source| source.gaps.len()).sum();
        let noted = u32::try_from(self.losses.len() + of_sources).unwrap_or(u32::MAX);
        // All that may have come since are among them. The counts come last: what comes in between is counted twice for a
        // moment, rather than shown and not counted.
        let mut gaps = database.gaps(most.saturating_add(noted)).await?;
        let mut status = database.status().await?;
        self.add_to(&mut status, &mut gaps, most as usize);
        Ok((status, gaps))
    }

    fn add_to(self, status: &mut Status, gaps: &mut Vec<StoredGap>, most: usize) {
        for state in self.sources {
            let known = status.sources.iter().position(|source| source.name == state.name);
            let place = known.unwrap_or_else(|| {
                status.sources.push(SourceStatus { name: state.name.clone(), ..SourceStatus::default() });
                status.sources.len() - 1
            });
            let source = &mut status.sources[place];
            source.holder = state.holder.map(|holder| (holder, state.held_until));
            (source.counts, source.cursor) = (state.counts, state.cursor);
            status.gaps_dropped += state.gaps_dropped;
            add_gaps(status, gaps, &state.name, state.gaps);
        }
        status.sources.retain(|source| source.name != PUT_BACK || source.counts.entries > 0);
        status.gaps_dropped += self.losses_dropped;
        add_gaps(status, gaps, BUFFER, self.losses);
        gaps.sort_by_key(|stored| Reverse(stored.gap.to));
        gaps.truncate(most);
    }
}

/// What was read, or nothing, and why.
fn or_unfit<T: Default>(read: Result<T, BufferError>, unfit: &mut Vec<String>) -> Result<T, BufferError> {
    match read {
        Err(BufferError::Unfit(reason)) => {
            unfit.push(reason);
            Ok(T::default())
        }
        read => read,
    }
}

/// Adds gaps, but for those that the store has just taken.
fn add_gaps(status: &mut Status, gaps: &mut Vec<StoredGap>, source: &str, noted: Vec<Gap>) {
    for gap in noted {
        let stored = StoredGap { source: source.to_owned(), gap };
        if !gaps.contains(&stored) {
            status.gaps += 1;
            gaps.push(stored);
        }
    }
}

#[cfg(test)]
mod tests {
    use tweetfilter_stream::store::{Outcome, Store};

    use super::*;
    use crate::parts::test_store::TestStore;

    #[tokio::test]
    async fn what_was_committed_is_forgotten_when_the_buffer_has_none_of_it_and_nobody_can_hold_it() {
        let (store, now) = (TestStore::open().await, crate::parts::now());
        let ids = |all: &[&str]| all.iter().map(|id| EntryId((*id).to_owned())).collect::<Vec<_>>();
        let long_ago = now - 601_000;
        // Whoever committed these was killed: one before it acknowledged the last of them.
        for (at, entries) in
            [(long_ago, ["0:1-0", "0:2-0"]), (long_ago, ["0:3-0", "0:4-0"]), (now, ["0:5-0", "0:6-0"])]
        {
            store.commit(&Outcome { at, ..Outcome::default() }, &ids(&entries)).await.unwrap();
        }
        let away =
            cross_out_gone(&store, now, |_| async { Err(BufferError::Away("no route".to_owned())) }).await;
        assert!(away.is_err());
        assert_eq!(store.unacknowledged(now + 1).await.unwrap().len(), 3);
        cross_out_gone(
            &store,
            now,
            |entries| async move { Ok(entries.contains(&EntryId("0:4-0".to_owned()))) },
        )
        .await
        .unwrap();
        let left = store.unacknowledged(now + 1).await.unwrap();
        assert_eq!(left, [ids(&["0:3-0", "0:4-0"]), ids(&["0:5-0", "0:6-0"])]);
    }
}
