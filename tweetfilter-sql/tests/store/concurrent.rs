//! Several at once on one store, each with connections of its own as in processes of their own.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sqlx::Connection as _;
use tweetfilter_core::budget::Price;
use tweetfilter_sql::{Cursor, Database, Made, NewFilter, Page, SetKept, SetQuota};
use tweetfilter_stream::buffer::Buffer;
use tweetfilter_stream::entry::{Audience, Content, Entry};
use tweetfilter_stream::store::{DeadLetter, Outcome, Store, StoreError, Verdict};

use crate::common::{Folder, Maria};
use crate::contract;

/// Commits of four workers.
const COMMITS: i64 = 40;

/// Every number is given once and appears in order: a reader who goes on from the last one misses nothing.
async fn four_workers(database: Database, others: [Database; 3]) {
    let reader = {
        let database = database.clone();
        tokio::spawn(async move {
            let (mut read, mut up_to) = (Vec::new(), 0);
            let begin = Instant::now();
            while up_to < COMMITS {
                assert!(begin.elapsed() < Duration::from_secs(120), "read up to {up_to}");
                let tail = database.tail(None, up_to, 3).await.unwrap();
                read.extend(tail.posts.iter().map(|one| (one.cursor.commit, one.account, one.cursor.post)));
                up_to = tail.up_to;
            }
            read
        })
    };
    let workers = std::iter::once(database.clone()).chain(others).enumerate();
    let tasks: Vec<_> = workers
        .map(|(number, worker)| tokio::spawn(async move { contract::work(&worker, number as i64).await }))
        .collect();
    let mut numbers = Vec::new();
    for task in tasks {
        numbers.extend(task.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=COMMITS).collect::<Vec<i64>>());
    let read = reader.await.unwrap();
    let all: BTreeSet<_> = read.iter().copied().collect();
    assert_eq!((all.len(), read.len()), (25 * 14, 25 * 14), "of each post, what 4 workers and 10 rounds say");
    assert!(read.is_sorted_by_key(|(commit, ..)| *commit));
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_workers_on_sqlite() {
    let folder = Folder::new();
    let open = async || Database::open(&folder.file("a.db")).await.unwrap();
    let database = open().await;
    four_workers(database.clone(), [open().await, open().await, open().await]).await;
}

pub async fn four_workers_on_maria(server: &Maria) {
    let database = server.database("four_workers").await;
    // Time enough for others to come in between, if they could.
    let slow =
        "CREATE TRIGGER slow AFTER INSERT ON commit_log FOR EACH ROW SET @slept = SLEEP(0.01 * RAND())";
    server.ask("four_workers", slow);
    let open = async || Database::open(&server.address("four_workers")).await.unwrap();
    four_workers(database.clone(), [open().await, open().await, open().await]).await;
}

/// However many save at once, what an account's filters cost together stays within what they may.
async fn a_budget_is_held(database: Database) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let filter = NewFilter { text: "-is:retweet".into(), ..NewFilter::default() };
    let first = database.add_filter(ann, &filter).await.unwrap();
    let price = database.owner_price(ann).await.unwrap().0;
    assert!(database.remove_filter(first).await.unwrap());
    let budget = Price::from_nanoseconds(price.nanoseconds() * 2.5);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (database, filter) = (database.clone().with_owner_budget(budget), filter.clone());
            tokio::spawn(async move {
                loop {
                    match database.add_filter(ann, &filter).await {
                        // As workers and the API do.
                        Err(StoreError::Retry(_)) => {}
                        done => return done,
                    }
                }
            })
        })
        .collect();
    let mut kept = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => kept += 1,
            Err(error) => assert!(matches!(error, StoreError::OverBudget(_)), "{error}"),
        }
    }
    assert_eq!((kept, database.account_filters(ann).await.unwrap().len()), (2, 2));
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_held_on_sqlite() {
    let folder = Folder::new();
    a_budget_is_held(Database::open(&folder.file("a.db")).await.unwrap()).await;
}

pub async fn a_budget_is_held_on_maria(server: &Maria) {
    a_budget_is_held(server.database("budget").await).await;
}

/// However many save at once, an account has no more named sets than it may.
async fn a_quota_of_sets_is_held(database: Database) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let quota = SetQuota { sets: 2, bytes: 1_000 };
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let database = database.clone();
            tokio::spawn(async move {
                loop {
                    match database.set_own(ann, &format!("set{n}"), "oslo", quota).await {
                        Err(StoreError::Retry(_)) => {}
                        done => return done.unwrap(),
                    }
                }
            })
        })
        .collect();
    let mut kept = 0;
    for task in tasks {
        match task.await.unwrap() {
            SetKept::Done(_) => kept += 1,
            other => assert_eq!(other, SetKept::TooMany(2)),
        }
    }
    assert_eq!((kept, database.named_sets(Some(ann)).await.unwrap().len()), (2, 2));
    database.close().await;
}

/// However many make feeds and read at once, an account has no more feeds and places than it may.
async fn feeds_and_places_are_no_more_than_allowed(database: Database) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let snow = NewFilter { text: "snow".into(), ..NewFilter::default() };
    let filter = database.add_filter(ann, &snow).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let database = database.clone();
            tokio::spawn(async move {
                let made = loop {
                    match database.add_feed(ann, filter, &format!("digest {n}"), 2).await {
                        Err(StoreError::Retry(_)) => {}
                        done => break matches!(done.unwrap(), Made::Now(_)),
                    }
                };
                let up_to = Cursor { commit: 1, post: 1 };
                let read = loop {
                    match database.set_reading(ann, &format!("place {n}"), up_to, 2).await {
                        Err(StoreError::Retry(_)) => {}
                        done => break done.unwrap(),
                    }
                };
                (usize::from(made), usize::from(read))
            })
        })
        .collect();
    let (mut made, mut read) = (0, 0);
    for task in tasks {
        let (feed, place) = task.await.unwrap();
        (made, read) = (made + feed, read + place);
    }
    assert_eq!((made, database.feeds(ann).await.unwrap().len()), (2, 2));
    assert_eq!((read, database.readings(ann).await.unwrap().len()), (2, 2));
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_and_places_are_no_more_than_allowed_on_sqlite() {
    let folder = Folder::new();
    feeds_and_places_are_no_more_than_allowed(Database::open(&folder.file("a.db")).await.unwrap()).await;
}

pub async fn feeds_and_places_are_no_more_than_allowed_on_maria(server: &Maria) {
    feeds_and_places_are_no_more_than_allowed(server.database("feeds").await).await;
}

/// Of those who make a set of one name at the same moment one does, and nobody's is replaced.
async fn a_new_set_replaces_none(database: Database) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let quota = SetQuota { sets: 8, bytes: 1_000 };
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let database = database.clone();
            tokio::spawn(async move {
                loop {
                    match database.add_own(ann, "towns", &format!("town{n}"), quota).await {
                        Err(StoreError::Retry(_)) => {}
                        done => return (n, done.unwrap()),
                    }
                }
            })
        })
        .collect();
    let mut kept = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            (n, SetKept::Done(_)) => kept.push(("towns".to_owned(), format!("town{n}"))),
            (_, other) => assert_eq!(other, SetKept::Exists),
        }
    }
    assert_eq!((kept.len(), &kept), (1, &database.named_sets(Some(ann)).await.unwrap()));
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_set_replaces_none_on_sqlite() {
    let folder = Folder::new();
    a_new_set_replaces_none(Database::open(&folder.file("a.db")).await.unwrap()).await;
}

pub async fn a_new_set_replaces_none_on_maria(server: &Maria) {
    a_new_set_replaces_none(server.database("new_set").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_of_sets_is_held_on_sqlite() {
    let folder = Folder::new();
    a_quota_of_sets_is_held(Database::open(&folder.file("a.db")).await.unwrap()).await;
}

pub async fn a_quota_of_sets_is_held_on_maria(server: &Maria) {
    a_quota_of_sets_is_held(server.database("set_quota").await).await;
}

/// Who takes dead letters off is the one that a deadlock ends, and takes them off all the same.
pub async fn letters_are_taken_off_again_after_a_deadlock(server: &Maria) {
    let database = server.database("letters").await;
    let folder = Folder::new();
    let other = Database::open(&folder.file("b.db")).await.unwrap();
    let buffer = other.buffer().unwrap();
    let fence = buffer.claim("retry", "a", Duration::from_secs(600)).await.unwrap().fence;
    let entry = Entry {
        source: "s".into(),
        at: 1,
        to: Audience::Public,
        place: None,
        content: Content::Post(Box::new(contract::post("1", "Snow"))),
    };
    let dead = vec![DeadLetter::new(entry.to_vec().unwrap(), "why".into(), 1)];
    database.commit(&Outcome { dead, at: 1, ..Outcome::default() }, &[]).await.unwrap();
    let ids = [database.dead_letters(0, 9).await.unwrap()[0].id];

    let mut stranger = sqlx::MySqlConnection::connect(&server.address("letters")).await.unwrap();
    // It has done more than the other, which is ended therefore.
    let begin = "START TRANSACTION; UPDATE outcome_count SET stale = stale + 1 WHERE source = 's';
         INSERT INTO state (name, value) SELECT CONCAT('x', seq), 0 FROM seq_1_to_2000";
    sqlx::raw_sql(begin).execute(&mut stranger).await.unwrap();
    let taking_off = {
        let database = database.clone();
        tokio::spawn(async move { database.retry_dead_letters(&ids, &buffer, "retry", fence).await })
    };
    let waits = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
    let begun = Instant::now();
    while server.ask("", waits)[0][0] != "1" {
        assert!(!taking_off.is_finished() && begun.elapsed() < Duration::from_secs(60), "nobody waits");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let locks = "SELECT value FROM state WHERE name = 'commit' FOR UPDATE";
    sqlx::raw_sql(locks).execute(&mut stranger).await.expect("the other one is ended");
    sqlx::raw_sql("ROLLBACK").execute(&mut stranger).await.unwrap();
    assert_eq!(taking_off.await.unwrap().unwrap(), 1);
    let dead = database.status().await.unwrap().sources[0].dead;
    assert_eq!((dead, database.count_dead_letters().await.unwrap()), (0, 0));
    other.close().await;
    database.close().await;
}

/// A page of a timeline in which nearly everything is hidden reads so much and no more, and the next goes on there.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_hidden_posts_are_not_read_at_once() {
    let folder = Folder::new();
    let database = Database::open(&folder.file("a.db")).await.unwrap();
    let hidden = Verdict { hidden: true, ..Verdict::default() };
    contract::commit(&database, vec![contract::seen(contract::post("shown", "Snow"), 0, &[1])], vec![]).await;
    for n in 0..100 {
        let one = |post| contract::seen(contract::post(&format!("{n}-{post}"), "Rain"), 0, &[1]);
        let posts = (0..1_000).map(|post| contract::matched(one(post), &[7], hidden)).collect();
        contract::commit(&database, posts, vec![]).await;
    }
    let (mut page, mut pages, mut found) = (Page::default(), 0, Vec::new());
    loop {
        let stretch = database.timeline_stretch(1, &page).await.unwrap();
        pages += 1;
        // A page of fifty begins with 25 packs, of a thousand deliveries each here.
        assert!(stretch.packs <= 25 && stretch.deliveries <= 25_000, "{stretch:?}");
        found.extend(stretch.posts.into_iter().map(|one| one.native_id));
        page.before = stretch.next;
        if page.before.is_none() {
            break;
        }
    }
    assert_eq!((found, pages), (vec!["shown".to_owned()], 5));
    // What asks for all of it, as the terminal does, goes on by itself.
    assert_eq!(database.timeline(1, &Page::default()).await.unwrap().len(), 1);
    // Of a filter, a post at a time.
    let page = Page { filter: Some(7), ..Page::default() };
    let stretch = database.timeline_stretch(1, &page).await.unwrap();
    assert!(stretch.packs <= 576 && stretch.posts.is_empty() && stretch.next.is_some(), "{stretch:?}");
    database.close().await;
}

/// What workers get to know is of one revision, also if somebody changes it between two of the statements that
/// read it.
pub async fn filters_are_of_one_revision(server: &Maria) {
    let database = server.database("one_revision").await;
    let ann = database.add_account("ann", &[]).await.unwrap();
    let filter = |text: &str| NewFilter { text: text.into(), ..NewFilter::default() };
    let id = database.add_filter(ann, &filter("list:towns")).await.unwrap();
    database.set_named(Some(ann), "towns", "Oslo").await.unwrap();
    let before = database.filters(None).await.unwrap().unwrap();

    let mut gate = sqlx::MySqlConnection::connect(&server.address("one_revision")).await.unwrap();
    let waits = "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'";
    // In one transaction, as all changes are; by hand, since those of the library look at the lists.
    let change = format!(
        "START TRANSACTION; UPDATE filter SET text = '-list:towns' WHERE id = {id};
         UPDATE account_set SET terms = 'Bergen' WHERE account = {ann};
         UPDATE state SET value = value + 1 WHERE name = 'revision'; COMMIT"
    );
    let mut changes = 0;
    let read = loop {
        // The lists of all are read behind the filters and before the lists of accounts: there it has to wait.
        sqlx::raw_sql("LOCK TABLES named_set WRITE").execute(&mut gate).await.unwrap();
        let reading = {
            let database = database.clone();
            tokio::spawn(async move { database.filters(None).await })
        };
        let begin = Instant::now();
        while server.ask("", waits)[0][0] != "1" && !reading.is_finished() {
            assert!(begin.elapsed() < Duration::from_secs(60), "nobody waits");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server.ask("one_revision", &change);
        changes += 1;
        sqlx::raw_sql("UNLOCK TABLES").execute(&mut gate).await.unwrap();
        match reading.await.unwrap() {
            // Who has waited for ten seconds is told to come again: so long this may take on a busy machine.
            Err(StoreError::Retry(_)) if changes < 6 => {}
            read => break read.unwrap().unwrap(),
        }
    };
    // Who had not waited would have read what was there before the change.
    assert_eq!(read, database.filters(None).await.unwrap().unwrap());
    assert_eq!((read.filters[0].text.as_str(), read.own_sets[0].2.as_str()), ("-list:towns", "Bergen"));
    assert_eq!(read.revision, before.revision + changes);
    database.close().await;
}
