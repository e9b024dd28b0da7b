//! How much a token, and an account, may ask for at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use super::Options;
use super::answer::{ApiError, Result};

/// Searches and previews at once, in this process.
const SEARCHES: usize = 2;
/// How long a search or preview waits for its turn: for a few slices of another one, not for all of a long one.
const PATIENCE: Duration = Duration::from_secs(1);
/// Tokens that are remembered before those that rest are forgotten.
const TOKENS: usize = 10_000;
/// How often is noted that a token is used.
const NOTE: Duration = Duration::from_secs(300);

/// What tokens are using.
#[derive(Debug)]
pub(super) struct Uses {
    tokens: Mutex<HashMap<i64, Use>>,
    searches: Arc<Semaphore>,
    /// The one turn of each account that searches, as long as that waits or runs.
    searching: Mutex<HashMap<i64, Weak<Semaphore>>>,
    noting: Mutex<Noting>,
}

/// Tokens of which is to be noted that they are used.
#[derive(Debug, Default)]
struct Noting {
    due: Vec<i64>,
    /// Somebody notes what is due until nothing is.
    runs: bool,
}

/// What one token is using.
#[derive(Debug)]
struct Use {
    /// Requests that it has saved up, as of a moment.
    saved: f64,
    at: Instant,
    /// When it was noted that it is used.
    noted: Option<Instant>,
    streams: Arc<Semaphore>,
}

/// The right to do something, until it is dropped.
#[derive(Debug)]
pub(super) struct Right {
    _permit: OwnedSemaphorePermit,
    /// Of a search: the turn of its account.
    _searching: Option<OwnedSemaphorePermit>,
}

impl Default for Uses {
    fn default() -> Self {
        let searches = Arc::new(Semaphore::new(SEARCHES));
        Self { tokens: Mutex::default(), searches, searching: Mutex::default(), noting: Mutex::default() }
    }
}

impl Uses {
    /// One more request.
    pub(super) fn take(&self, token: i64, options: &Options) -> Result<()> {
        self.with(token, options, |used| {
            let now = Instant::now();
            let passed = now.duration_since(used.at).as_secs_f64();
            used.saved = (used.saved + passed * options.rate).min(options.burst);
            used.at = now;
            if used.saved >= 1.0 {
                used.saved -= 1.0;
                return Ok(());
            }
            let wait = ((1.0 - used.saved) / options.rate.max(0.001)).ceil();
            let message = format!("This token asks more than {} times a second; wait a little", options.rate);
            Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message).after(wait as u64))
        })
    }

    /// Notes that a token is used, if it is time to. True to whoever has to [write down](Self::take_noted) what is noted, until
    /// nothing is.
    pub(super) fn note(&self, token: i64, options: &Options) -> bool {
        let due = self.with(token, options, |used| {
            let due = used.noted.is_none_or(|noted| noted.elapsed() >= NOTE);
            if due {
                used.noted = Some(Instant::now());
            }
            due
        });
        if !due {
            return false;
        }
        let mut noting = self.noting();
        noting.due.push(token);
        !std::mem::replace(&mut noting.runs, true)
    }

    /// What was noted since it was asked last; where that is nothing, whoever notes next has to ask.
    pub(super) fn take_noted(&self) -> Vec<i64> {
        let mut noting = self.noting();
        noting.runs = !noting.due.is_empty();
        std::mem::take(&mut noting.due)
    }

    fn noting(&self) -> MutexGuard<'_, Noting> {
        self.noting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One search or preview of an account, by whichever token: nobody keeps others out alone. Who comes first has its turn
    /// first, first among those of its account and then among all: whoever asks again and again passes by nobody.
    pub(super) async fn search(&self, account: i64) -> Result<Right> {
        let busy =
            |message: &str| ApiError::new(StatusCode::TOO_MANY_REQUESTS, "search_running", message).after(1);
        let until = tokio::time::Instant::now() + PATIENCE;
        let own = timeout_at(until, self.searches_of(account).acquire_owned()).await;
        let Ok(Ok(own)) = own else {
            return Err(busy("A search or preview of this account runs already; let it end"));
        };
        let shared = timeout_at(until, Arc::clone(&self.searches).acquire_owned()).await;
        let Ok(Ok(shared)) = shared else {
            return Err(busy("Others search just now; try again in a second"));
        };
        Ok(Right { _permit: shared, _searching: Some(own) })
    }

    /// The one turn of an account to search.
    fn searches_of(&self, account: i64) -> Arc<Semaphore> {
        let mut searching = self.searching.lock().unwrap_or_else(PoisonError::into_inner);
        searching.retain(|_, own| own.strong_count() > 0);
        if let Some(own) = searching.get(&account).and_then(Weak::upgrade) {
            return own;
        }
        let own = Arc::new(Semaphore::new(1));
        searching.insert(account, Arc::downgrade(&own));
        own
    }

    /// One live stream.
    pub(super) fn stream(&self, token: i64, options: &Options) -> Result<Right> {
        let own = self.with(token, options, |used| Arc::clone(&used.streams).try_acquire_owned());
        let own = own.map_err(|_| {
            let message = match options.streams {
                1 => "This token has a live stream open already; close it".to_owned(),
                many => format!("This token has {many} live streams open already; close one"),
            };
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", message).after(5)
        })?;
        Ok(Right { _permit: own, _searching: None })
    }

    fn with<T>(&self, token: i64, options: &Options, act: impl FnOnce(&mut Use) -> T) -> T {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= TOKENS && !tokens.contains_key(&token) {
            // What rests has saved up all it can, so forgetting it changes nothing.
            tokens.retain(|_, used| {
                let busy = used.streams.available_permits() < options.streams;
                busy || used.at.elapsed().as_secs_f64() * options.rate < options.burst
            });
        }
        act(tokens.entry(token).or_insert_with(|| Use {
            saved: options.burst,
            at: Instant::now(),
            noted: None,
            streams: Arc::new(Semaphore::new(options.streams)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So that nothing is saved up while the test runs.
    const RATE: f64 = 0.001;

    #[test]
    fn what_is_saved_up_is_used_up() {
        let (uses, options) = (Uses::default(), Options { rate: RATE, burst: 3.0, ..Options::default() });
        assert!((0..3).all(|_| uses.take(1, &options).is_ok()));
        let refused = uses.take(1, &options).unwrap_err();
        assert_eq!(refused.body().code, "too_many_requests");
        assert!(uses.take(2, &options).is_ok(), "another token has its own");
    }

    #[test]
    fn uses_of_many_tokens_are_written_down_together() {
        let (uses, options) = (Uses::default(), Options::default());
        assert_eq!([1, 2, 1, 3].map(|token| uses.note(token, &options)), [true, false, false, false]);
        assert_eq!(uses.take_noted(), [1, 2, 3]);
        assert!(!uses.note(4, &options), "who writes them down asks once more");
        assert_eq!(uses.take_noted(), [4]);
        assert!(uses.take_noted().is_empty());
        assert!(uses.note(5, &options), "nobody writes any more");
        assert!(!uses.note(4, &options));
        assert_eq!(uses.take_noted(), [5], "it was noted a moment ago");
    }

    #[tokio::test(start_paused = true)]
    async fn searches_are_one_for_an_account_and_two_in_all() {
        let uses = Uses::default();
        let first = uses.search(1).await.unwrap();
        assert!(uses.search(1).await.is_err());
        let _second = uses.search(2).await.unwrap();
        assert!(uses.search(3).await.is_err());
        drop(first);
        assert!(uses.search(3).await.is_ok());
        assert!(uses.search(1).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_search_to_end_comes_before_the_next_one() {
        let uses = Arc::new(Uses::default());
        let first = uses.search(1).await.unwrap();
        let search = |uses: Arc<Uses>| async move { uses.search(1).await };
        let waiting = tokio::spawn(search(uses.clone()));
        tokio::task::yield_now().await;
        let next = tokio::spawn(search(uses.clone()));
        tokio::task::yield_now().await;
        drop(first);
        let waited = waiting.await.unwrap().unwrap();
        assert!(next.await.unwrap().is_err(), "it waits for the one before it, and not for ever");
        drop(waited);
        assert!(uses.search(1).await.is_ok());
    }
}
