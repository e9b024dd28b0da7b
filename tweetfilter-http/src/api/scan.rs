//! Looks back over stored posts, several stretches at a time, and never for long.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tweetfilter_core::Scratch;
use tweetfilter_core::post::Millis;
use tweetfilter_sql::{Database, TimelinePost, Verdicts};
use tweetfilter_stream::store::StoreError;

use super::Api;
use super::answer::{ApiError, Result};
use super::caller::Caller;
use super::expression::Compiled;
use super::order::Order;

/// Numbers of posts that are read at once: the first stretch is short, so that something can be shown soon.
const FIRST: i64 = 128;
const STRETCH: i64 = 1_024;
/// Stretches that are under way: while one is read another is evaluated.
const AHEAD: usize = 3;

/// A look back over what an account saw, newest first.
pub(super) struct Scan {
    api: Api,
    question: Arc<Question>,
    /// The first number that is kept.
    first: i64,
    /// Everything from this number on was looked at.
    pub(super) back_to: i64,
    /// Everything from this number on is being looked at.
    begun: i64,
    /// Numbers of the next stretch.
    next: i64,
    /// What is looked at, and back to where.
    ahead: VecDeque<(i64, JoinHandle<Looked>)>,
}

type Looked = std::result::Result<Stretch, StoreError>;

/// Which of the filters a post matches: the first is bit 0.
pub(super) type Bits = u8;

/// A post that the account saw.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeenPost {
    pub(super) received_at: Millis,
    pub(super) bits: Bits,
    /// Whether the first filter would take it out of the account's timeline; `None` if it is not seen there, or that was
    /// not asked.
    pub(super) would_hide: Option<bool>,
}

/// What was found in a stretch.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    /// Newest first.
    pub(super) seen: Vec<SeenPost>,
    /// The newest of those that match something, each with its place among `seen`.
    pub(super) kept: Vec<(usize, TimelinePost)>,
    /// Where it stopped, if its time was over before the end: this one was not looked at.
    stopped_at: Option<i64>,
}

/// What is asked of each post.
struct Question {
    account: i64,
    filters: Vec<Arc<Compiled>>,
    keep: usize,
    /// What the first filter would decide in the account's timeline.
    order: Option<Order>,
    until: Instant,
    /// Nobody waits for it any more.
    is_left: AtomicBool,
}

impl Drop for Scan {
    fn drop(&mut self) {
        // What runs on a thread of its own is not to be aborted.
        self.question.is_left.store(true, Ordering::Relaxed);
        for (_, task) in &self.ahead {
            task.abort();
        }
    }
}

impl Scan {
    /// Looks back from a number, not included, for at most a time, but at one post at least. Of the posts of a stretch
    /// that match the same filters at most so many are kept.
    pub(super) async fn begin(
        api: &Api,
        caller: &Caller,
        filters: Vec<Arc<Compiled>>,
        keep: usize,
        before: Option<i64>,
        time: Duration,
        order: Option<Order>,
    ) -> Result<Self> {
        let (first, last) = api.ask(caller.until, api.database().post_numbers()).await?;
        let end = last.saturating_add(1);
        let back_to = before.map_or(end, |before| before.clamp(first, end));
        let until = Instant::now() + time;
        let is_left = AtomicBool::new(false);
        let question = Question { account: caller.account(), filters, keep, order, until, is_left };
        Ok(Self {
            api: api.clone(),
            question: Arc::new(question),
            first,
            back_to,
            begun: back_to,
            next: FIRST,
            ahead: VecDeque::new(),
        })
    }

    /// Whether everything was looked at.
    pub(super) fn is_done(&self) -> bool {
        self.back_to <= self.first
    }

    /// Whether its time is over.
    pub(super) fn is_late(&self) -> bool {
        Instant::now() >= self.question.until
    }

    /// The next posts that the account saw; an empty answer may still have others behind it.
    pub(super) async fn next(&mut self) -> Result<Stretch> {
        while self.ahead.len() < AHEAD && self.begun > self.first {
            let start = self.begun.saturating_sub(self.next).max(self.first);
            let numbers = start..self.begun;
            let task = tokio::spawn(look(self.api.database().clone(), numbers, self.question.clone()));
            self.ahead.push_back((start, task));
            (self.begun, self.next) = (start, (self.next * 2).min(STRETCH));
        }
        let Some((start, task)) = self.ahead.front_mut() else { return Ok(Stretch::default()) };
        let start = *start;
        let looked = tokio::time::timeout(self.api.options().store_time, task).await;
        let Ok(looked) = looked else { return Err(self.api.late().await) };
        self.ahead.pop_front();
        let stretch = looked.map_err(|_| broken())??;
        self.back_to = stretch.stopped_at.map_or(start, |stopped| stopped + 1);
        Ok(stretch)
    }

    /// When the last of what was looked at was received.
    pub(super) async fn searched_back_to(&self) -> Result<Option<Millis>> {
        let until = self.api.until();
        self.api.ask(until, self.api.database().received_at(self.back_to)).await
    }
}

async fn look(database: Database, numbers: Range<i64>, question: Arc<Question>) -> Looked {
    let rows = database.seen_rows(question.account, numbers.clone()).await?;
    let said = match question.order {
        Some(_) => database.timeline_verdicts(question.account, numbers).await?,
        None => Verdicts::new(),
    };
    // A regex over long texts may take a while, and others wait for this thread.
    let looked = tokio::task::spawn_blocking(move || {
        let (mut scratch, mut seen, mut places) = (Scratch::default(), Vec::new(), Vec::new());
        let mut kept = [0; 1 << Bits::BITS];
        let (posts, stopped_at) = rows.read_while(|number, post, received_at| {
            let is_late = !seen.is_empty() && Instant::now() >= question.until;
            if is_late || question.is_left.load(Ordering::Relaxed) {
                return None;
            }
            let mut bits = 0;
            for (place, filter) in question.filters.iter().enumerate() {
                bits |= Bits::from(!filter.set.matches_with(&mut scratch, post).is_empty()) << place;
            }
            let said = question.order.as_ref().zip(said.get(&number));
            let would_hide =
                said.and_then(|(order, (verdict, matched))| order.hides(*verdict, matched, bits & 1 != 0));
            seen.push(SeenPost { received_at, bits, would_hide });
            let kept = &mut kept[usize::from(bits)];
            let wanted = bits != 0 && *kept < question.keep;
            if wanted {
                *kept += 1;
                places.push(seen.len() - 1);
            }
            Some(wanted)
        })?;
        Ok(Stretch { seen, kept: places.into_iter().zip(posts).collect(), stopped_at })
    });
    looked.await.unwrap_or_else(|error| Err(StoreError::Unfit(format!("a search broke off: {error}"))))
}

fn broken() -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The search broke off; try again")
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use tweetfilter_core::{Dialect, Post};
    use tweetfilter_sql::{Scope, Token};
    use tweetfilter_stream::store::{Delivery, Evaluated, Outcome, Store, Verdict};

    use super::*;
    use crate::api::Options;
    use crate::parts::Stop;
    use crate::parts::test_store::TestStore;

    #[tokio::test]
    async fn what_nobody_waits_for_is_looked_at_no_further() {
        let database = TestStore::open().await;
        let account = database.add_account("ann", &[]).await.unwrap();
        let evaluated = |id: u32| Evaluated {
            post: Post { network: "x".into(), id: id.to_string(), ..Post::from_text("Snow") },
            version: 0,
            source: "test".into(),
            at: 0,
            place: None,
            public: false,
            deliveries: vec![Delivery {
                account,
                verdict: Verdict::default(),
                filters: Vec::new(),
                seen: true,
            }],
            strangers: 0,
            stored: None,
        };
        let outcome = Outcome { posts: (0..9).map(evaluated).collect(), ..Outcome::default() };
        database.commit(&outcome, &[]).await.unwrap();

        let long = Duration::from_secs(3_600);
        let options = Options { store_time: long, ..Options::default() };
        let api = Api::new(Database::clone(&database), options, Stop::new().1);
        let token = Token {
            id: 1,
            account,
            account_name: "ann".into(),
            name: String::new(),
            scope: Scope::Read,
            created_at: 0,
        };
        let pulse = database.pulse().await.unwrap();
        let caller = Caller { token, until: api.until(), pulse };
        let surroundings = api.surroundings(caller.until, account, pulse.revision).await.unwrap();
        let filter = Arc::new(surroundings.compile("snow", Dialect::Native).unwrap());
        for is_left in [false, true] {
            let filters = vec![filter.clone()];
            let mut scan = Scan::begin(&api, &caller, filters, 1, None, long, None).await.unwrap();
            {
                let mut next = pin!(scan.next());
                let begun = poll_fn(|context| Poll::Ready(next.as_mut().poll(context).is_pending()));
                assert!(begun.await);
            }
            // As what runs on a thread of its own by then, it is not aborted.
            let (_, looks) = scan.ahead.pop_front().unwrap();
            let scan = (!is_left).then_some(scan);
            let stretch = looks.await.unwrap().unwrap();
            let looked_at = if is_left { (0, Some(9)) } else { (9, None) };
            assert_eq!((stretch.seen.len(), stretch.stopped_at), looked_at);
            drop(scan);
        }
        database.close().await;
    }
}
