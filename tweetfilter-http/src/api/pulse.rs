//! One look at the store for all who want to know what is new.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tweetfilter_sql::{Database, Pulse, TimelinePost};
use tweetfilter_stream::store::StoreError;

use crate::people::{People, unnamed};

/// How often is looked while somebody waits.
const BEAT: Duration = Duration::from_millis(50);
/// Commits that are read at once.
const COMMITS: i64 = 16;
/// Reads that are kept for those who come late to them, and the posts of all of these.
const READS: usize = 32;
const POSTS: usize = 4_096;

/// What the last look saw.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// What of it is not among the `reads` has to be read by whoever wants it.
    pub(super) pulse: Pulse,
    /// The store did not answer.
    pub(super) away: bool,
    /// What the newest commits gave to the accounts that are watched.
    reads: Arc<VecDeque<Arc<Read>>>,
    /// The tokens that are good, as of `pulse.tokens`, once one was revoked.
    pub(super) tokens: Option<Arc<HashSet<i64>>>,
}

/// What some commits gave to the accounts that were watched when they were read.
#[derive(Debug)]
pub(super) struct Read {
    /// Behind this commit.
    after: i64,
    /// Up to this one.
    pub(super) up_to: i64,
    posts: HashMap<i64, Vec<Arc<TimelinePost>>>,
    /// Whom these posts give by id alone.
    people: People,
}

/// Looks while somebody watches or asks.
#[derive(Debug)]
pub(super) struct Heart {
    database: Database,
    /// How long a look may take before the store counts as away.
    away: Duration,
    seen: Arc<watch::Sender<Option<Seen>>>,
    beats: Arc<AtomicBool>,
    watched: Arc<Mutex<HashMap<i64, usize>>>,
    asking: Arc<Mutex<Asking>>,
    own: Own,
}

/// Those who want to know what is, as of now.
#[derive(Debug, Default)]
struct Asking {
    waiting: Vec<oneshot::Sender<Result<Pulse, StoreError>>>,
    looks: bool,
}

/// A place at which is told what an account gets, until it is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    /// `None` until there was a look.
    pub(super) seen: watch::Receiver<Option<Seen>>,
    account: i64,
    watched: Arc<Mutex<HashMap<i64, usize>>>,
}

impl Seen {
    /// What was read of the commits behind one for an account, if it was read, with whom the posts of all who watch give by
    /// id alone.
    pub(super) fn read(&self, account: i64, after: i64) -> Option<(&[Arc<TimelinePost>], &People, i64)> {
        let read = self.reads.iter().find(|read| read.after <= after && after < read.up_to)?;
        let posts = read.posts.get(&account)?;
        let from = posts.partition_point(|post| post.cursor.commit <= after);
        Some((&posts[from..], &read.people, read.up_to))
    }
}

/// The last change of what each account keeps, as far as one was seen: see [`Pulse::own`].
type Own = Arc<Mutex<HashMap<i64, i64>>>;

impl Heart {
    pub(super) fn new(database: Database, away: Duration) -> Self {
        Self {
            database,
            away,
            seen: Arc::new(watch::channel(None).0),
            beats: Arc::default(),
            watched: Arc::default(),
            asking: Arc::default(),
            own: Own::default(),
        }
    }

    /// Watches what an account gets.
    pub(super) fn watch(&self, account: i64) -> Watch {
        *lock(&self.watched).entry(account).or_default() += 1;
        let watch = Watch { seen: self.seen.subscribe(), account, watched: self.watched.clone() };
        if !self.beats.swap(true, Ordering::SeqCst) {
            let (seen, beats) = (self.seen.clone(), self.beats.clone());
            let (watched, own) = (self.watched.clone(), self.own.clone());
            tokio::spawn(beat(self.database.clone(), self.away, seen, beats, watched, own));
        }
        watch
    }

    /// What has changed up to now. Those who ask while a look is under way share the one that begins after it.
    pub(super) async fn now(&self) -> Result<Pulse, StoreError> {
        let (answer, answered) = oneshot::channel();
        let begins = {
            let mut asking = lock(&self.asking);
            asking.waiting.push(answer);
            !std::mem::replace(&mut asking.looks, true)
        };
        if begins {
            // Whoever asked first may go away.
            tokio::spawn(look(self.database.clone(), self.away, self.asking.clone()));
        }
        answered.await.unwrap_or_else(|_| Err(StoreError::Away("the look at it broke off".to_owned())))
    }

    /// The last change of what an account keeps that was seen; 0 if there was none.
    pub(super) fn own(&self, account: i64) -> i64 {
        lock(&self.own).get(&account).copied().unwrap_or_default()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = lock(&self.watched);
        if let Some(count) = watched.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                watched.remove(&self.account);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks until nobody asks.
async fn look(database: Database, away: Duration, asking: Arc<Mutex<Asking>>) {
    loop {
        let waiting = {
            let mut asking = lock(&asking);
            asking.looks = !asking.waiting.is_empty();
            std::mem::take(&mut asking.waiting)
        };
        if waiting.is_empty() {
            return;
        }
        let seen = match tokio::time::timeout(away, database.pulse()).await {
            Ok(seen) => seen,
            Err(_) => Err(StoreError::Away("it does not answer in time".to_owned())),
        };
        for answer in waiting {
            // Who does not wait any more does not hear it.
            let _ = answer.send(seen.clone());
        }
    }
}

async fn beat(
    database: Database,
    away: Duration,
    seen: Arc<watch::Sender<Option<Seen>>>,
    beats: Arc<AtomicBool>,
    watched: Arc<Mutex<HashMap<i64, usize>>>,
    own: Own,
) {
    loop {
        if seen.receiver_count() == 0 {
            // What was seen is of no use to who comes next.
            seen.send_replace(None);
            beats.store(false, Ordering::SeqCst);
            // Somebody may have come between the two looks, and not have started this again.
            if seen.receiver_count() == 0 || beats.swap(true, Ordering::SeqCst) {
                return;
            }
        }
        let last = seen.borrow().clone();
        let looked = tokio::time::timeout(away, next(&database, last.as_ref(), &watched, &own)).await;
        let (now, behind) = match looked {
            Ok(Ok(now)) => now,
            _ => (Seen { away: true, ..last.clone().unwrap_or_default() }, false),
        };
        seen.send_if_modified(|known| {
            let same = known.as_ref().is_some_and(|known| (known.pulse, known.away) == (now.pulse, now.away));
            *known = Some(now);
            !same
        });
        if !behind {
            tokio::time::sleep(BEAT).await;
        }
    }
}

/// Looks once, and reads what is new to those who watch. True if there is more to read at once.
async fn next(
    database: &Database,
    last: Option<&Seen>,
    watched: &Mutex<HashMap<i64, usize>>,
    own: &Mutex<HashMap<i64, i64>>,
) -> Result<(Seen, bool), StoreError> {
    let newest = database.pulse().await?;
    let known = last.map_or(0, |last| last.pulse.own);
    if known < newest.own {
        let changes = database.own_changes(known).await?;
        lock(own).extend(changes);
    }
    let Some(last) = last else { return Ok((Seen { pulse: newest, ..Seen::default() }, false)) };
    let mut now = Seen { pulse: newest, away: false, ..last.clone() };
    if newest.tokens != last.pulse.tokens {
        let good = database.tokens().await?.into_iter().map(|token| token.id);
        now.tokens = Some(Arc::new(good.collect()));
    }
    let after = last.pulse.commit;
    if newest.commit > after {
        now.pulse.commit = newest.commit.min(after.saturating_add(COMMITS));
        let accounts: Vec<i64> = lock(watched).keys().copied().collect();
        let mut reads = VecDeque::clone(&last.reads);
        // Commits that took something back are read by each for itself.
        if let Some(read) = database.tail_of(&accounts, after, now.pulse.commit).await? {
            let people = People::of(database, unnamed(&read)).await?;
            let mut posts: HashMap<i64, Vec<_>> = accounts.into_iter().map(|of| (of, Vec::new())).collect();
            for post in read {
                posts.entry(post.account).or_default().push(Arc::new(post));
            }
            reads.push_back(Arc::new(Read { after, up_to: now.pulse.commit, posts, people }));
        }
        let held = |read: &Arc<Read>| read.posts.values().map(Vec::len).sum::<usize>();
        let mut posts: usize = reads.iter().map(held).sum();
        while reads.len() > READS || posts > POSTS && reads.len() > 1 {
            posts -= reads.pop_front().as_ref().map_or(0, held);
        }
        now.reads = Arc::new(reads);
    }
    let behind = now.pulse.commit < newest.commit;
    Ok((now, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_for_those_who_were_watched_and_stand_within_it() {
        let read = |after, up_to| {
            let posts = HashMap::from([(1, Vec::new())]);
            Arc::new(Read { after, up_to, posts, people: People::default() })
        };
        let seen = Seen { reads: Arc::new([read(3, 5), read(5, 9)].into()), ..Seen::default() };
        let up_to = |account, after| seen.read(account, after).map(|(.., up_to)| up_to);
        assert_eq!([3, 4, 5, 8].map(|after| up_to(1, after)), [Some(5), Some(5), Some(9), Some(9)]);
        assert_eq!((up_to(1, 2), up_to(1, 9), up_to(2, 4)), (None, None, None));
    }
}
