//! What keeps a processor busy runs on threads of its own, a few at a time: a few other threads answer all requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Semaphore;
use tweetfilter_core::Post;
use tweetfilter_core::explain::Explanation;
use tweetfilter_stream::store::StoreError;

use super::Api;
use super::answer::{ApiError, Result};
use super::caller::Caller;
use super::expression::Compiled;

/// A kind of such work. It waits for others of its kind alone, so that what is checked as it is typed does not wait for
/// what takes longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Work {
    /// Reading expressions: one, or those that a page's posts matched.
    Reading,
    /// Explaining posts.
    Explaining,
    /// Reading whole lists: the filters of a file or of an account, the terms of a set.
    Lists,
}

/// As many of each kind at once as there are processors.
#[derive(Debug)]
pub(super) struct Turns {
    reading: Arc<Semaphore>,
    explaining: Arc<Semaphore>,
    lists: Arc<Semaphore>,
    /// Of accounts for which something is done alone, as long as that waits or runs.
    accounts: Mutex<HashMap<(i64, Own), Weak<Semaphore>>>,
}

/// What is done for an account one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Own {
    /// Work of a kind.
    Work(Work),
    /// Keeping a filter or a list, for which the store prices all of the account's filters.
    Keeping,
}

impl Default for Turns {
    fn default() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, usize::from))
    }
}

impl Turns {
    fn new(each: usize) -> Self {
        let turns = || Arc::new(Semaphore::new(each));
        Self { reading: turns(), explaining: turns(), lists: turns(), accounts: Mutex::default() }
    }

    fn of(&self, kind: Work) -> Arc<Semaphore> {
        let turns = match kind {
            Work::Reading => &self.reading,
            Work::Explaining => &self.explaining,
            Work::Lists => &self.lists,
        };
        turns.clone()
    }

    /// The one turn of an account.
    fn own(&self, account: i64, kind: Own) -> Arc<Semaphore> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.retain(|_, own| own.strong_count() > 0);
        if let Some(own) = accounts.get(&(account, kind)).and_then(Weak::upgrade) {
            return own;
        }
        let own = Arc::new(Semaphore::new(1));
        accounts.insert((account, kind), Arc::downgrade(&own));
        own
    }

    async fn aside<T: Send + 'static>(
        &self,
        kind: Work,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let turn = self.of(kind).acquire_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            // Whoever goes away meanwhile keeps the turn until it is done.
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| ApiError::broken())
    }

    async fn alone<T: Send + 'static>(
        &self,
        account: i64,
        kind: Work,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let own = self.own(account, Own::Work(kind)).acquire_owned().await;
        let work = move || {
            let _own = own;
            work()
        };
        self.aside(kind, work).await
    }
}

/// A post, and the filters that are asked about it.
pub(super) type Asked = (Post, Vec<Arc<Compiled>>);

impl Api {
    /// Does what keeps a processor busy, such as reading a long expression, where it holds up nobody.
    pub(super) async fn aside<T: Send + 'static>(
        &self,
        kind: Work,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.0.turns.aside(kind, work).await
    }

    /// The same for an account, of each kind one thing at a time, so that nobody takes all turns of what takes long: others
    /// wait for them to see their own filters, or why a post matches.
    pub(super) async fn alone<T: Send + 'static>(
        &self,
        account: i64,
        kind: Work,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.0.turns.alone(account, kind, work).await
    }

    /// Has the store keep filters or a list of an account, one after the other: it prices all of the account's filters for
    /// that, and those who had it do so at the same moment would hold each other up until none is done in time. The store's
    /// time, with some more if there is much to keep, begins with the turn, and begins anew for what is asked then.
    pub(super) async fn keep<T>(
        &self,
        caller: &mut Caller,
        more: Duration,
        kept: impl Future<Output = std::result::Result<T, StoreError>>,
    ) -> Result<T> {
        let _turn = self.0.turns.own(caller.account(), Own::Keeping).acquire_owned().await;
        let kept = self.ask(self.until() + more, kept).await;
        caller.renew(self);
        kept
    }

    /// For each post what its filters find in it, or what it lacks for them: an expression is read once more for that, and
    /// each of its parts is tried.
    pub(super) async fn explained(&self, account: i64, asked: Vec<Asked>) -> Result<Vec<Vec<Explanation>>> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        // Dropped with the request: who has gone away needs none of the rest.
        let asking = Arc::new(());
        let waiting = Arc::downgrade(&asking);
        let is_awaited = move || waiting.strong_count() > 0;
        let done = self.alone(account, Work::Explaining, move || {
            let explain = |(post, filters): Asked| -> Vec<Explanation> {
                let awaited = filters.iter().take_while(|_| is_awaited());
                awaited.filter_map(|filter| filter.set.explain(0, &post)).collect()
            };
            asked.into_iter().map(explain).collect::<Vec<_>>()
        });
        let done = done.await;
        drop(asking);
        done
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn an_account_has_one_thing_of_a_kind_done_at_a_time() {
        for (kind, other) in [(Work::Explaining, Work::Lists), (Work::Lists, Work::Explaining)] {
            let turns = Arc::new(Turns::new(2));
            let (end, until) = std::sync::mpsc::channel::<()>();
            let long = turns.clone();
            let work = move || until.recv().is_err();
            let long = tokio::spawn(async move { long.alone(1, kind, work).await.is_ok() });
            while turns.of(kind).available_permits() == 2 {
                tokio::task::yield_now().await;
            }
            assert!(timeout(Duration::from_millis(50), turns.alone(1, kind, || ())).await.is_err());
            for (account, kind) in [(2, kind), (1, other)] {
                let done = timeout(Duration::from_secs(60), turns.alone(account, kind, || ()));
                assert!(done.await.is_ok(), "{account} {kind:?}");
            }
            drop(end);
            assert!(long.await.unwrap());
            assert!(timeout(Duration::from_secs(60), turns.alone(1, kind, || ())).await.is_ok());
        }
    }
}
