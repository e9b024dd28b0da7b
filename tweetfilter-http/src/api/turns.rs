//! What keeps a processor busy runs on threads of its own, a few at a time: a few other threads answer all requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Semaphore;
use tweetfilter_core::Post;
use tweetfilter_core::explain::Explanation;

use super::Api;
use super::answer::{ApiError, Result};
use super::expression::Compiled;

/// A kind of such work. It waits for others of its kind alone, so that what is checked as it is typed does not wait for
/// what takes longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Of accounts that have something explained, as long as that waits or runs.
    accounts: Mutex<HashMap<i64, Weak<Semaphore>>>,
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
    fn own(&self, account: i64) -> Arc<Semaphore> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.retain(|_, own| own.strong_count() > 0);
        if let Some(own) = accounts.get(&account).and_then(Weak::upgrade) {
            return own;
        }
        let own = Arc::new(Semaphore::new(1));
        accounts.insert(account, Arc::downgrade(&own));
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

    async fn explain<T: Send + 'static>(
        &self,
        account: i64,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let own = self.own(account).acquire_owned().await;
        let work = move || {
            let _own = own;
            work()
        };
        self.aside(Work::Explaining, work).await
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

    /// Explains something for an account, one thing at a time, so that nobody takes all turns alone.
    pub(super) async fn explain<T: Send + 'static>(
        &self,
        account: i64,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.0.turns.explain(account, work).await
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
        let done = self.explain(account, move || {
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
    async fn an_account_has_one_thing_explained_at_a_time() {
        let turns = Arc::new(Turns::new(2));
        let (end, until) = std::sync::mpsc::channel::<()>();
        let long = turns.clone();
        let long = tokio::spawn(async move { long.explain(1, move || until.recv().is_err()).await.is_ok() });
        while turns.explaining.available_permits() == 2 {
            tokio::task::yield_now().await;
        }
        assert!(timeout(Duration::from_millis(50), turns.explain(1, || ())).await.is_err());
        assert!(timeout(Duration::from_secs(60), turns.explain(2, || ())).await.is_ok());
        drop(end);
        assert!(long.await.unwrap());
        assert!(timeout(Duration::from_secs(60), turns.explain(1, || ())).await.is_ok());
    }
}
