//! Each function wants an empty database.

use std::time::Duration;

use tweetfilter_core::budget::Price;
use tweetfilter_core::post::{Account, Point, Reference};
use tweetfilter_core::{Expression, FilterId, Post, Scratch};
use tweetfilter_sql::{Cursor, Database, LookBack, NewFilter, Page, Stepped, TimelinePost};
use tweetfilter_stream::buffer::{EntryId, Gap};
use tweetfilter_stream::entry::{Audience, Change, Content, Entry};
use tweetfilter_stream::store::{
    Action, Committed, DeadLetter, Delivery, Evaluated, Friends, Outcome, Said, Store, StoreError, Verdict,
};
use tweetfilter_stream::worker::{Compiled, OVER_BUDGET};

use crate::common::Clock;

mod edits;
mod gaps;
mod letters;
mod lookup;
mod orders;
mod samples;
mod saving;
mod withdrawn;

pub use edits::*;
pub use gaps::*;
pub use letters::*;
pub use lookup::*;
pub use orders::*;
pub use samples::*;
pub use saving::*;
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

pub async fn what_filters_said_is_told_of_what_stands_in_the_timeline(database: &Database, _: &Clock) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let ben = database.add_account("ben", &[]).await.unwrap();
    let said = |one: Evaluated, hidden: bool, filters: &[i64]| {
        let verdict = Verdict { hidden, ..Verdict::default() };
        let delivery = Delivery { account: ann, verdict, filters: filters.to_vec(), seen: !one.public };
        Evaluated { deliveries: vec![delivery], ..one }
    };
    let public = |id: &str| Evaluated { public: true, ..seen(post(id, "for all"), 0, &[]) };
    let posts = vec![
        said(seen(post("1", "hidden"), 0, &[]), true, &[3, 4]),
        seen(post("2", "not matched"), 0, &[ann]),
        seen(post("3", "of another"), 0, &[ben]),
        public("4"),
        said(public("5"), false, &[4]),
    ];
    commit(database, posts, vec![]).await;
    let (first, last) = database.post_numbers().await.unwrap();
    let verdicts = database.timeline_verdicts(ann, first..last + 1).await.unwrap();
    let all = database.seen(ann, first..last + 1).await.unwrap();
    let told = |one: &TimelinePost| {
        let (verdict, filters) = verdicts.get(&one.cursor.post)?;
        Some((one.native_id.clone(), verdict.hidden, filters.clone()))
    };
    let mut told: Vec<_> = all.iter().filter_map(told).collect();
    told.sort_unstable();
    let expected = [("1", true, vec![3_i64, 4]), ("2", false, vec![]), ("5", false, vec![4])];
    assert_eq!(told, expected.map(|(id, hidden, filters)| (id.to_owned(), hidden, filters)));
    assert_eq!(verdicts.len(), 3, "nothing else stands there");
}

pub async fn every_statement_is_understood(database: &Database, _: &Clock) {
    assert!(database.check_statements().await.unwrap() > 80);
}

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

pub async fn dead_letters_are_kept_once(database: &Database, _: &Clock) {
    let entry = Entry {
        source: "s".into(),
        at: 1,
        to: Audience::Public,
        place: None,
        content: Content::Post(Box::new(post("1", "secret"))),
    };
    let letter = |entry: Vec<u8>| DeadLetter { entry, source: "s".into(), reason: "why".into(), at: 5 };
    let dead = vec![letter(entry.to_vec().unwrap()), letter(vec![255, 0])];
    let outcome = Outcome { dead, ..Outcome::default() };
    database.commit(&outcome, &[]).await.unwrap();
    let first = database.dead_letters(0, 10).await.unwrap();
    database.commit(&outcome, &[]).await.unwrap();
    assert_eq!(database.count_dead_letters().await.unwrap(), 2);
    // Who takes the first ones off, since they are tried again, takes these not.
    let second = database.dead_letters(0, 10).await.unwrap();
    assert!(second.iter().all(|letter| first.iter().all(|before| before.id != letter.id)));
    // One of them is a post of its source; what nobody can read is none.
    assert_eq!(database.status().await.unwrap().sources[0].dead, 1);
    let letters = database.dead_letters(0, 10).await.unwrap();
    assert_eq!(letters[0].letter, outcome.dead[0]);
    let outlines = database.dead_letter_outlines(0, 10).await.unwrap();
    assert_eq!((outlines.len(), outlines[0].id, outlines[1].bytes), (2, letters[0].id, 2));
    assert_eq!((&*outlines[0].source, &*outlines[0].reason, outlines[0].at), ("s", "why", 5));
    assert_eq!(database.dead_letter_outlines(outlines[0].id, 10).await.unwrap(), outlines[1..]);
    assert_eq!(database.dead_letters(letters[0].id, 10).await.unwrap().len(), 1);
    // A deleted post can't be read here either.
    commit(database, vec![], vec![delete("1")]).await;
    let letters = database.dead_letters(0, 10).await.unwrap();
    assert!(letters[0].letter.entry.is_empty() && !letters[1].letter.entry.is_empty());
    assert_eq!(database.dead_letter_outlines(0, 1).await.unwrap()[0].bytes, 0);
    database.commit(&outcome, &[]).await.unwrap();
    let letters = database.dead_letters(0, 10).await.unwrap();
    assert!(letters[0].letter.entry.is_empty() && letters[1].letter == outcome.dead[1]);

    let folder = crate::common::Folder::new();
    let other = Database::open(&folder.file("b.db")).await.unwrap();
    let buffer = other.buffer().unwrap();
    use tweetfilter_stream::buffer::{Buffer, Most};
    let fence = buffer.claim("retry", "a", Duration::from_secs(9)).await.unwrap().fence;
    let ids: Vec<i64> = letters.iter().map(|one| one.id).collect();
    assert_eq!(database.retry_dead_letters(&ids, &buffer, "retry", fence).await.unwrap(), 1);
    assert_eq!(database.count_dead_letters().await.unwrap(), 0);
    assert_eq!(buffer.lease("w", Most::entries(9), Duration::from_secs(9)).await.unwrap()[0].bytes, [255, 0]);
    other.close().await;
}

/// `entries = stored + suppressed + repeated + stale + dead + unmatched + those in the buffer`, whatever became of them.
pub async fn each_entry_comes_to_one_end(database: &Database, _: &Clock) {
    use tweetfilter_stream::buffer::{Buffer, Most};
    let entry = |content| Entry { source: "s".into(), at: 1, to: Audience::Public, place: None, content };
    let written = |post: Post| entry(Content::Post(Box::new(post))).to_vec().unwrap();
    let dead = |entries: &[&[u8]]| {
        let letter = |entry: &&[u8]| DeadLetter::new(entry.to_vec(), "why".into(), Clock::START);
        Outcome { dead: entries.iter().map(letter).collect(), ..Outcome::default() }
    };
    let ends = async || {
        let status = database.status().await.unwrap();
        assert!(status.sources.iter().all(|source| source.name == "s"), "{:?}", status.sources);
        let of = &status.sources[0];
        (of.ended(), of.stored, of.dead, of.suppressed)
    };
    // Three posts: one is stored, one refused, and one nobody can read. A message that is refused is none of them, nor is
    // what no source of ours wrote.
    let (refused, gone) = (written(post("2", "b")), written(post("4", "deleted later")));
    let unreadable = br#"{"v":1,"source":"s","at":1,"to":"public","post":{"text":7}}"#;
    let change = entry(Content::Change(delete("9"))).to_vec().unwrap();
    commit(database, vec![seen(post("1", "a"), 0, &[1])], vec![]).await;
    let all = dead(&[&refused, unreadable, &change, b"garbage"]);
    database.commit(&all, &[]).await.unwrap();
    assert_eq!(ends().await, (3, 1, 2, 0));
    // The same again, since nobody knew whether it happened.
    database.commit(&all, &[]).await.unwrap();
    assert_eq!(ends().await, (3, 1, 2, 0));

    // A fourth is refused, and deleted since.
    database.commit(&dead(&[&gone]), &[]).await.unwrap();
    assert_eq!(ends().await, (4, 1, 3, 0));
    commit(database, vec![], vec![delete("4")]).await;

    // Put back, two wait in the buffer, and the deleted one has its end.
    let folder = crate::common::Folder::new();
    let other = Database::open(&folder.file("b.db")).await.unwrap();
    let buffer = other.buffer().unwrap();
    let fence = buffer.claim("retry", "a", Duration::from_secs(9)).await.unwrap().fence;
    let letters = database.dead_letters(0, 10).await.unwrap();
    let ids: Vec<i64> = letters.iter().map(|one| one.id).collect();
    assert_eq!(database.retry_dead_letters(&ids, &buffer, "retry", fence).await.unwrap(), 4);
    assert_eq!(ends().await, (2, 1, 0, 1));
    assert_eq!(buffer.lease("w", Most::entries(9), Duration::from_secs(9)).await.unwrap().len(), 4);
    // Somebody else put the same back at the same time: they are taken off once.
    assert_eq!(database.retry_dead_letters(&ids, &buffer, "retry", fence).await.unwrap(), 0);
    assert_eq!(ends().await, (2, 1, 0, 1));
    commit(database, vec![seen(post("2", "b"), 0, &[1])], vec![]).await;
    database.commit(&dead(&[unreadable, b"garbage"]), &[]).await.unwrap();
    assert_eq!(ends().await, (4, 2, 1, 1));
    other.close().await;
}

/// A commit whose acknowledgement was lost, so that another worker has the same entries.
pub async fn what_was_committed_before_is_not_counted_again(database: &Database, _: &Clock) {
    let ids = |names: &[&str]| names.iter().map(|name| EntryId((*name).to_owned())).collect::<Vec<_>>();
    let outcome = |posts: &[&str], again| {
        let posts = posts.iter().map(|id| seen(post(id, id), 0, &[1])).collect();
        Outcome { posts, again, ..Outcome::default() }
    };
    let counted = async || {
        let source = database.status().await.unwrap().sources.remove(0);
        (source.ended(), source.stored)
    };
    let first = ids(&["0:1-0", "1:2-0"]);
    assert!(!database.commit(&outcome(&["1", "2"], false), &first).await.unwrap().acked);
    // Among a third, and in another order.
    let more = ids(&["0:3-0", "1:2-0", "0:1-0"]);
    let Err(StoreError::Done(mut done)) = database.commit(&outcome(&["3", "2", "1"], true), &more).await
    else {
        panic!("it was counted again");
    };
    done.sort();
    assert_eq!((done, counted().await), (first, (2, 2)));
    let third = ids(&["0:3-0"]);
    database.commit(&outcome(&["3"], true), &third).await.unwrap();
    assert_eq!(counted().await, (3, 3));
    // Of what is acknowledged nothing is remembered.
    let told = Outcome { acknowledged: ids(&["0:3-0"]), ..outcome(&["4"], false) };
    database.commit(&told, &ids(&["0:4-0"])).await.unwrap();
    assert!(database.commit(&outcome(&["3"], true), &third).await.is_ok());
    assert!(matches!(
        database.commit(&outcome(&["4"], true), &ids(&["0:4-0"])).await,
        Err(StoreError::Done(_))
    ));
}

/// A worker that was stopped for longer than its lease, while another did its entries and acknowledged them.
pub async fn a_worker_whose_lease_ran_out_counts_nothing(database: &Database, clock: &Clock) {
    let lease = Duration::from_secs(60);
    let until = |lasts: Duration| Some(Clock::START + lasts.as_millis() as i64);
    let outcome = |until| Outcome { posts: vec![seen(post("1", "a"), 0, &[1])], until, ..Outcome::default() };
    let entries = [EntryId("0:1-0".to_owned())];
    clock.pass(lease);
    let late = database.commit(&outcome(until(lease)), &entries).await;
    assert!(matches!(late, Err(StoreError::Retry(_))), "{late:?}");
    let again = Outcome { again: true, ..outcome(until(2 * lease)) };
    database.commit(&again, &entries).await.unwrap();
    let told = Outcome { acknowledged: entries.to_vec(), ..Outcome::default() };
    database.commit(&told, &[]).await.unwrap();
    let late = database.commit(&outcome(until(lease)), &entries).await;
    assert!(matches!(late, Err(StoreError::Retry(_))), "{late:?}");
    let source = database.status().await.unwrap().sources.remove(0);
    assert_eq!((source.ended(), source.stored), (1, 1));
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

pub async fn filters_tell_their_revision_and_expire(database: &Database, clock: &Clock) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let first = database.filters(None).await.unwrap().unwrap();
    assert_eq!(database.filters(Some(first.revision)).await.unwrap(), None);
    let filter = |text: &str| NewFilter { text: text.into(), action: Action::Hide, ..NewFilter::default() };
    let a = database.add_filter(ann, &filter("snow")).await.unwrap();
    let soon = Some(Clock::START + 1_000);
    let b = database.add_filter(ann, &NewFilter { expires_at: soon, ..filter("rain") }).await.unwrap();
    let c = database.add_filter(ann, &filter("ice")).await.unwrap();
    database.set_named(None, "towns", "Oslo\nBergen").await.unwrap();
    database.order_filters(ann, &[c, a]).await.unwrap();
    let now = database.filters(Some(first.revision)).await.unwrap().unwrap();
    assert_eq!(now.filters.iter().map(|one| one.id).collect::<Vec<_>>(), [b, c, a]);
    assert_eq!((now.filters[1].text.as_str(), now.filters[1].action), ("ice", Action::Hide));
    assert_eq!(now.sets, [("towns".into(), "Oslo\nBergen".into())]);
    clock.pass(Duration::from_secs(1));
    let expired = database.filters(Some(now.revision)).await.unwrap().unwrap();
    assert_eq!(expired.filters.iter().map(|one| one.id).collect::<Vec<_>>(), [c, a]);
    let off = database.filter(b).await.unwrap().unwrap();
    assert!(!off.enabled && off.revision == expired.revision, "who has it open hears of it");
    assert_eq!(database.filters(Some(expired.revision)).await.unwrap(), None);

    assert!(database.edit_filter(a, &filter("sleet")).await.unwrap());
    assert!(database.enable_filter(c, false).await.unwrap());
    let now = database.filters(Some(expired.revision)).await.unwrap().unwrap();
    assert_eq!(now.filters.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["sleet"]);
    assert!(database.remove_filter(a).await.unwrap() && !database.remove_filter(a).await.unwrap());
    assert!(database.remove_named(None, "towns").await.unwrap());
    assert!(database.named_sets(None).await.unwrap().is_empty());
    assert_eq!(database.account_filters(ann).await.unwrap().len(), 2);
}

pub async fn an_owner_is_held_to_a_budget(database: &Database, _: &Clock) {
    let budget = |ns: f64| database.clone().with_owner_budget(Price::from_nanoseconds(ns));
    let (ann, ben) =
        (database.add_account("ann", &[]).await.unwrap(), database.add_account("ben", &[]).await.unwrap());
    let filter = |text: &str| NewFilter { text: text.into(), ..NewFilter::default() };
    let small = budget(100.0);
    let cheap = small.add_filter(ann, &filter("snow")).await.unwrap();
    let scanned = small.add_filter(ann, &filter("-is:retweet")).await.unwrap();
    let dear = filter(r"/\w+ing \w+/");
    let refused = |result: Result<i64, StoreError>| match result {
        Err(StoreError::OverBudget(over)) => over,
        other => panic!("{other:?}"),
    };
    let over = refused(small.add_filter(ann, &dear).await);
    let named: Vec<_> = over.dearest.iter().map(|dear| dear.text.as_str()).collect();
    assert_eq!(named, [dear.text.as_str(), "-is:retweet", "snow"]);
    // Nothing of it happened, and all of a file or nothing.
    assert_eq!(database.account_filters(ann).await.unwrap().len(), 2);
    let batch = [filter("rain"), dear.clone()];
    assert!(matches!(small.add_filters(ann, &batch).await, Err(StoreError::OverBudget(_))));
    assert!(matches!(small.edit_filter(cheap, &dear).await, Err(StoreError::OverBudget(_))));
    assert_eq!(database.filter(cheap).await.unwrap().unwrap().filter.text, "snow");
    // One that is off costs nothing until it is switched on; each account has a budget of its own.
    assert_eq!(budget(1e6).add_filters(ben, &[dear.clone(), filter("ice")]).await.unwrap().len(), 2);
    let off = budget(1e6).add_filter(ann, &dear).await.unwrap();
    assert!(small.enable_filter(off, false).await.unwrap());
    assert!(matches!(small.enable_filter(off, true).await, Err(StoreError::OverBudget(_))));
    assert!(!database.filter(off).await.unwrap().unwrap().enabled);
    // Over a budget that was lowered, what makes it cheaper is possible.
    assert!(small.edit_filter(scanned, &filter("is:retweet -has:images")).await.unwrap());
    let (smaller, price) = (budget(10.0), database.owner_price(ann).await.unwrap().0);
    assert!(price > Price::from_nanoseconds(10.0));
    assert!(smaller.edit_filter(scanned, &filter("-is:reply")).await.unwrap());
    assert!(smaller.add_filter(ann, &filter("sleet")).await.is_err());
    // A worker leaves out the dearest of those who are over, and nobody else's.
    let snapshot = database.filters(None).await.unwrap().unwrap();
    let compiled = Compiled::new(&snapshot, Price::from_nanoseconds(100.0));
    let left_out: Vec<_> = compiled.refused().iter().map(|filter| (filter.account, filter.id)).collect();
    let dear_of_ben = database.account_filters(ben).await.unwrap()[0].id;
    assert_eq!(left_out, [(ben, dear_of_ben)]);
    assert_eq!(compiled.filters(), snapshot.filters.len() - 1);
    assert!(compiled.refused()[0].reason.contains("may cost 100 ns"), "{:?}", compiled.refused());
    assert_eq!(compiled.refused()[0].code, OVER_BUDGET);
}

pub async fn lists_belong_to_an_account_or_to_all(database: &Database, _: &Clock) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let ben = database.add_account("ben", &[]).await.unwrap();
    database.set_named(None, "towns", "oslo").await.unwrap();
    database.set_named(Some(ann), "towns", "rome").await.unwrap();
    database.set_named(Some(ann), "towns", "bergen").await.unwrap();
    database.set_named(Some(ben), "people", "bob").await.unwrap();
    let filter = |text: &str| NewFilter { text: text.into(), ..NewFilter::default() };
    let mut of = Vec::new();
    for (account, text) in
        [(ann, "{towns}"), (ben, "{towns}"), (ben, "from:{people}"), (ann, "from:{people}")]
    {
        of.push(database.add_filter(account, &filter(text)).await.unwrap());
    }
    let snapshot = database.filters(None).await.unwrap().unwrap();
    let compiled = Compiled::new(&snapshot, Price::OWNER);
    assert_eq!(
        compiled.refused().iter().map(|one| (one.id, one.code)).collect::<Vec<_>>(),
        [(of[3], "set_unknown")]
    );
    let mut scratch = Scratch::default();
    let mut found = |text: &str| {
        let found = compiled.evaluate(&mut scratch, &post("1", text), &[ann, ben]);
        found.into_iter().flat_map(|one| one.filters).collect::<Vec<_>>()
    };
    assert_eq!(found("bergen"), [of[0], of[2]]);
    assert_eq!(found("oslo"), [of[1], of[2]]);
    let named = |name: &str, terms: &str| vec![(name.to_owned(), terms.to_owned())];
    let known = database.known_to(ann).await.unwrap();
    assert_eq!((known.sets, known.own_sets), (named("towns", "oslo"), named("towns", "bergen")));
    assert_eq!(database.named_sets(Some(ann)).await.unwrap(), named("towns", "bergen"));
    assert_eq!(database.named_sets(None).await.unwrap(), named("towns", "oslo"));
    assert_eq!(database.status().await.unwrap().sets, 3);
    // What a filter is checked with before it is saved.
    let (mut builder, owner) = database.owner(ann).await.unwrap();
    let mut add = |id, text: &str| {
        builder.add_expression(FilterId(id), Some(owner), Expression::parse(text).unwrap()).is_ok()
    };
    assert!(add(1, "{towns}") && !add(2, "{people}"));
    // A list that makes a filter too dear is refused, and one of another account is not touched by it.
    let many: String = (0..20_000).map(|n| format!("user{n}\n")).collect();
    assert!(matches!(database.set_named(Some(ben), "people", &many).await, Err(StoreError::OverBudget(_))));
    assert_eq!(database.named_sets(Some(ben)).await.unwrap(), named("people", "bob"));
    assert!(!database.remove_named(Some(ben), "towns").await.unwrap());
    assert!(database.remove_named(Some(ann), "towns").await.unwrap());
    assert!(database.remove_account(ben).await.unwrap());
    assert!(database.filters(None).await.unwrap().unwrap().own_sets.is_empty());
}

/// Tries posts as a worker does, and stores what comes of it. Each has the accounts that saw it themselves.
async fn work_on(database: &Database, posts: &[(&str, &str, bool, &[i64])]) {
    let snapshot = database.filters(None).await.unwrap().unwrap();
    let compiled = Compiled::new(&snapshot, Price::MAX);
    let all: Vec<i64> = snapshot.accounts.iter().map(|account| account.id).collect();
    let mut scratch = Scratch::default();
    let posts = posts.iter().map(|(id, text, public, saw)| {
        let mut one = seen(post(id, text), 0, saw);
        one.public = *public;
        let tried = if *public { &all[..] } else { saw };
        for found in compiled.evaluate(&mut scratch, &one.post, tried) {
            match one.deliveries.iter_mut().find(|delivery| delivery.account == found.account) {
                Some(known) => *known = Delivery { seen: true, ..found },
                None => one.deliveries.push(found),
            }
        }
        one
    });
    let outcome = Outcome {
        revision: snapshot.revision,
        at: Clock::START,
        posts: posts.collect(),
        ..Outcome::default()
    };
    database.commit(&outcome, &[]).await.unwrap();
}

async fn look_back(database: &Database, clock: &Clock, look: LookBack) -> Stepped {
    let mut sum = Stepped::default();
    while !sum.done {
        // Each step by another process that begins anew.
        let mut reapply = database.reapply(look.clone()).await.unwrap();
        clock.pass(Duration::from_secs(3));
        let step = database.reapply_step(&mut reapply).await.unwrap();
        (sum.changed, sum.added, sum.removed) =
            (sum.changed + step.changed, sum.added + step.added, sum.removed + step.removed);
        sum.done = step.done;
    }
    sum
}

/// Post, verdict and filters, in order of the posts.
async fn unpacked(database: &Database, account: i64) -> Vec<(String, i64, String)> {
    let rows = database.unpacked(account).await.unwrap();
    rows.into_iter().map(|(_, id, bits, filters)| (id, bits, filters.replace(' ', ""))).collect()
}

pub async fn looking_back_gives_what_the_present_filters_say(database: &Database, clock: &Clock) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let ben = database.add_account("ben", &[]).await.unwrap();
    let filter = |text: &str, action| NewFilter { text: text.into(), action, ..NewFilter::default() };
    let snow = database.add_filter(ann, &filter("snow", Action::Highlight)).await.unwrap();
    let gone = database.add_filter(ann, &filter("rain OR snow", Action::Notify)).await.unwrap();
    let of_ben = database.add_filter(ben, &filter("snow", Action::Hide)).await.unwrap();
    let posts: &[(&str, &str, bool, &[i64])] = &[
        ("1", "snow", false, &[1, 2]),
        ("2", "rain", false, &[1]),
        ("3", "snow for all", true, &[]),
        ("4", "rain for all", true, &[]),
        ("5", "fog for all", true, &[]),
        ("6", "snow, deleted", true, &[1]),
        ("7", "fog for one", false, &[1]),
    ];
    assert_eq!((ann, ben), (1, 2));
    for part in posts.chunks(2) {
        work_on(database, part).await;
    }
    // Seen by Ann herself only later, though a filter had found it.
    work_on(database, &[("4", "rain for all", true, &[1])]).await;
    commit(database, vec![], vec![delete("6")]).await;
    database.edit_filter(snow, &filter("fog", Action::Hide)).await.unwrap();
    database.remove_filter(gone).await.unwrap();
    let late = database.add_filter(ann, &filter("one OR snow", Action::Notify)).await.unwrap();
    let others = unpacked(database, ben).await;
    let look = LookBack { accounts: Some(vec![ann]), ..LookBack::default() };
    let sum = look_back(database, clock, look.clone()).await;
    let row =
        |id: &str, bits, filters: &[i64]| (id.to_owned(), bits, serde_json::to_string(filters).unwrap());
    let now = [
        row("1", 4, &[late]),
        row("2", 0, &[]),
        row("3", 4, &[late]),
        row("4", 0, &[]),
        row("5", 1, &[snow]),
        row("7", 5, &[snow, late]),
    ];
    assert_eq!(unpacked(database, ann).await, now);
    assert_eq!((sum.changed, sum.added, sum.removed), (5, 1, 0));
    assert_eq!(unpacked(database, ben).await, others);
    let of = |filter| Page { filter: Some(filter), hidden: true, ..Page::default() };
    let ids = |posts: Vec<tweetfilter_sql::TimelinePost>| {
        posts.into_iter().map(|one| one.native_id).collect::<Vec<_>>()
    };
    assert_eq!(ids(database.timeline(ann, &of(snow)).await.unwrap()), ["7", "5"]);
    assert_eq!(ids(database.timeline(ann, &of(late)).await.unwrap()), ["7", "3", "1"]);
    assert!(database.timeline(ann, &of(gone)).await.unwrap().is_empty());
    let revision = database.filters(None).await.unwrap().unwrap().revision;
    assert!(database.timeline(ann, &of(late)).await.unwrap().iter().all(|one| one.revision == revision));
    // Again, nothing is left to do, whoever looks back.
    for accounts in [Some(vec![ann]), None] {
        let sum = look_back(database, clock, LookBack { accounts, ..LookBack::default() }).await;
        assert_eq!((sum.changed, sum.added, sum.removed), (0, 0, 0));
    }
    // What only a filter had found goes when none finds it any more; what was seen stays.
    database.remove_filter(snow).await.unwrap();
    database.remove_filter(late).await.unwrap();
    let sum = look_back(database, clock, look.clone()).await;
    assert_eq!((sum.changed, sum.added, sum.removed), (2, 0, 2));
    let ids: Vec<_> = unpacked(database, ann).await.into_iter().map(|row| row.0).collect();
    assert_eq!(ids, ["1", "2", "4", "7"]);
    // One filter alone, and a time in which nothing was received.
    let fog = database.add_filter(ann, &filter("fog", Action::Hide)).await.unwrap();
    let rain = database.add_filter(ann, &filter("rain", Action::Highlight)).await.unwrap();
    let never = LookBack { since: Some(Clock::START + 1), ..look.clone() };
    assert_eq!(look_back(database, clock, never).await, Stepped { done: true, ..Stepped::default() });
    let sum = look_back(database, clock, LookBack { filter: Some(fog), ..look.clone() }).await;
    assert_eq!((sum.changed, sum.added), (1, 1));
    assert_eq!(database.timeline(ann, &of(rain)).await.unwrap().len(), 0);
    look_back(database, clock, LookBack { filter: Some(rain), ..look }).await;
    let now = [
        row("1", 0, &[]),
        row("2", 2, &[rain]),
        row("4", 2, &[rain]),
        row("5", 1, &[fog]),
        row("7", 1, &[fog]),
    ];
    assert_eq!(unpacked(database, ann).await, now);
    assert_eq!(unpacked(database, ben).await, others);
    let _ = of_ben;
}

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

pub async fn the_timeline_pages_and_filters(database: &Database, _: &Clock) {
    let hidden = Verdict { hidden: true, ..Verdict::default() };
    let strong = Verdict { highlighted: true, notify: true, hidden: false };
    let mut expected = Vec::new();
    for n in 0..300 {
        let (id, other) = (format!("{n}"), format!("other {n}"));
        let one = match n % 10 {
            0 => matched(seen(post(&id, &id), 0, &[1, 2]), &[8], hidden),
            1 => matched(seen(post(&id, &id), 0, &[1, 2]), &[9, 7], strong),
            _ => seen(post(&id, &id), 0, &[1]),
        };
        if n % 10 != 0 {
            expected.insert(0, id);
        }
        commit(database, vec![one, seen(post(&other, &other), 0, &[3])], vec![]).await;
    }
    let (mut got, mut before): (Vec<String>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let page = Page { before, limit: 7, ..Page::default() };
        let posts = database.timeline(1, &page).await.unwrap();
        let Some(last) = posts.last() else { break };
        before = Some(last.cursor);
        got.extend(posts.into_iter().map(|one| one.native_id));
    }
    assert_eq!(got, expected);
    let of = |filter, hidden| Page { filter: Some(filter), hidden, ..Page::default() };
    let strong_ones = database.timeline(1, &of(7, false)).await.unwrap();
    assert_eq!((strong_ones.len(), strong_ones[0].verdict), (30, strong));
    assert_eq!(strong_ones[0].filters, [9, 7]);
    let results = database.results().await.unwrap();
    assert_eq!((results.deliveries, results.matches), (660, [(7, 60), (8, 60), (9, 60)].into()));
    assert!(database.timeline(1, &of(8, false)).await.unwrap().is_empty());
    assert_eq!(database.timeline(1, &of(8, true)).await.unwrap().len(), 30);
    let sparse = Page { limit: 100, hidden: true, ..Page::default() };
    assert_eq!(database.timeline(2, &sparse).await.unwrap().len(), 60);
}

pub async fn the_tail_misses_nothing(database: &Database, _: &Clock) {
    for n in 0..10 {
        let of = if n % 2 == 0 { [1, 2] } else { [2, 3] };
        // Of several bytes a character, so that none is cut.
        let text = format!("{n} é\u{1f600}\n");
        commit(database, vec![seen(post(&n.to_string(), &text), 0, &of)], vec![]).await;
    }
    let ids =
        |tail: &tweetfilter_sql::Tail| tail.posts.iter().map(|one| one.native_id.clone()).collect::<Vec<_>>();
    let tail = database.tail(Some(1), 0, 2).await.unwrap();
    assert_eq!((ids(&tail), tail.up_to), (vec!["0".to_owned(), "2".to_owned()], 3));
    let rest = database.tail(Some(1), tail.up_to, 100).await.unwrap();
    assert_eq!((ids(&rest), rest.up_to), (vec!["4".to_owned(), "6".to_owned(), "8".to_owned()], 10));
    let none = database.tail(Some(1), 10, 100).await.unwrap();
    assert_eq!((none.posts.len(), none.up_to), (0, 10));
    let all = database.tail(None, 8, 100).await.unwrap();
    let of: Vec<_> = all.posts.iter().map(|one| (one.cursor.commit, one.account)).collect();
    assert_eq!(of, [(9, 1), (9, 2), (10, 2), (10, 3)]);
    // The same for some accounts, one of which there is not.
    let mut some = database.tail_of(&[1, 3, 9], 8, 10).await.unwrap().unwrap();
    some.sort_by_key(|one| (one.cursor, one.account));
    let told: Vec<_> = some.iter().map(|one| (one.account, one.post.text.as_str())).collect();
    assert_eq!(told, [(1, "8 é\u{1f600}\n"), (3, "9 é\u{1f600}\n")]);
    assert_eq!(database.tail_of(&[1, 3], 8, 9).await.unwrap().unwrap().len(), 1);
    assert!(database.tail_of(&[], 0, 10).await.unwrap().unwrap().is_empty());
}

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

pub async fn the_newest_that_is_stored_of_a_source_is_known_by_when_it_was_received(
    database: &Database,
    _: &Clock,
) {
    let last = async |evaluated: i64, received: i64| {
        let received = [("s".to_owned(), Clock::START + received)].into();
        let copies = [("s".to_owned(), 1)].into();
        let at = Clock::START + evaluated;
        database.commit(&Outcome { at, received, copies, ..Outcome::default() }, &[]).await.unwrap();
        database.last_outcome("s").await.unwrap().unwrap() - Clock::START
    };
    assert_eq!(database.last_outcome("s").await.unwrap(), None);
    // Long before it is evaluated; what was received before that changes nothing.
    assert_eq!(last(30_000, 5_000).await, 5_000);
    assert_eq!(last(40_000, 4_000).await, 5_000);
    // By a clock that is ahead of the worker's, and then all were.
    assert_eq!(last(50_000, 90_000_000).await, 50_000);
    assert_eq!(last(90_000_000, 90_000_000).await, 90_000_000);
    assert_eq!(last(60_000, 6_000).await, 6_000);
    assert_eq!(database.last_outcome("unknown").await.unwrap(), None);
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

pub async fn what_no_filter_matched_is_counted(database: &Database, _: &Clock) {
    let unmatched = [("s".to_owned(), 3), ("t".to_owned(), 1)].into();
    let posts = vec![seen(post("1", "a"), 0, &[1])];
    let outcome = Outcome { posts, unmatched, ..Outcome::default() };
    database.commit(&outcome, &[]).await.unwrap();
    database.commit(&Outcome { posts: vec![], ..outcome }, &[]).await.unwrap();
    let status = database.status().await.unwrap();
    let counted: Vec<_> = status.sources.iter().map(|s| (&*s.name, s.stored, s.unmatched)).collect();
    assert_eq!(counted, [("s", 1, 6), ("t", 0, 2)]);
}

pub async fn the_views_unpack_deliveries(database: &Database, _: &Clock) {
    let strong = Verdict { highlighted: true, notify: true, hidden: false };
    commit(database, vec![matched(seen(post("1", "old"), 0, &[1, 2]), &[5, 6], strong)], vec![]).await;
    commit(database, vec![seen(post("1", "new"), 9, &[2])], vec![]).await;
    let rows = database.unpacked(2).await.unwrap();
    assert_eq!(rows, [(2, "1".to_owned(), 0, "[]".to_owned())]);
    assert!(database.unpacked(1).await.unwrap().is_empty());
    commit(database, vec![matched(seen(post("2", "b"), 0, &[1]), &[5, 6], strong)], vec![]).await;
    let rows = database.unpacked(1).await.unwrap();
    assert_eq!(rows[0].2, 6);
    assert_eq!(rows[0].3.replace(' ', ""), "[5,6]");
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
