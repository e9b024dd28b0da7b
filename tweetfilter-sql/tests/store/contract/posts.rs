//! Posts, their copies and versions.

use tweetfilter_core::Post;
use tweetfilter_sql::{Database, Page};
use tweetfilter_stream::store::{Evaluated, Outcome, Said, Store, StoreError, Verdict};

use super::{commit, delete, matched, post, seen, texts};
use crate::common::Clock;

pub async fn a_post_is_stored_once_and_late_viewers_get_it_too(database: &Database, _: &Clock) {
    let first = commit(database, vec![seen(post("1", "Snø 😀"), 0, &[1, 2])], vec![]).await;
    assert_eq!((first.number, first.new, first.deliveries), (1, 1, 2));
    let again = commit(database, vec![seen(post("1", "Snø 😀"), 0, &[2, 1])], vec![]).await;
    assert_eq!((again.number, again.new, again.deliveries), (2, 0, 0));
    let late = commit(database, vec![seen(post("1", "Snø 😀"), 0, &[1, 3])], vec![]).await;
    assert_eq!((late.new, late.deliveries), (0, 1));
    for account in [1, 2, 3] {
        assert_eq!(texts(database, account).await, ["Snø 😀"]);
    }
    assert!(texts(database, 4).await.is_empty());
    let copies = Outcome { copies: [("s".to_owned(), 3)].into(), ..Outcome::default() };
    database.commit(&copies, &[]).await.unwrap();
    let status = database.status().await.unwrap();
    assert_eq!((status.posts, status.sources[0].stored, status.sources[0].repeated), (1, 1, 5));
}

pub async fn a_public_post_is_tried_once(database: &Database, _: &Clock) {
    let public = |accounts: &[i64], itself| {
        let mut one = matched(seen(post("1", "a"), 0, accounts), &[9], Verdict::default());
        one.public = true;
        one.deliveries.iter_mut().for_each(|delivery| delivery.seen = itself);
        one
    };
    assert_eq!(commit(database, vec![public(&[1], false)], vec![]).await.matches, 1);
    // Filters changed since: a repeat is not tried again, but who saw it gets it.
    assert_eq!(commit(database, vec![public(&[1, 2], false)], vec![]).await.deliveries, 0);
    assert_eq!(commit(database, vec![public(&[1, 2], true)], vec![]).await.deliveries, 1);
    assert_eq!(texts(database, 2).await, ["a"]);
}

pub async fn a_new_version_replaces_the_old_one_in_any_order(database: &Database, _: &Clock) {
    let old = || matched(seen(post("1", "old"), 0, &[1, 2]), &[5], Verdict::default());
    let new = || seen(post("1", "new"), 70, &[1]);
    commit(database, vec![old()], vec![]).await;
    assert_eq!(commit(database, vec![new()], vec![]).await.deliveries, 1);
    assert_eq!(texts(database, 1).await, ["new"]);
    // The second account is none any more: nobody evaluates the new version for it, or shows it the old one.
    assert!(texts(database, 2).await.is_empty());
    let matches = Page { filter: Some(5), ..Page::default() };
    assert!(database.timeline(1, &matches).await.unwrap().is_empty());
    assert_eq!(commit(database, vec![old()], vec![]).await.deliveries, 0);
    assert_eq!(texts(database, 1).await, ["new"]);
    // Replaced by the new one, and once more when it came too late: two entries of the old version.
    let counted = &database.status().await.unwrap().sources[0];
    assert_eq!((counted.stale, counted.stored, counted.ended()), (2, 1, 3));
}

pub async fn posts_without_an_id_are_told_apart(database: &Database, _: &Clock) {
    let batch = || vec![seen(Post::from_text("a"), 0, &[1]), seen(Post::from_text("b"), 0, &[1])];
    assert_eq!(commit(database, batch(), vec![]).await.new, 2);
    assert_eq!(commit(database, batch(), vec![]).await.new, 0);
    assert_eq!(texts(database, 1).await, ["b", "a"]);
    // Those that say the same by their places, at whatever time they are read.
    let placed = |at: i64| {
        let places = ["f:1", "f:2", "f:3"].map(|place| Some(place.to_owned()));
        places.map(|place| Evaluated { place, at, ..seen(Post::from_text("c"), 0, &[1]) }).to_vec()
    };
    assert_eq!(commit(database, placed(Clock::START), vec![]).await.new, 3);
    assert_eq!(commit(database, placed(Clock::START + 1), vec![]).await.new, 0);
    assert_eq!(commit(database, placed(Clock::START)[..1].to_vec(), vec![]).await.new, 0);
    let elsewhere = Evaluated { source: "other".into(), ..placed(Clock::START).remove(0) };
    assert_eq!(commit(database, vec![elsewhere], vec![]).await.new, 1);
    assert_eq!(texts(database, 1).await, ["c", "c", "c", "c", "b", "a"]);
}

pub async fn what_no_column_holds_is_refused(database: &Database, _: &Clock) {
    let long = "9".repeat(501);
    for outcome in [
        Outcome { posts: vec![seen(post(&long, "a"), 0, &[1])], ..Outcome::default() },
        Outcome { posts: vec![seen(post("1", &"a".repeat(5 << 20)), 0, &[1])], ..Outcome::default() },
        Outcome { changes: vec![Said { at: 0, change: delete(&long) }], ..Outcome::default() },
    ] {
        let refused = database.commit(&outcome, &[]).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    }
    // What it just holds is stored, and many large posts in parts.
    let large = |n: usize| seen(post(&format!("{n:0500}"), &"é".repeat(500_000)), 0, &[1]);
    let stored = commit(database, (0..9).map(large).collect(), vec![]).await;
    assert_eq!(stored.new, 9);
    assert_eq!(texts(database, 1).await.len(), 9);
}
