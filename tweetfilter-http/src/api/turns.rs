//! What keeps a processor busy runs on threads of its own, a few at a time: a few other threads answer all requests.

use std::sync::Arc;

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
}

impl Default for Turns {
    fn default() -> Self {
        let turns = || Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)));
        Self { reading: turns(), explaining: turns(), lists: turns() }
    }
}

impl Turns {
    fn of(&self, kind: Work) -> Arc<Semaphore> {
        let turns = match kind {
            Work::Reading => &self.reading,
            Work::Explaining => &self.explaining,
            Work::Lists => &self.lists,
        };
        turns.clone()
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
        let turn = self.0.turns.of(kind).acquire_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            // Whoever goes away meanwhile keeps the turn until it is done.
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| ApiError::broken())
    }

    /// For each post what its filters find in it, or what it lacks for them: an expression is read once more for that, and
    /// each of its parts is tried.
    pub(super) async fn explained(&self, asked: Vec<Asked>) -> Result<Vec<Vec<Explanation>>> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let explain = |(post, filters): Asked| -> Vec<Explanation> {
            filters.iter().filter_map(|filter| filter.set.explain(0, &post)).collect()
        };
        self.aside(Work::Explaining, move || asked.into_iter().map(explain).collect::<Vec<_>>()).await
    }
}
