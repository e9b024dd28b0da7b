//! Whoever saw any version of a post has the newest one.

use tweetfilter_sql::{Database, Page};
use tweetfilter_stream::store::{
    Committed, Delivery, Evaluated, Outcome, Store, StoreError, StoredVersion, Verdict,
};

use super::{commit, matched, post, seen, texts};
use crate::common::Clock;

const HIDDEN: Verdict = Verdict { hidden: true, highlighted: false, notify: false };

async fn try_commit(database: &Database, one: Evaluated) -> Result<Committed, StoreError> {
    let outcome = Outcome { at: Clock::START, posts: vec![one], ..Outcome::default() };
    database.commit(&outcome, &[]).await
}

/// What is stored, which a commit is refused for.
async fn refused(database: &Database, one: Evaluated) -> StoredVersion {
    let before = database.status().await.unwrap();
    let Err(StoreError::Outdated(mut stored)) = try_commit(database, one).await else {
        panic!("it was evaluated for some only");
    };
    assert_eq!(database.status().await.unwrap(), before, "nothing happened");
    assert_eq!(stored.len(), 1);
    stored.remove(0)
}

/// Numbers of posts that a filter found for an account.
async fn found(database: &Database, account: i64, filter: i64) -> usize {
    let page = Page { filter: Some(filter), hidden: true, ..Page::default() };
    database.timeline(account, &page).await.unwrap().len()
}

async fn accounts<const N: usize>(database: &Database, names: [&str; N]) -> [i64; N] {
    let mut ids = [0; N];
    for (id, name) in ids.iter_mut().zip(names) {
        *id = database.add_account(name, &[]).await.unwrap();
    }
    ids
}

pub async fn a_version_waits_until_it_is_evaluated_for_all_who_have_another(database: &Database, _: &Clock) {
    let [ann, ben, cid, dan] = accounts(database, ["ann", "ben", "cid", "dan"]).await;
    let old = |of: &[i64]| matched(seen(post("1", "old"), 0, of), &[5], Verdict::default());
    let new = |of: &[i64]| matched(seen(post("1", "new"), 70, of), &[6], HIDDEN);
    commit(database, vec![old(&[ann, ben])], vec![]).await;

    // An edit of which Ann alone is told.
    let told = refused(database, new(&[ann])).await;
    assert_eq!((&*told.network, &*told.id, told.version, told.at), ("x", "1", 0, Clock::START));
    assert_eq!((&told.accounts[..], told.public, &told.newer), (&[ann, ben][..], false, &None));
    assert_eq!(texts(database, ben).await, ["old"]);
    let stored = Some(Box::new(told));
    let both = Evaluated { stored: stored.clone(), ..new(&[ann, ben]) };
    assert_eq!(try_commit(database, both).await.unwrap().deliveries, 2);
    for account in [ann, ben] {
        assert_eq!(texts(database, account).await, ["new"]);
        assert_eq!((found(database, account, 5).await, found(database, account, 6).await), (0, 1));
    }
    assert!(database.timeline(ben, &Page::default()).await.unwrap().is_empty(), "the new verdict holds");

    // An old version that comes late brings the new one, evaluated on that, to whom it is new.
    let told = refused(database, old(&[ben, cid])).await;
    assert_eq!((told.version, &*told.newer.as_ref().unwrap().text), (70, "new"));
    let of_old = Evaluated { stored, ..old(&[ben, cid]) };
    assert_eq!(refused(database, of_old).await, told, "what was said of an older version does not do");
    let late = Evaluated { stored: Some(Box::new(told)), ..old(&[ben, cid]) };
    let late = matched(late, &[7], Verdict::default());
    let committed = try_commit(database, late).await.unwrap();
    assert_eq!((committed.new, committed.deliveries, committed.matches), (0, 1, 1));
    assert_eq!(texts(database, cid).await, ["new"]);
    assert_eq!((found(database, cid, 5).await, found(database, cid, 7).await), (0, 1));
    // To those who have the new one it brings nothing.
    assert_eq!(commit(database, vec![old(&[ben, cid])], vec![]).await.deliveries, 0);

    // Where only matches are kept, those without one are left out, and were thought of.
    let told = refused(database, seen(post("1", "third"), 80, &[dan])).await;
    assert_eq!(told.accounts, [ann, ben, cid]);
    let third = Evaluated { stored: Some(Box::new(told)), ..seen(post("1", "third"), 80, &[ann, dan]) };
    assert_eq!(try_commit(database, third).await.unwrap().deliveries, 2);
    assert!(texts(database, ben).await.is_empty() && texts(database, dan).await == ["third"]);

    // Who is no more is not waited for.
    assert!(database.remove_account(ann).await.unwrap());
    assert_eq!(commit(database, vec![seen(post("1", "last"), 90, &[dan])], vec![]).await.deliveries, 1);
    // Nor is anybody for what is deleted.
    commit(database, vec![], vec![super::delete("1")]).await;
    assert_eq!(commit(database, vec![seen(post("1", "more"), 95, &[cid])], vec![]).await.suppressed, 1);

    // Each is counted once.
    let counted = &database.status().await.unwrap().sources[0];
    assert_eq!((counted.stored, counted.stale, counted.suppressed, counted.ended()), (1, 5, 1, 7));
}

pub async fn what_everybody_saw_everybody_sees_in_its_next_version(database: &Database, _: &Clock) {
    let [ann, ben] = accounts(database, ["ann", "ben"]).await;
    let public = |one: Evaluated, seen: bool| {
        let delivery = |one: Delivery| Delivery { seen, ..one };
        let deliveries = one.deliveries.into_iter().map(delivery).collect();
        Evaluated { public: true, deliveries, ..one }
    };
    let of = |text: &str, version, account| seen(post("1", text), version, &[account]);
    // A filter of Ann's found it in what everybody sees.
    commit(database, vec![public(matched(of("old", 0, ann), &[5], Verdict::default()), false)], vec![]).await;
    let told = refused(database, of("new", 70, ben)).await;
    assert_eq!((told.public, &told.accounts[..]), (true, &[][..]));
    // Ben saw it himself, and Ann's filter finds it no more.
    let new = Evaluated { stored: Some(Box::new(told)), ..public(of("new", 70, ben), true) };
    commit(database, vec![new], vec![]).await;
    assert_eq!((texts(database, ann).await.len(), texts(database, ben).await.len()), (0, 1));
    // Everybody sees an old version of what some saw: the new one is tried for all.
    commit(database, vec![seen(post("2", "new"), 70, &[ben])], vec![]).await;
    let old = || public(matched(seen(post("2", "old"), 0, &[ann]), &[5], Verdict::default()), false);
    let told = refused(database, old()).await;
    assert_eq!((told.version, told.public), (70, false));
    let late = Evaluated { stored: Some(Box::new(told)), ..old() };
    assert_eq!(try_commit(database, late).await.unwrap().deliveries, 1);
    assert_eq!(texts(database, ann).await, ["new"]);
}
