//! Looks back over stored posts, a stretch at a time, and never for long.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::time::Instant;
use tweetfilter_core::Scratch;
use tweetfilter_core::post::Millis;
use tweetfilter_sql::TimelinePost;

use super::answer::{ApiError, Result};
use super::caller::Caller;
use super::expression::Compiled;
use super::{Api, STORE};

/// Numbers of posts that are read at once.
const STRETCH: i64 = 512;

/// A look back over what an account saw, newest first.
pub(super) struct Scan<'a> {
    api: &'a Api,
    account: i64,
    filters: Arc<Vec<Compiled>>,
    /// The first number that is kept.
    first: i64,
    /// Everything from this number on was looked at.
    pub(super) back_to: i64,
    until: Instant,
    /// What is read ahead while posts are evaluated.
    ahead: Option<tokio::task::JoinHandle<Read>>,
}

type Read = std::result::Result<Vec<TimelinePost>, tweetfilter_stream::store::StoreError>;

/// A post, and which of the filters it matches.
pub(super) struct Looked {
    pub(super) post: TimelinePost,
    pub(super) matched: Vec<bool>,
}

impl Drop for Scan<'_> {
    fn drop(&mut self) {
        if let Some(ahead) = self.ahead.take() {
            ahead.abort();
        }
    }
}

impl<'a> Scan<'a> {
    /// Looks back from a number, not included, for at most a time.
    pub(super) async fn begin(
        api: &'a Api,
        caller: &Caller,
        filters: Vec<Compiled>,
        before: Option<i64>,
        time: Duration,
    ) -> Result<Self> {
        let (first, last) = api.ask(caller.until, api.database().post_numbers()).await?;
        let end = last.saturating_add(1);
        let back_to = before.map_or(end, |before| before.clamp(first, end));
        let (account, until) = (caller.account(), Instant::now() + time);
        Ok(Self { api, account, filters: Arc::new(filters), first, back_to, until, ahead: None })
    }

    /// Whether everything was looked at.
    pub(super) fn is_done(&self) -> bool {
        self.back_to <= self.first
    }

    /// Whether its time is over.
    pub(super) fn is_late(&self) -> bool {
        Instant::now() >= self.until
    }

    /// The next posts that the account saw; an empty answer may still have others behind it.
    pub(super) async fn next(&mut self) -> Result<Vec<Looked>> {
        let read = match self.ahead.take() {
            Some(ahead) => ahead,
            None => self.read(self.back_to),
        };
        let posts = match tokio::time::timeout(STORE, read).await {
            Ok(Ok(posts)) => posts?,
            Ok(Err(_)) => return Err(broken()),
            Err(_) => return Err(ApiError::away("it does not answer in time")),
        };
        self.back_to = self.start(self.back_to);
        if !self.is_done() {
            self.ahead = Some(self.read(self.back_to));
        }
        let filters = self.filters.clone();
        // A regex over long texts may take a while, and others wait for this thread.
        let looked = tokio::task::spawn_blocking(move || {
            let mut scratch = Scratch::default();
            let mut matches = |post: &TimelinePost| -> Vec<bool> {
                let of = |filter: &Compiled| !filter.set.matches_with(&mut scratch, &post.post).is_empty();
                filters.iter().map(of).collect()
            };
            posts.into_iter().map(|post| Looked { matched: matches(&post), post }).collect()
        });
        looked.await.map_err(|_| broken())
    }

    /// When the last of what was looked at was received.
    pub(super) async fn searched_back_to(&self) -> Result<Option<Millis>> {
        let until = Instant::now() + STORE;
        self.api.ask(until, self.api.database().received_at(self.back_to)).await
    }

    fn start(&self, end: i64) -> i64 {
        end.saturating_sub(STRETCH).max(self.first)
    }

    fn read(&self, end: i64) -> tokio::task::JoinHandle<Read> {
        let (database, account, start) = (self.api.database().clone(), self.account, self.start(end));
        tokio::spawn(async move { database.seen(account, start..end).await })
    }
}

fn broken() -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The search broke off; try again")
}
