//! What commits take back is told to those whom it was for.

use std::time::Duration;

use tweetfilter_core::post::Reference;
use tweetfilter_sql::{Database, Withdrawn};
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::store::{Outcome, Store};

use super::{commit, delete, post, seen};
use crate::common::Clock;

async fn told(database: &Database, account: i64, after: i64) -> Vec<Withdrawn> {
    database.tail(Some(account), after, 100).await.unwrap().withdrawn
}

pub async fn what_is_taken_back_is_told_to_whom_it_was_for(database: &Database, clock: &Clock) {
    let mut quoting = post("quoting", "look at that");
    quoting.author.account.id = "200".into();
    let of = Some(post("1", "secret"));
    quoting.quote_of = Some(Box::new(Reference { id: "1".into(), post: of, ..Reference::default() }));
    let posts = vec![seen(post("1", "a"), 0, &[1, 2]), seen(post("2", "b"), 0, &[2]), seen(quoting, 0, &[1])];
    commit(database, posts, vec![]).await;

    // A delete takes the post from both, and its quote from one.
    commit(database, vec![], vec![delete("1"), delete("of nobody")]).await;
    let of = |removed: &[i64], changed: &[i64]| Withdrawn {
        commit: 2,
        removed: removed.to_vec(),
        changed: changed.to_vec(),
        authors: Vec::new(),
    };
    assert_eq!(told(database, 1, 1).await, [of(&[1], &[3])]);
    assert_eq!(told(database, 2, 1).await, [of(&[1], &[])]);
    assert_eq!(told(database, 3, 1).await, []);
    assert_eq!(told(database, 1, 2).await, []);
    // What is read for many at once leaves such commits to each.
    assert!(database.tail_of(&[1, 2], 0, 1).await.unwrap().is_some());
    assert!(database.tail_of(&[1, 2], 0, 2).await.unwrap().is_none());

    // What was deleted already is not taken back again.
    commit(database, vec![], vec![delete("1")]).await;
    assert_eq!(told(database, 1, 2).await, []);

    // A newer version is brought to one of two, since the other is no account any more; both are told that the old one is none any more.
    commit(database, vec![seen(post("4", "old"), 1, &[1, 2])], vec![]).await;
    commit(database, vec![seen(post("4", "new"), 2, &[1])], vec![]).await;
    for account in [1, 2] {
        let told = told(database, account, 4).await;
        assert_eq!((told.len(), told[0].commit, &told[0].removed), (1, 5, &vec![4]));
    }

    // An author is told by name, and comes back without a word.
    let inactive = |active| Change::AccountStatus {
        network: "x".into(),
        author: "100".into(),
        active,
        status: String::new(),
    };
    commit(database, vec![], vec![inactive(false)]).await;
    commit(database, vec![], vec![inactive(true)]).await;
    let of_author = told(database, 3, 5).await;
    assert_eq!((of_author.len(), of_author[0].commit), (1, 6));
    assert_eq!(of_author[0].authors, [("x".to_owned(), "100".to_owned())]);

    // It is kept as long as the commits are.
    clock.pass(Duration::from_secs(86_400));
    database.commit(&Outcome { at: Clock::START + 86_400_000, ..Outcome::default() }, &[]).await.unwrap();
    assert!(!told(database, 1, 0).await.is_empty());
    while !database.forget_older(Duration::from_secs(3_600)).await.unwrap().is_empty() {}
    assert_eq!(told(database, 1, 0).await, []);
}
