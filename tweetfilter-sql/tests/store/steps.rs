//! What is asked for is looked up, not looked for: shown by what the database reads, never by a clock.

use sqlx::Connection as _;
use tweetfilter_core::Post;
use tweetfilter_core::post::{Point, Reference};
use tweetfilter_sql::{Database, NamedIn, Naming};
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::store::{Evaluated, Outcome, Store};

use crate::common::{Folder, Maria};
use crate::contract::{post, said, seen};

const POSTS: u64 = 4_000;

/// A post that carries another, of a network whose deletes name none.
fn carrying(id: u64) -> Evaluated {
    let on = |id: String| Post { network: "m.example".into(), ..post(&id, "a") };
    let original = on(format!("o{id}"));
    let reference = Reference { id: original.id.clone(), post: Some(original), ..Reference::default() };
    seen(Post { quote_of: Some(Box::new(reference)), ..on(id.to_string()) }, 0, &[1])
}

/// A delete that names no network.
pub async fn a_delete_without_a_network_reads_little_of_maria(server: &Maria) {
    let database = server.database("unnamed").await;
    let outcome = Outcome { posts: (0..POSTS).map(carrying).collect(), ..Outcome::default() };
    database.commit(&outcome, &[]).await.unwrap();
    // Asking that reads some rows, too.
    let reads = || -> u64 {
        let rows = server.ask("", "SHOW GLOBAL STATUS LIKE 'Handler_read%'");
        rows.iter().map(|row| row[1].parse::<u64>().unwrap()).sum()
    };
    let asking = (reads(), reads());
    let changes = (0..3).map(|id| Change::Delete { network: String::new(), id: format!("o{id}") });
    let outcome = Outcome { changes: changes.map(said).collect(), ..Outcome::default() };
    let before = reads();
    database.commit(&outcome, &[]).await.unwrap();
    let read = reads() - before;
    assert!(read < POSTS / 4 + (asking.1 - asking.0), "{read} of {POSTS}");
    assert_eq!(database.status().await.unwrap().tombstones, 6);
    database.close().await;
}

/// Whose turn it is to have a handle asked for, beside a long list.
pub async fn the_next_handles_are_found_in_few_reads_of_maria(server: &Maria) {
    let database = server.database("turns").await;
    let names = |from: u64, count: u64| {
        let handles = (from..from + count).map(|n| format!("a{n:06}.example")).collect();
        NamedIn { handles, ..NamedIn::default() }
    };
    let others =
        (2..32).map(|account| (Naming::Account(account), names(POSTS * 10 + account.cast_unsigned(), 1)));
    let all = others.chain([(Naming::Account(1), names(0, POSTS * 5))]).collect();
    let revision = database.status().await.unwrap().revision;
    assert!(database.state_handles("bluesky", revision, &all).await.unwrap());
    let reads = || -> u64 {
        let rows = server.ask("", "SHOW GLOBAL STATUS LIKE 'Handler_read%'");
        rows.iter().map(|row| row[1].parse::<u64>().unwrap()).sum()
    };
    let asking = (reads(), reads());
    let mut due = Vec::new();
    for _ in 0..5 {
        let before = reads();
        due.extend(database.due_handles("bluesky", 10).await.unwrap());
        let read = reads() - before;
        assert!(read < POSTS / 2 + (asking.1 - asking.0), "{read}");
    }
    assert_eq!(due.len(), 50);
    assert_eq!(due.iter().filter(|handle| ***handle >= *format!("a{:06}", POSTS * 10)).count(), 30);
    let answers: Vec<_> = due.into_iter().map(|handle| (handle, None)).collect();
    let before = reads();
    database.handles_answered("bluesky", &answers).await.unwrap();
    let read = reads() - before;
    assert!(read < POSTS / 2 + (asking.1 - asking.0), "{read}");
    database.close().await;
}

/// Posts whose places stay are not read: one of these can't be.
async fn a_scrub_reads_what_it_is_about(database: &Database, say: impl AsyncFn(&'static str)) {
    let placed = |id: &str| {
        let coordinates = Some(Point { lon: 1.0, lat: 2.0 });
        seen(Post { coordinates, ..post(id, id) }, 0, &[1])
    };
    let outcome = Outcome { posts: ["99", "101", "250"].map(placed).into(), ..Outcome::default() };
    database.commit(&outcome, &[]).await.unwrap();
    say("UPDATE post SET body = '{' WHERE native_id <> '99'").await;
    let scrub = |up_to: &str| Outcome {
        changes: vec![said(Change::ScrubGeo {
            network: "x".into(),
            author: "100".into(),
            up_to: up_to.into(),
        })],
        ..Outcome::default()
    };
    database.commit(&scrub("100"), &[]).await.unwrap();
    assert!(database.commit(&scrub("102"), &[]).await.is_err(), "it reads that one");
}

#[tokio::test]
async fn a_scrub_reads_what_it_is_about_on_sqlite() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let database = Database::open(&path).await.unwrap();
    let say = async |statement: &'static str| {
        let mut stranger = sqlx::SqliteConnection::connect(&path).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut stranger).await.unwrap();
        stranger.close().await.unwrap();
    };
    a_scrub_reads_what_it_is_about(&database, say).await;
    database.close().await;
}

pub async fn a_scrub_reads_what_it_is_about_on_maria(server: &Maria) {
    let database = server.database("scrub").await;
    a_scrub_reads_what_it_is_about(&database, async |statement| {
        server.ask("scrub", statement);
    })
    .await;
    database.close().await;
}
