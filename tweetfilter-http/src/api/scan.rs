//! Looks back over stored posts, several stretches at a time, and never for long.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tweetfilter_core::Scratch;
use tweetfilter_core::post::Millis;
use tweetfilter_sql::{Database, TimelinePost};
use tweetfilter_stream::store::StoreError;

use super::answer::{ApiError, Result};
use super::caller::Caller;
use super::expression::Compiled;
use super::{Api, STORE};

/// Numbers of posts that are read at once: the first stretch is short, so that something can be shown soon.
const FIRST: i64 = 128;
const STRETCH: i64 = 1_024;
/// Stretches that are under way: while one is read another is evaluated.
const AHEAD: usize = 3;

/// A look back over what an account saw, newest first.
pub(super) struct Scan {
    api: Api,
    account: i64,
    filters: Arc<Vec<Compiled>>,
    keep: usize,
    /// The first number that is kept.
    first: i64,
    /// Everything from this number on was looked at.
    pub(super) back_to: i64,
    /// Everything from this number on is being looked at.
    begun: i64,
    /// Numbers of the next stretch.
    next: i64,
    until: Instant,
    /// What is looked at, and back to where.
    ahead: VecDeque<(i64, JoinHandle<Looked>)>,
}

type Looked = std::result::Result<Stretch, StoreError>;

/// Which of the filters a post matches: the first is bit 0.
pub(super) type Bits = u8;

/// What was found in a stretch.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    /// Of each post that the account saw, newest first: when it was received, and what it matches.
    pub(super) seen: Vec<(Millis, Bits)>,
    /// The newest of those that match something, each with its place among `seen`.
    pub(super) kept: Vec<(usize, TimelinePost)>,
}

impl Drop for Scan {
    fn drop(&mut self) {
        for (_, task) in &self.ahead {
            task.abort();
        }
    }
}

impl Scan {
    /// Looks back from a number, not included, for at most a time. Of the posts of a stretch that match the same filters
    /// at most so many are kept.
    pub(super) async fn begin(
        api: &Api,
        caller: &Caller,
        filters: Vec<Compiled>,
        keep: usize,
        before: Option<i64>,
        time: Duration,
    ) -> Result<Self> {
        let (first, last) = api.ask(caller.until, api.database().post_numbers()).await?;
        let end = last.saturating_add(1);
        let back_to = before.map_or(end, |before| before.clamp(first, end));
        Ok(Self {
            api: api.clone(),
            account: caller.account(),
            filters: Arc::new(filters),
            keep,
            first,
            back_to,
            begun: back_to,
            next: FIRST,
            until: Instant::now() + time,
            ahead: VecDeque::new(),
        })
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
    pub(super) async fn next(&mut self) -> Result<Stretch> {
        while self.ahead.len() < AHEAD && self.begun > self.first {
            let start = self.begun.saturating_sub(self.next).max(self.first);
            let numbers = start..self.begun;
            let (database, filters) = (self.api.database().clone(), self.filters.clone());
            let task = tokio::spawn(look(database, self.account, numbers, filters, self.keep));
            self.ahead.push_back((start, task));
            (self.begun, self.next) = (start, (self.next * 2).min(STRETCH));
        }
        let Some((start, task)) = self.ahead.front_mut() else { return Ok(Stretch::default()) };
        let start = *start;
        let looked = tokio::time::timeout(STORE, task).await;
        let looked = looked.map_err(|_| ApiError::away("it does not answer in time"))?;
        self.ahead.pop_front();
        self.back_to = start;
        Ok(looked.map_err(|_| broken())??)
    }

    /// When the last of what was looked at was received.
    pub(super) async fn searched_back_to(&self) -> Result<Option<Millis>> {
        let until = Instant::now() + STORE;
        self.api.ask(until, self.api.database().received_at(self.back_to)).await
    }
}

async fn look(
    database: Database,
    account: i64,
    numbers: std::ops::Range<i64>,
    filters: Arc<Vec<Compiled>>,
    keep: usize,
) -> Looked {
    let rows = database.seen_rows(account, numbers).await?;
    // A regex over long texts may take a while, and others wait for this thread.
    let looked = tokio::task::spawn_blocking(move || {
        let (mut scratch, mut seen, mut places) = (Scratch::default(), Vec::new(), Vec::new());
        let mut kept = [0; 1 << Bits::BITS];
        let posts = rows.read(|post, received_at| {
            let mut bits = 0;
            for (place, filter) in filters.iter().enumerate() {
                bits |= Bits::from(!filter.set.matches_with(&mut scratch, post).is_empty()) << place;
            }
            seen.push((received_at, bits));
            let kept = &mut kept[usize::from(bits)];
            let wanted = bits != 0 && *kept < keep;
            if wanted {
                *kept += 1;
                places.push(seen.len() - 1);
            }
            wanted
        })?;
        Ok(Stretch { seen, kept: places.into_iter().zip(posts).collect() })
    });
    looked.await.unwrap_or_else(|error| Err(StoreError::Unfit(format!("a search broke off: {error}"))))
}

fn broken() -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The search broke off; try again")
}
