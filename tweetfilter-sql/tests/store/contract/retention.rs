//! What is old is forgotten.

use std::time::Duration;

use tweetfilter_core::post::Reference;
use tweetfilter_sql::Database;
use tweetfilter_stream::buffer::Gap;
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::store::{DeadLetter, Evaluated, Outcome, Said, Store, Verdict};

use super::{commit, delete, matched, orders, post, seen, texts};
use crate::common::Clock;

pub async fn old_posts_are_forgotten(database: &Database, clock: &Clock) {
    let old = matched(seen(post("1", "old"), 0, &[1]), &[5], Verdict::default());
    commit(database, vec![old], vec![delete("0")]).await;
    clock.pass(Duration::from_secs(86_400));
    let at = Clock::START + 86_400_000;
    let newer = Evaluated { at, ..seen(post("2", "new"), 0, &[1]) };
    let outcome = Outcome { at, posts: vec![newer], ..Outcome::default() };
    database.commit(&outcome, &[]).await.unwrap();
    let removed = database.forget_older(Duration::from_secs(3_600)).await.unwrap();
    assert_eq!((removed.posts, removed.packs, removed.tombstones), (1, 1, 1));
    assert!(database.forget_older(Duration::from_secs(3_600)).await.unwrap().is_empty());
    assert_eq!(texts(database, 1).await, ["new"]);
    assert_eq!(database.status().await.unwrap().tombstones, 0);
    // Numbers go on: nothing new looks old to a reader who resumes.
    assert_eq!(commit(database, vec![], vec![]).await.number, 3);
}

pub async fn what_was_said_of_posts_is_forgotten_after_them(database: &Database, clock: &Clock) {
    const DAY: Duration = Duration::from_secs(86_400);
    let withheld = |id: &str| Change::StatusWithheld {
        network: "x".into(),
        id: id.into(),
        countries: vec!["DE".into()],
    };
    let inactive = |author: &str, active| Change::AccountStatus {
        network: "x".into(),
        author: author.into(),
        active,
        status: "gone".into(),
    };
    let user = Change::UserWithheld { network: "x".into(), author: "7".into(), countries: vec!["DE".into()] };
    let letter = DeadLetter::new(vec![1], "why".into(), Clock::START);
    let said =
        vec![withheld("1"), withheld("2"), withheld("3"), inactive("5", false), inactive("6", true), user];
    // The second is stored, and the third is within another.
    let mut outer = post("9", "quote");
    outer.author.account.id = "200".into();
    let carried = Some(post("3", "3"));
    outer.quote_of = Some(Box::new(Reference { id: "3".into(), post: carried, ..Reference::default() }));
    let at = Clock::START;
    database
        .commit(
            &Outcome {
                at,
                changes: said.into_iter().map(orders::said).collect(),
                dead: vec![letter],
                ..Outcome::default()
            },
            &[],
        )
        .await
        .unwrap();
    clock.pass(DAY);
    let late = |one: Evaluated| Evaluated { at: Clock::START + DAY.as_millis() as i64, ..one };
    let posts = vec![late(seen(post("2", "2"), 0, &[1])), late(seen(outer, 0, &[1]))];
    database.commit(&Outcome { at: at + 86_400_000, posts, ..Outcome::default() }, &[]).await.unwrap();
    // Each goes with the later of its end and when it was told: that of a recording may have ended long ago.
    let gap = |to| Gap { from: 1, to, reason: "stall".into(), missing: None };
    if let Some(buffer) = database.buffer() {
        use tweetfilter_stream::buffer::{Batch, Buffer};
        let fence = buffer.claim("s", "a", DAY).await.unwrap().fence;
        let gaps = vec![gap(at), gap(at + 86_400_000)];
        buffer.append(&Batch { source: "s".into(), fence, gaps, ..Batch::default() }).await.unwrap();
    }
    let forget = async || {
        let mut sum = (0, 0, 0, 0);
        loop {
            let removed = database.forget_older(DAY / 3).await.unwrap();
            if removed.is_empty() {
                return sum;
            }
            sum = (
                sum.0 + removed.dead,
                sum.1 + removed.gaps,
                sum.2 + removed.withheld,
                sum.3 + removed.authors,
            );
        }
    };
    // Of those who are stored it is still known; who is withheld stays so for as long as it is said.
    let gaps = if database.buffer().is_some() { 2 } else { 0 };
    assert_eq!(forget().await, (1, 0, 1, 2));
    let status = database.status().await.unwrap();
    assert_eq!((status.dead, status.gaps), (0, gaps));
    let version = late(seen(post("2", "2, again"), 70, &[1]));
    database
        .commit(&Outcome { at: at + 86_400_000, posts: vec![version], ..Outcome::default() }, &[])
        .await
        .unwrap();
    assert!(texts(database, 1).await.is_empty(), "a new version is withheld too");
    clock.pass(DAY);
    assert_eq!(forget().await, (0, gaps, 2, 0));
    let mut by = post("77", "by one who is withheld");
    by.author.account.id = "7".into();
    commit(database, vec![seen(by, 0, &[1])], vec![]).await;
    assert!(texts(database, 1).await.is_empty());
}

pub async fn the_oldest_posts_make_room(database: &Database, _: &Clock) {
    // Commits without a post are passed over: they are no reason to think that nothing is left.
    for n in 0..140 {
        let outcome = Outcome { at: Clock::START - 140 + n, ..Outcome::default() };
        database.commit(&outcome, &[]).await.unwrap();
    }
    for n in 0..70 {
        let at = Clock::START + n;
        let one = |id: String| Evaluated { at, ..seen(post(&id, &n.to_string()), 0, &[1]) };
        let posts = (0..20).map(|place| one(format!("{n} {place}"))).collect();
        let changes = if n == 0 { vec![Said { at, change: delete("gone") }] } else { vec![] };
        database.commit(&Outcome { at, posts, changes, ..Outcome::default() }, &[]).await.unwrap();
    }
    let removed = database.forget_oldest().await.unwrap();
    assert_eq!((removed.posts, removed.packs, removed.tombstones), (1_000, 50, 0));
    assert_eq!((removed.commits, removed.received), (190, Some((Clock::START, Clock::START + 49))));
    assert_eq!(database.status().await.unwrap().posts, 400);
    assert_eq!(database.forget_oldest().await.unwrap().posts, 400);
    assert!(database.forget_oldest().await.unwrap().is_empty());
    let status = database.status().await.unwrap();
    assert_eq!((status.posts, status.sources[0].stored), (0, 1_400));
    assert_eq!((status.forgotten_for_room, status.forgotten_up_to), (1_400, Some(Clock::START + 69)));
    assert!(status.forgotten_at >= Some(Clock::START), "{status:?}");
    // What was deleted stays so, however short the disk is.
    assert_eq!(commit(database, vec![seen(post("gone", "gone"), 0, &[1])], vec![]).await.suppressed, 1);
    assert_eq!(commit(database, vec![seen(post("new", "new"), 0, &[1])], vec![]).await.number, 212);
    assert_eq!(texts(database, 1).await, ["new"]);
}
