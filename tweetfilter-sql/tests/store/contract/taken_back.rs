//! What is deleted, scrubbed or withheld.

use tweetfilter_core::Post;
use tweetfilter_core::post::{Point, Reference};
use tweetfilter_sql::{Database, Page};
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::store::{Evaluated, Outcome, Store, StoreError, Verdict};

use super::{commit, delete, matched, post, seen, texts};
use crate::common::Clock;

pub async fn a_delete_wins_before_and_after(database: &Database, _: &Clock) {
    let one = |id: &str| matched(seen(post(id, id), 0, &[1]), &[5], Verdict::default());
    commit(database, vec![one("1"), one("2")], vec![]).await;
    commit(database, vec![], vec![delete("1"), delete("3")]).await;
    let with = commit(database, vec![one("1"), one("3"), one("4")], vec![delete("4")]).await;
    assert_eq!((with.suppressed, with.new), (3, 0));
    assert_eq!(texts(database, 1).await, ["2"]);
    let page = Page { filter: Some(5), ..Page::default() };
    assert_eq!(database.timeline(1, &page).await.unwrap().len(), 1);
    // Said again, it counts once.
    commit(database, vec![], vec![delete("1"), delete("4")]).await;
    let status = database.status().await.unwrap();
    assert_eq!((status.tombstones, status.sources[0].suppressed), (3, 3));
}

pub async fn a_delete_takes_the_original_out_of_what_carries_it(database: &Database, _: &Clock) {
    let carry = |id: &str, original: &str, quote: bool| {
        let mut outer = post(id, id);
        outer.author.account.id = "200".into();
        let of = Some(post(original, "secret"));
        let reference = Some(Box::new(Reference { id: original.into(), post: of, ..Reference::default() }));
        *(if quote { &mut outer.quote_of } else { &mut outer.retweet_of }) = reference;
        seen(outer, 0, &[1])
    };
    commit(database, vec![carry("11", "1", false), carry("12", "1", true), carry("13", "2", true)], vec![])
        .await;
    commit(database, vec![], vec![delete("1")]).await;
    assert_eq!(texts(database, 1).await, ["13", "12"]);
    // Later copies carry it neither.
    let late = commit(database, vec![carry("14", "1", true), carry("15", "1", false)], vec![]).await;
    assert_eq!((late.new, late.suppressed), (1, 1));
    let posts = database.timeline(1, &Page::default()).await.unwrap();
    let kept: Vec<_> = posts.iter().map(|one| one.post.quote_of.as_ref().unwrap().post.is_some()).collect();
    assert_eq!(kept, [false, true, false]);
}

pub async fn a_delete_that_names_no_network_spares_those_that_always_do(database: &Database, _: &Clock) {
    let on = |network: &str, id: &str| seen(Post { network: network.into(), ..post(id, network) }, 0, &[1]);
    let nameless = |id: &str| Change::Delete { network: String::new(), id: id.into() };
    commit(database, vec![on("x", "1"), on("m.example", "1")], vec![]).await;
    commit(database, vec![], vec![nameless("1"), nameless("2")]).await;
    assert_eq!(texts(database, 1).await, ["x"]);
    let late = commit(database, vec![on("x", "2"), on("m.example", "2")], vec![]).await;
    assert_eq!((late.new, late.suppressed), (1, 1));
}

pub async fn scrubbed_places_are_gone_from_stored_and_later_posts(database: &Database, _: &Clock) {
    let placed = |id: &str| {
        let mut post = post(id, id);
        post.coordinates = Some(Point { lon: 10.7, lat: 59.9 });
        post
    };
    let mut outer = post("50", "50");
    outer.author.account.id = "200".into();
    let carried = Some(placed("9"));
    outer.quote_of = Some(Box::new(Reference { id: "9".into(), post: carried, ..Reference::default() }));
    commit(
        database,
        vec![seen(placed("99"), 0, &[1]), seen(placed("101"), 0, &[1]), seen(outer, 0, &[1])],
        vec![],
    )
    .await;
    let scrub =
        |up_to: &str| Change::ScrubGeo { network: "x".into(), author: "100".into(), up_to: up_to.into() };
    commit(database, vec![], vec![scrub("100")]).await;
    // Filters have to be tried on what is left.
    let late = Outcome { posts: vec![seen(placed("98"), 0, &[1])], ..Outcome::default() };
    let Err(StoreError::Outdated(mut told)) = database.commit(&late, &[]).await else {
        panic!("filters saw the place");
    };
    assert_eq!((told.len(), &told[0].newer), (1, &Some(post("98", "98"))));
    let late = Evaluated { stored: told.pop().map(Box::new), ..seen(placed("98"), 0, &[1]) };
    // A scrub of less takes nothing back.
    commit(database, vec![late, seen(placed("102"), 0, &[1])], vec![scrub("5")]).await;
    let posts = database.timeline(1, &Page::default()).await.unwrap();
    let with: Vec<_> =
        posts.iter().filter(|one| one.post.coordinates.is_some()).map(|one| one.native_id.as_str()).collect();
    assert_eq!(with, ["102", "101"]);
    let quoting = posts.iter().find(|one| one.native_id == "50").unwrap();
    assert_eq!(quoting.post.quote_of.as_ref().unwrap().post.as_ref().unwrap().coordinates, None);
}

pub async fn what_is_withheld_is_not_shown(database: &Database, _: &Clock) {
    let withheld = |id: &str, countries: &[&str]| Change::StatusWithheld {
        network: "x".into(),
        id: id.into(),
        countries: countries.iter().map(ToString::to_string).collect(),
    };
    commit(database, vec![seen(post("1", "1"), 0, &[1]), seen(post("2", "2"), 0, &[1])], vec![]).await;
    commit(database, vec![], vec![withheld("1", &["DE"]), withheld("3", &["XX"])]).await;
    commit(database, vec![seen(post("3", "3"), 0, &[1])], vec![]).await;
    assert_eq!(texts(database, 1).await, ["2"]);
    let rewritten = async || database.pulse().await.unwrap().rewritten;
    let before = rewritten().await;
    commit(database, vec![], vec![withheld("1", &[])]).await;
    assert_eq!(texts(database, 1).await, ["2", "1"]);
    // Those who hold timelines hear of it, and not of what was never withheld.
    assert_eq!(rewritten().await, before + 1);
    commit(database, vec![], vec![withheld("1", &[])]).await;
    assert_eq!(rewritten().await, before + 1);
    let user = |countries: Vec<String>| Change::UserWithheld {
        network: "x".into(),
        author: "100".into(),
        countries,
    };
    commit(database, vec![], vec![user(vec!["FR".into()])]).await;
    assert!(texts(database, 1).await.is_empty());
    assert_eq!(rewritten().await, before + 1);
    commit(database, vec![], vec![user(vec![])]).await;
    assert_eq!(rewritten().await, before + 2);
}

pub async fn posts_of_inactive_authors_are_not_shown(database: &Database, _: &Clock) {
    let status = |active| Change::AccountStatus {
        network: "x".into(),
        author: "100".into(),
        active,
        status: "suspended".into(),
    };
    let mut outer = post("2", "quote");
    outer.author.account.id = "200".into();
    let carried = Some(post("1", "1"));
    outer.quote_of = Some(Box::new(Reference { id: "1".into(), post: carried, ..Reference::default() }));
    commit(database, vec![], vec![status(false)]).await;
    commit(database, vec![seen(post("1", "1"), 0, &[1]), seen(outer, 0, &[1])], vec![]).await;
    assert!(texts(database, 1).await.is_empty());
    let rewritten = async || database.pulse().await.unwrap().rewritten;
    let before = rewritten().await;
    commit(database, vec![], vec![status(true)]).await;
    assert_eq!(texts(database, 1).await.len(), 2);
    assert_eq!(rewritten().await, before + 1);
    commit(database, vec![], vec![status(true)]).await;
    assert_eq!(rewritten().await, before + 1, "it was active before");
}
