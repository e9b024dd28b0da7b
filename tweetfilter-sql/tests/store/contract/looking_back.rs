//! Stored posts under the present filters.

use std::time::Duration;

use tweetfilter_core::Scratch;
use tweetfilter_core::budget::Price;
use tweetfilter_sql::{Database, LookBack, NewFilter, Page, Stepped};
use tweetfilter_stream::store::{Action, Delivery, Outcome, Store};
use tweetfilter_stream::worker::Compiled;

use super::{commit, delete, post, seen};
use crate::common::Clock;

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
