//! Each entry comes to one end, which is counted.

use std::time::Duration;

use tweetfilter_core::Post;
use tweetfilter_sql::Database;
use tweetfilter_stream::buffer::EntryId;
use tweetfilter_stream::entry::{Audience, Content, Entry};
use tweetfilter_stream::store::{DeadLetter, Outcome, Store, StoreError};

use super::{commit, delete, post, seen};
use crate::common::Clock;

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
