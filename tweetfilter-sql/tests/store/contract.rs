//! Each function wants an empty database.

use tweetfilter_core::Post;
use tweetfilter_core::post::Account;
use tweetfilter_sql::{Database, Page};
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::store::{Committed, Delivery, Evaluated, Outcome, Said, Store, StoreError, Verdict};

use crate::common::Clock;

mod accounts;
mod budget;
mod edits;
mod ends;
mod filters;
mod gaps;
mod letters;
mod looking_back;
mod lookup;
mod orders;
mod posts;
mod retention;
mod samples;
mod saving;
mod taken_back;
mod timeline;
mod withdrawn;

pub use accounts::*;
pub use budget::*;
pub use edits::*;
pub use ends::*;
pub use filters::*;
pub use gaps::*;
pub use letters::*;
pub use looking_back::*;
pub use lookup::*;
pub use orders::*;
pub use posts::*;
pub use retention::*;
pub use samples::*;
pub use saving::*;
pub use taken_back::*;
pub use timeline::*;
pub use withdrawn::*;

pub fn post(id: &str, text: &str) -> Post {
    let mut post = Post { id: id.into(), network: "x".into(), ..Post::from_text(text) };
    post.author.account = Account { id: "100".into(), handle: "bob".into() };
    post
}

pub fn seen(post: Post, version: i64, accounts: &[i64]) -> Evaluated {
    let deliveries = accounts.iter().map(|&account| Delivery {
        account,
        verdict: Verdict::default(),
        filters: Vec::new(),
        seen: true,
    });
    let deliveries = deliveries.collect();
    Evaluated {
        post,
        version,
        source: "s".into(),
        at: Clock::START,
        place: None,
        public: false,
        deliveries,
        strangers: 0,
        stored: None,
    }
}

pub fn matched(mut evaluated: Evaluated, filters: &[i64], verdict: Verdict) -> Evaluated {
    for delivery in &mut evaluated.deliveries {
        (delivery.filters, delivery.verdict) = (filters.to_vec(), verdict);
    }
    evaluated
}

pub async fn commit(database: &Database, posts: Vec<Evaluated>, changes: Vec<Change>) -> Committed {
    commit_said(
        database,
        posts,
        changes.into_iter().map(|change| Said { at: Clock::START, change }).collect(),
    )
    .await
}

/// Of changes that were said at some time.
pub async fn commit_said(database: &Database, posts: Vec<Evaluated>, changes: Vec<Said>) -> Committed {
    let outcome = Outcome { revision: 1, at: Clock::START, posts, changes, ..Outcome::default() };
    database.commit(&outcome, &[]).await.unwrap()
}

async fn texts(database: &Database, account: i64) -> Vec<String> {
    let page = Page { hidden: true, ..Page::default() };
    let posts = database.timeline(account, &page).await.unwrap();
    posts.into_iter().map(|one| one.post.text).collect()
}

fn delete(id: &str) -> Change {
    Change::Delete { network: "x".into(), id: id.into() }
}

pub async fn every_statement_is_understood(database: &Database, _: &Clock) {
    assert!(database.check_statements().await.unwrap() > 80);
}

/// Ten commits of one of four workers, about posts that the others store too.
pub async fn work(database: &Database, worker: i64) -> Vec<i64> {
    let mut numbers = Vec::new();
    for round in 0..10 {
        let posts = (0..25).map(|n| seen(post(&(n * 7 % 25).to_string(), "a"), 0, &[worker, round + 10]));
        let posts = if worker % 2 == 0 { posts.collect() } else { posts.rev().collect() };
        let outcome = Outcome { revision: 1, at: Clock::START, posts, ..Outcome::default() };
        let committed = loop {
            match database.commit(&outcome, &[]).await {
                // As workers do: others may have come before it for longer than it waits. None waits for each other.
                Err(StoreError::Retry(reason)) if !reason.contains("Deadlock") => {}
                done => break done.unwrap(),
            }
        };
        numbers.push(committed.number);
    }
    numbers
}
