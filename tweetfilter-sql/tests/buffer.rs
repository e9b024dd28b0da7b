//! The embedded buffer keeps what every buffer keeps.
#![allow(missing_docs)]

mod common;
#[path = "../../tweetfilter-stream/tests/contract/buffer.rs"]
mod contract;

use std::time::Duration;

use common::{Clock, Folder};
use sqlx::Connection as _;
use tweetfilter_sql::Database;
use tweetfilter_stream::buffer::{Batch, Buffer, BufferError, Encoded, Gap, Most};

macro_rules! contract {
    ($($name:ident($($arg:ident),*);)*) => {$(
        #[tokio::test]
        async fn $name() {
            let (folder, clock) = (Folder::new(), Clock::new());
            let database = clock.set(Database::open(&folder.file("a.db")).await.unwrap());
            let buffer = database.buffer().unwrap();
            contract::$name(&buffer $(, $arg(&clock))*).await;
            database.close().await;
        }
    )*};
}

contract! {
    a_source_has_one_reader(pass);
    a_renewed_lease_lasts(pass);
    a_lease_that_lies_far_ahead_ends_like_any_other(pass);
    a_fenced_reader_appends_nothing();
    the_cursor_goes_with_its_batch();
    entries_come_in_order_as_they_were();
    a_lease_is_bounded_by_bytes(pass);
    two_workers_never_hold_one_entry();
    a_lease_runs_out(pass);
    a_lease_from_before_the_clock_was_set_back_ends(jump);
    a_lease_is_extended(pass);
    what_is_acknowledged_is_gone(pass);
    what_is_released_is_there_at_once();
    stats_say_how_full_it_is(start);
}

fn pass(clock: &Clock) -> impl AsyncFn(Duration) {
    let clock = clock.clone();
    async move |time| clock.pass(time)
}

fn jump(clock: &Clock) -> impl AsyncFn(i64) {
    let clock = clock.clone();
    async move |seconds| clock.jump(seconds)
}

fn start(_: &Clock) -> i64 {
    Clock::START
}

#[tokio::test]
async fn of_many_gaps_the_newest_are_kept() {
    let folder = Folder::new();
    let database = Database::open(&folder.file("a.db")).await.unwrap();
    let known = async || {
        let gaps = database.gaps(10_000).await.unwrap();
        let of_it = gaps.iter().rev().filter(|stored| stored.source == "s");
        (
            of_it.map(|stored| stored.gap.from).collect::<Vec<_>>(),
            database.status().await.unwrap().gaps_dropped,
        )
    };
    contract::of_many_gaps_the_newest_are_kept(&database.buffer().unwrap(), known).await;
    database.close().await;
}

#[tokio::test]
async fn a_gap_that_is_told_again_is_kept_once() {
    let folder = Folder::new();
    let database = Database::open(&folder.file("a.db")).await.unwrap();
    let buffer = database.buffer().unwrap();
    let told = async |source: &str, gaps: &[Gap]| {
        let fence = buffer.claim(source, "a", Duration::from_secs(60)).await.unwrap().fence;
        let batch = Batch { source: source.into(), fence, gaps: gaps.to_vec(), ..Batch::default() };
        buffer.append(&batch).await.unwrap();
    };
    let gap = |to, reason: &str, missing| Gap { from: 1, to, reason: reason.into(), missing };
    let known = [gap(5, "X held posts back", Some(3)), gap(5, "stall", None)];
    told("s", &known).await;
    told("s", &known).await;
    // Each of these is another.
    told("s", &[gap(6, "stall", None), gap(5, "stall", Some(3)), gap(5, "rest", None)]).await;
    told("t", &known[..1]).await;
    assert_eq!(database.gaps(99).await.unwrap().len(), 6);
    database.close().await;
}

#[tokio::test]
async fn what_was_appended_outlives_the_process_and_its_leases_do_not() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let long = Duration::from_secs(600);
    let entry = Encoded { key: 1, bytes: b"x".to_vec() };
    {
        let buffer = Database::open(&path).await.unwrap().buffer().unwrap();
        let fence = buffer.claim("s", "a", long).await.unwrap().fence;
        let batch = Batch { source: "s".into(), fence, entries: vec![entry], ..Batch::default() };
        buffer.append(&batch).await.unwrap();
        assert_eq!(buffer.lease("w", Most::entries(9), long).await.unwrap().len(), 1);
    }
    let database = Database::open(&path).await.unwrap();
    let buffer = database.buffer().unwrap();
    assert!(buffer.lease("v", Most::entries(9), long).await.unwrap().is_empty());
    buffer.forget_leases("another").await.unwrap();
    assert!(buffer.lease("v", Most::entries(9), long).await.unwrap().is_empty());
    buffer.forget_leases("w").await.unwrap();
    let leased = buffer.lease("v", Most::entries(9), long).await.unwrap();
    assert_eq!((leased.len(), leased[0].attempts), (1, 2));
    database.close().await;
}

#[tokio::test]
async fn what_somebody_put_in_without_counting_it_counts_for_nothing_until_it_is_counted_anew() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let database = Database::open(&path).await.unwrap();
    let buffer = database.buffer().unwrap();
    let strange = async |statement: &'static str| {
        let mut stranger = sqlx::SqliteConnection::connect(&path).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut stranger).await.unwrap();
        stranger.close().await.unwrap();
    };
    let counts = async || {
        let stats = buffer.stats().await.unwrap();
        (stats.entries, stats.bytes)
    };
    strange(
        "INSERT INTO buffer_entry (part, at, bytes) VALUES (1, 1, x'01'), (2, 1, x'0203'), (3, 1, x'04')",
    )
    .await;
    let leased = buffer.lease("w", Most::entries(1), Duration::from_secs(60)).await.unwrap();
    buffer.ack("w", &[leased[0].id.clone()]).await.unwrap();
    assert_eq!(counts().await, (0, 0));
    let small = buffer.clone().with_capacity(1);
    let fence = small.claim("s", "a", Duration::from_secs(60)).await.unwrap().fence;
    let entries = vec![Encoded { key: 1, bytes: b"123".to_vec() }];
    let full = small.append(&Batch { source: "s".into(), fence, entries, ..Batch::default() }).await;
    assert!(matches!(full, Err(BufferError::Full(_))), "{full:?}");
    assert_eq!(database.status().await.unwrap().recounted_at, None);
    buffer.recount().await.unwrap();
    assert_eq!(counts().await, (2, 3));
    let recounted = database.status().await.unwrap().recounted_at;
    assert!(recounted.is_some());
    // What may be so is not counted again.
    strange("UPDATE state SET value = 7 WHERE name = 'buffer_entries'").await;
    buffer.recount().await.unwrap();
    assert_eq!(counts().await, (7, 3));
    assert_eq!(database.status().await.unwrap().recounted_at, recounted);
    database.close().await;
}

#[tokio::test]
async fn a_full_buffer_says_so_and_takes_nothing() {
    let folder = Folder::new();
    let database = Database::open(&folder.file("a.db")).await.unwrap();
    let buffer = database.buffer().unwrap().with_capacity(10);
    let fence = buffer.claim("s", "a", Duration::from_secs(60)).await.unwrap().fence;
    let entry = |bytes: &[u8]| Encoded { key: 1, bytes: bytes.to_vec() };
    let batch = |entries| Batch { source: "s".into(), fence, entries, ..Batch::default() };
    buffer.append(&batch(vec![entry(b"12345678")])).await.unwrap();
    let too_much = Batch { cursor: Some("ahead".into()), ..batch(vec![entry(b"1"), entry(b"23")]) };
    let full = buffer.append(&too_much).await;
    assert!(matches!(full, Err(BufferError::Full(_))), "{full:?}");
    assert_eq!(buffer.stats().await.unwrap().entries, 1);
    buffer.append(&batch(vec![entry(b"12")])).await.unwrap();
    assert_eq!(buffer.claim("s", "a", Duration::from_secs(60)).await.unwrap().cursor, None);
    database.close().await;
}

#[tokio::test]
async fn what_waits_is_kept_however_old_it_is() {
    let (folder, clock) = (Folder::new(), Clock::new());
    let database = clock.set(Database::open(&folder.file("a.db")).await.unwrap());
    let buffer = database.buffer().unwrap();
    let long = Duration::from_secs(60);
    let fence = buffer.claim("s", "a", long).await.unwrap().fence;
    let entries = ["1", "2"].map(|bytes| Encoded { key: 1, bytes: bytes.into() }).to_vec();
    buffer.append(&Batch { source: "s".into(), fence, entries, ..Batch::default() }).await.unwrap();
    assert_eq!(buffer.lease("w", Most::entries(1), long).await.unwrap().len(), 1);
    clock.pass(Duration::from_secs(90 * 86_400));
    while !database.forget_older(Duration::from_secs(86_400)).await.unwrap().is_empty() {}
    while !database.forget_oldest().await.unwrap().is_empty() {}
    let leased: Vec<_> =
        buffer.lease("v", Most::entries(9), long).await.unwrap().into_iter().map(|one| one.bytes).collect();
    assert_eq!(leased, [b"1", b"2"]);
    database.close().await;
}
