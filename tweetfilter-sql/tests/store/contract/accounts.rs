//! Accounts, and whom they follow.

use std::time::Duration;

use tweetfilter_core::post::Account;
use tweetfilter_sql::{Database, Page};
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::store::{Friends, Outcome, Store, StoreError, Verdict};

use super::{commit, matched, post, seen, texts};
use crate::common::Clock;

pub async fn accounts_and_follows_come_and_go(database: &Database, _: &Clock) {
    let on_x = |id: &str, handle: &str| ("x".to_owned(), Account { id: id.into(), handle: handle.into() });
    let ann = database.add_account("ann", &[on_x("7", "ann_x")]).await.unwrap();
    let bob = database.add_account("bob", &[]).await.unwrap();
    assert!(matches!(database.add_account("ann", &[]).await, Err(StoreError::Refused(_))));
    database.add_identity(bob, &on_x("", "bob_x")).await.unwrap();
    let accounts = database.accounts().await.unwrap();
    assert_eq!(accounts[0].identities, [on_x("7", "ann_x")]);
    assert_eq!(accounts[0].created_at, Clock::START);
    assert_eq!(database.account("bob").await.unwrap(), Some(bob));
    database.follow(ann, "x", "50", true).await.unwrap();
    // Said by a stream: own follows stay, and only another list is a change.
    let said = |account, ids: &[&str]| {
        let ids = ids.iter().map(ToString::to_string).collect();
        let friends = vec![Friends { account, network: "x".into(), ids, at: 0 }];
        Outcome { friends, ..Outcome::default() }
    };
    database.commit(&said(ann, &["50", "51"]), &[]).await.unwrap();
    database.commit(&said(ann, &["52"]), &[]).await.unwrap();
    let known = database.filters(None).await.unwrap().unwrap();
    assert_eq!(known.follows, [(ann, "x".into(), "50".into()), (ann, "x".into(), "52".into())]);
    database.commit(&said(ann, &["52", "50"]), &[]).await.unwrap();
    database.commit(&said(99, &["1"]), &[]).await.unwrap();
    assert_eq!(database.filters(Some(known.revision)).await.unwrap(), None);
    database.commit(&said(ann, &["50", "53", "53"]), &[]).await.unwrap();
    let known = database.filters(Some(known.revision)).await.unwrap().expect("another list");
    assert_eq!(known.follows, [(ann, "x".into(), "50".into()), (ann, "x".into(), "53".into())]);
    let long = said(ann, &["9".repeat(501).as_str()]);
    assert!(matches!(database.commit(&long, &[]).await, Err(StoreError::Refused(_))));
    let renamed = Change::Identity { network: "x".into(), account: on_x("7", "ann_new").1 };
    commit(database, vec![], vec![renamed]).await;
    let now = database.filters(Some(known.revision)).await.unwrap().expect("a new handle is a change");
    assert_eq!(now.accounts[0].identities, [on_x("7", "ann_new")]);
    commit(database, vec![seen(post("1", "1"), 0, &[ann])], vec![]).await;
    assert!(database.remove_account(ann).await.unwrap());
    assert!(texts(database, ann).await.is_empty());
    let now = database.filters(None).await.unwrap().unwrap();
    assert_eq!((now.accounts.len(), now.follows.len()), (1, 0));
}

pub async fn a_removed_account_is_gone_at_once_and_what_it_saw_bit_by_bit(
    database: &Database,
    clock: &Clock,
) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let ben = database.add_account("ben", &[]).await.unwrap();
    for n in 0..1_300 {
        let one = matched(seen(post(&n.to_string(), "a"), 0, &[ann, ben]), &[5], Verdict::default());
        commit(database, vec![one], vec![]).await;
    }
    let left = async || {
        let results = database.results().await.unwrap();
        (results.deliveries, results.matches.get(&5).copied().unwrap_or(0))
    };
    assert_eq!(left().await, (2_600, 2_600));
    assert!(!database.forget_removed().await.unwrap());
    assert!(database.remove_account(ann).await.unwrap() && !database.remove_account(ann).await.unwrap());
    // Nobody sees any of it, though all of it is there.
    assert_eq!(left().await, (2_600, 2_600));
    let page = Page { filter: Some(5), ..Page::default() };
    assert!(database.timeline(ann, &page).await.unwrap().is_empty());
    assert!(texts(database, ann).await.is_empty());
    assert!(database.tail(Some(ann), 1_000, 9).await.unwrap().posts.is_empty());
    let of_all = database.tail(None, 1_290, 100).await.unwrap().posts;
    assert!(of_all.len() == 10 && of_all.iter().all(|one| one.account == ben));
    assert_eq!(database.tail_of(&[ann, ben], 1_290, 1_300).await.unwrap().unwrap().len(), 10);

    // A step takes a part of it, and another process goes on with the rest.
    assert!(database.forget_removed().await.unwrap());
    let (deliveries, matches) = left().await;
    assert!(deliveries > 1_300 && matches > 1_300 && deliveries < 2_600, "{deliveries} {matches}");
    let mut steps = 1;
    while database.clone().forget_removed().await.unwrap() {
        steps += 1;
    }
    assert!(steps < 9 && left().await == (1_300, 1_300), "{steps} {:?}", left().await);
    // A worker who had not heard of it stores some more.
    let late = matched(seen(post("late", "a"), 0, &[ann, ben]), &[5], Verdict::default());
    commit(database, vec![late], vec![]).await;
    assert!(!database.forget_removed().await.unwrap(), "it is not looked at all the time");
    assert!(texts(database, ann).await.is_empty());
    clock.pass(Duration::from_secs(3_601));
    while database.forget_removed().await.unwrap() {}
    assert_eq!(left().await, (1_301, 1_301));
    assert_eq!(texts(database, ben).await.len(), 50);
    clock.pass(Duration::from_secs(86_400));
    assert!(!database.forget_removed().await.unwrap(), "it is forgotten");
}
