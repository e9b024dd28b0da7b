//! A source that the buffer has forgotten, since somebody removed its keys: who notices goes on with a gap.
//!
//! Who reads it notices at its next batch, and knows since when what was not done by then had come. Who takes it over, or
//! begins again, finds a source that nobody has claimed, and has to know otherwise that it was read: by what the store has of
//! it, and by where it stood when whoever read it had the store keep that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tweetfilter_core::post::Millis;
use tweetfilter_sql::{Database, SourcePlace};
use tweetfilter_stream::buffer::{Buffer, BufferError, Claim, Fence, Gap};

use super::ingest::{LEASE, tell_gap};
use super::{PartError, now};

/// How long the store may take to say whether it knows a source. That of the tests here is never away, only slow at times.
const ASK: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 2 });
/// How much earlier what was appended may have been received, in milliseconds.
const ON_ITS_WAY: Millis = 1_000;

/// Where a source stood when it was last heard of: by batches of one's own, or from the buffer while another instance has
/// it. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    place: Arc<Mutex<Option<Place>>>,
    store: Option<Database>,
}

/// Where a source stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Where it can be read on from, if it has a cursor.
    pub(super) cursor: Option<String>,
    /// What was received since then may be lost.
    pub(super) since: Millis,
    /// When it was heard of first.
    begun: Millis,
    /// When this was heard of.
    heard: Millis,
}

/// What the store has of a source.
enum Stored {
    /// It could not be asked.
    Unknown,
    Nothing,
    /// The newest of it was received then.
    UpTo(Millis),
}

impl Stored {
    /// Since when what was received may be lost, if that is since then for what came to the buffer. What is not stored
    /// waited there, however long ago it was appended.
    fn since(&self, appended: Millis, begun: Millis) -> Millis {
        match self {
            Self::Unknown => appended,
            Self::Nothing => appended.min(begun),
            Self::UpTo(at) => appended.min(*at),
        }
    }
}

impl Memory {
    /// Has the store asked for what it has of the source.
    pub(super) fn asking(&mut self, store: &Database) {
        self.store = Some(store.clone());
    }

    /// Notes that all up to a cursor was appended of what was received before a time. What was received since the time
    /// before that may be lost, if the buffer loses it.
    pub(super) fn note(&self, cursor: Option<&str>, at: Millis) {
        let mut place = self.locked();
        let before = place.take();
        let known = before.as_ref().and_then(|before| before.cursor.as_deref());
        let since = match &before {
            // Nothing was appended meanwhile.
            Some(before) if cursor.is_some() && cursor == known => before.since,
            Some(before) => before.heard,
            None => at,
        };
        let cursor = cursor.or(known).map(str::to_owned);
        let begun = before.as_ref().map_or(at, |before| before.begun);
        *place = Some(Place { cursor, since: since.min(at), begun, heard: at });
    }

    /// Has the store keep where the source stands, if the oldest that is not done was appended then: for who begins again.
    /// A store that is away knows it a little later.
    pub(super) async fn keep(self, name: String, oldest: Millis) {
        let place = self.locked().clone();
        let (Some(store), Some(place)) = (&self.store, place) else { return };
        let since = place.since.min(oldest.saturating_sub(ON_ITS_WAY));
        let place = SourcePlace { cursor: place.cursor, since };
        let _ = tokio::time::timeout(ASK, store.keep_source_place(&name, &place)).await;
    }

    /// Where it stood when that was kept last.
    async fn kept(&self, name: &str) -> Option<Place> {
        let asked = tokio::time::timeout(ASK, self.store.as_ref()?.source_place(name)).await;
        // If it can't be asked, that is said where what it has of the source is asked for.
        let SourcePlace { cursor, since } = asked.ok()?.ok()??;
        Some(Place { cursor, since, begun: since, heard: since })
    }

    /// Since when what was received may be lost, if all was appended that was received before a time.
    async fn since(&self, name: &str, appended: Millis) -> Millis {
        let begun = self.locked().as_ref().map_or(appended, |place| place.begun);
        self.stored(name).await.since(appended, begun)
    }

    async fn stored(&self, name: &str) -> Stored {
        let Some(store) = &self.store else { return Stored::Unknown };
        let reason = match tokio::time::timeout(ASK, store.last_outcome(name)).await {
            Ok(Ok(None)) => return Stored::Nothing,
            // What was counted before times were noted, and has no commit any more, is known to have been, not when.
            Ok(Ok(Some(0))) => return Stored::UpTo(now()),
            Ok(Ok(Some(at))) => return Stored::UpTo(at),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it does not answer".to_owned(),
        };
        tracing::warn!(
            source = name,
            reason,
            "the buffer does not know the source, and the store could not be asked what it has of it: if more waited in the \
             buffer than is known here, it is lost without a gap"
        );
        Stored::Unknown
    }

    fn locked(&self) -> MutexGuard<'_, Option<Place>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a source stood of which a claim knows less than others do.
pub(super) async fn place(claim: &Claim, name: &str, memory: &Memory) -> Option<Place> {
    if claim.cursor.is_some() {
        return None;
    }
    let known = memory.locked().clone();
    let kept = memory.kept(name).await;
    // The buffer has no cursor of a source that had one: who claimed it since may have ended before it could say so.
    let had_cursor = [&known, &kept].into_iter().flatten().any(|place| place.cursor.is_some());
    if !claim.is_new && !had_cursor {
        return None;
    }
    let stored = memory.stored(name).await;
    let place = match (known, kept, &stored) {
        (Some(place), Some(kept), _) => {
            let cursor = place.cursor.or(kept.cursor);
            Place { since: place.since.min(kept.since), cursor, ..place }
        }
        (Some(place), None, _) | (None, Some(place), _) => place,
        (None, None, Stored::UpTo(at)) => Place { cursor: None, since: *at, begun: *at, heard: *at },
        (None, None, Stored::Unknown | Stored::Nothing) => return None,
    };
    Some(Place { since: stored.since(place.since, place.begun), ..place })
}

impl Place {
    /// The gap since then.
    pub(super) fn lost(&self, name: &str) -> Gap {
        let reason = BufferError::Forgotten { source_name: name.to_owned() };
        lost(name, self.since, reason.to_string())
    }
}

fn lost(name: &str, since: Millis, reason: String) -> Gap {
    let to = now();
    // A clock may have been ahead.
    let gap = Gap { from: since.min(to), to, reason, missing: None };
    tell_gap(name, &gap);
    gap
}

/// How a source goes on that the buffer has forgotten.
pub(super) struct Anew {
    pub(super) instance: String,
    /// All was appended that was received before that.
    pub(super) since: Millis,
    pub(super) memory: Memory,
    /// Whether what was lost can be read once more, if it begins anew.
    pub(super) rereads: bool,
}

impl Anew {
    /// Claims the source again, so that what is read of it by now is kept; `None` while the buffer is away.
    pub(super) async fn claim<B: Buffer>(
        &self,
        buffer: &B,
        name: &str,
        error: BufferError,
    ) -> Result<Option<(Fence, Gap)>, PartError> {
        if self.rereads {
            return Err(error.into());
        }
        let oldest = buffer.oldest_seen().map(|at| at.saturating_sub(ON_ITS_WAY));
        match buffer.claim(name, &self.instance, LEASE).await {
            Ok(claim) => {
                let stored = self.memory.since(name, self.since).await;
                // Of several workers, one that is gone may have held what is older than what others have stored.
                let since = oldest.map_or(stored, |oldest| oldest.min(stored));
                Ok(Some((claim.fence, lost(name, since, error.to_string()))))
            }
            Err(BufferError::Away(_) | BufferError::Full(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tweetfilter_stream::store::{Outcome, Store};

    use super::*;
    use crate::parts::fake::{FENCE, Fake};
    use crate::parts::test_store::TestStore;

    #[tokio::test]
    async fn what_a_worker_held_who_is_gone_is_covered_whatever_others_stored() {
        let anew =
            Anew { instance: "one".to_owned(), since: 50_000, memory: Memory::default(), rereads: false };
        for (oldest, from) in [(None, 50_000), (Some(20_000), 19_000), (Some(90_000), 50_000)] {
            let error = BufferError::Forgotten { source_name: "s".to_owned() };
            let buffer = Fake { forgotten: true, oldest, ..Fake::default() };
            let (fence, gap) = anew.claim(&buffer, "s", error).await.unwrap().unwrap();
            assert_eq!((fence, gap.from), (FENCE, from), "{oldest:?}");
        }
    }

    fn claim(cursor: Option<&str>, is_new: bool) -> Claim {
        Claim { cursor: cursor.map(str::to_owned), is_new, ..Claim::default() }
    }

    async fn found(memory: &Memory, claim: &Claim) -> Option<(Option<String>, Millis)> {
        place(claim, "s", memory).await.map(|place| (place.cursor, place.since))
    }

    #[tokio::test]
    async fn what_was_heard_of_a_source_holds_where_the_buffer_knows_nothing() {
        let memory = Memory::default();
        assert_eq!(found(&memory, &claim(None, true)).await, None);
        memory.note(Some("a"), 1_000);
        memory.note(Some("b"), 1_500);
        // It stands still: what came since the time before may be on its way.
        memory.note(Some("b"), 2_000);
        memory.note(Some("b"), 2_500);
        let at_b = Some((Some("b".to_owned()), 1_000));
        assert_eq!(found(&memory.clone(), &claim(None, true)).await, at_b);
        assert_eq!(found(&memory, &claim(None, false)).await, at_b);
        // What the buffer says counts for more.
        assert_eq!(found(&memory, &claim(Some("c"), false)).await, None);
        // A batch of gaps alone leaves the cursor.
        memory.note(None, 3_000);
        assert_eq!(found(&memory, &claim(None, true)).await, Some((Some("b".to_owned()), 2_500)));
    }

    #[tokio::test]
    async fn what_the_store_has_not_may_be_lost_whatever_was_heard_since() {
        let database = TestStore::open().await;
        let (mut memory, mut fresh) = (Memory::default(), Memory::default());
        memory.asking(&database);
        fresh.asking(&database);
        for (cursor, at) in [("a", 1_000), ("b", 9_000), ("c", 9_500)] {
            memory.note(Some(cursor), at);
        }
        let at_c = |since| Some((Some("c".to_owned()), since));
        // Nobody has stored anything of it, so all may have waited.
        assert_eq!(found(&memory, &claim(None, true)).await, at_c(1_000));
        assert_eq!(found(&fresh, &claim(None, true)).await, None);
        let (received, copies) = ([("s".to_owned(), 4_000)].into(), [("s".to_owned(), 1)].into());
        let outcome = Outcome { at: 20_000, received, copies, ..Outcome::default() };
        database.commit(&outcome, &[]).await.unwrap();
        assert_eq!(found(&memory, &claim(None, true)).await, at_c(4_000));
        assert_eq!(found(&fresh, &claim(None, true)).await, Some((None, 4_000)));
        // For who reads it, too; what was not appended is lost in any case.
        assert_eq!((memory.since("s", 9_400).await, memory.since("s", 3_000).await), (4_000, 3_000));
        // By a clock that was ahead.
        let gap = lost("s", now() + 86_400_000, "gone".to_owned());
        assert!(gap.from <= gap.to && gap.to <= now(), "{gap:?}");
    }

    #[tokio::test]
    async fn who_begins_again_goes_on_where_the_store_was_told_that_the_source_stood() {
        let database = TestStore::open().await;
        let (mut memory, mut fresh) = (Memory::default(), Memory::default());
        memory.asking(&database);
        fresh.asking(&database);
        for (cursor, at) in [("a", 1_000), ("b", 9_000), ("c", 9_500)] {
            memory.note(Some(cursor), at);
        }
        // Of the last two batches nobody knows; but for them, all is done.
        memory.clone().keep("s".to_owned(), 30_000).await;
        let at_c = |since| Some((Some("c".to_owned()), since));
        assert_eq!(found(&fresh, &claim(None, true)).await, at_c(9_000));
        // Something waits for longer, though others have stored what came later.
        memory.keep("s".to_owned(), 8_000).await;
        let (received, copies) = ([("s".to_owned(), 8_500)].into(), [("s".to_owned(), 1)].into());
        let outcome = Outcome { at: 20_000, received, copies, ..Outcome::default() };
        database.commit(&outcome, &[]).await.unwrap();
        assert_eq!(found(&fresh, &claim(None, true)).await, at_c(7_000));
        // Who heard of it since knows more of the cursor, and no more of what waited.
        fresh.note(Some("d"), 9_700);
        assert_eq!(found(&fresh, &claim(None, true)).await, Some((Some("d".to_owned()), 7_000)));
        // What the buffer knows counts for more.
        assert_eq!(found(&fresh, &claim(Some("e"), false)).await, None);
        // Whoever claimed it meanwhile ended before the gap was appended.
        let mut later = Memory::default();
        later.asking(&database);
        assert_eq!(found(&later, &claim(None, false)).await, at_c(7_000));
    }

    #[tokio::test]
    async fn a_source_without_a_cursor_is_missed_only_where_nobody_has_claimed_it() {
        let memory = Memory::default();
        memory.note(None, 1_000);
        memory.note(None, 1_500);
        assert_eq!(found(&memory, &claim(None, false)).await, None);
        assert_eq!(found(&memory, &claim(None, true)).await, Some((None, 1_000)));
    }
}
