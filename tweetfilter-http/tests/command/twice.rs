//! The same started twice, on one host and with one name.

use std::time::{Duration, SystemTime};

use tweetfilter_sql::Database;
use tweetfilter_stream::buffer::{Batch, Buffer, Encoded, Gap, Most};

use crate::chain::{Server, ok, status, until};
use crate::separate::redis::{FIT, RedisServer};
use crate::support::Files;

const GENERATED: &str = "[source.live]\nkind = \"generated\"\nrate = 200.0\n";

fn count(files: &Files, part: &str) -> usize {
    files.read("log").matches(part).count()
}

#[test]
fn a_second_server_on_one_file_is_refused_and_the_end_of_the_first_is_still_found_out() {
    let files = Files::new().with("tweetfilter.toml", GENERATED);
    let first = Server::start(&files, &["serve"]);
    until("it runs", &files, || {
        files.path("tweetfilter.db.running").exists() && status(&files)["posts"] != 0
    });
    let second = files.run(&["serve"]);
    assert!(
        second.code == 2 && second.err.contains("another server runs on tweetfilter.db"),
        "{}",
        second.err
    );
    assert!(second.err.contains("process ") && second.err.contains("--database"), "{}", second.err);
    // Nothing was taken from the first.
    let before = status(&files)["commit"].as_i64();
    until("it goes on", &files, || status(&files)["commit"].as_i64() > before);
    assert_eq!((count(&files, "taken over"), &status(&files)["crashes"]), (0, &0.into()));
    drop(first);
    let mut third = Server::start(&files, &["serve"]);
    until("the sudden end is recorded", &files, || status(&files)["crashes"] == 1);
    third.tell_to_end();
    assert!(!files.path("tweetfilter.db.running").exists());
    // Who is refused for another reason leaves nothing behind.
    ok(files.run(&["status"]));
    assert_eq!(files.run(&["serve", "--listen", "nowhere"]).code, 2);
    assert!(!files.path("tweetfilter.db.running").exists());
}

#[test]
fn a_second_ingest_of_the_same_name_takes_the_source_over_once_and_the_first_waits() {
    let files = Files::new().with("tweetfilter.toml", GENERATED);
    let lines = || status(&files)["sources"][0]["counts"]["lines"].as_u64().unwrap_or(0);
    let mut first = Server::start(&files, &["ingest"]);
    until("it reads", &files, || lines() > 0);
    let second = Server::start(&files, &["ingest"]);
    until("the first waits", &files, || count(&files, "waits for the source") == 1);
    // They once robbed each other at every restart: after 0.2, 0.4, 0.8 and 1.6 seconds.
    std::thread::sleep(Duration::from_secs(5));
    let log = files.read("log");
    assert_eq!(log.matches("was taken over").count(), 1, "{log}");
    assert!(log.contains("under the same instance name") && log.contains("--instance NAME"), "{log}");
    assert_eq!(status(&files)["crashes"], 0, "nothing broke");
    // It takes over when the other one is gone.
    drop(second);
    let read = lines();
    until("the first reads again", &files, || lines() > read);
    assert_eq!(count(&files, "was taken over"), 1);
    first.tell_to_end();
}

#[test]
fn who_works_beside_another_leaves_it_what_it_holds() {
    let settings = "[source.none]\nkind = \"file\"\naudience = \"envelope\"\nfiles = [\"none.ndjson\"]\n";
    let files = Files::new().with("none.ndjson", "").with("tweetfilter.toml", settings);
    ok(files.run(&["account", "add", "ann"]));
    // An entry of a server that will be killed, one of another worker, and one of nobody.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let path = files.path("tweetfilter.db");
        let database = Database::open(&path.to_string_lossy()).await.unwrap();
        let buffer = database.buffer().unwrap();
        let long = Duration::from_secs(600);
        let fence = buffer.claim("s", "a", long).await.unwrap().fence;
        // What is older than retention keeps would be forgotten meanwhile.
        let at = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
        let entry = |id: u8| {
            let post = format!(r#"{{"network":"x","id":"{id}","text":"Snow"}}"#);
            let text = format!(r#"{{"v":1,"source":"s","at":{at},"to":"public","post":{post}}}"#);
            Encoded { key: 1, bytes: text.into_bytes() }
        };
        let entries = (0..3).map(entry).collect();
        buffer.append(&Batch { source: "s".into(), fence, entries, ..Batch::default() }).await.unwrap();
        // Another of the server's instance works beside it.
        for worker in ["one-4000000", "one-5000000"] {
            assert_eq!(buffer.lease(worker, Most::entries(1), long).await.unwrap().len(), 1);
        }
        database.close().await;
    });
    let mut worker = Server::start(&files, &["work", "--instance", "two"]);
    until("what is free is stored", &files, || status(&files)["posts"] != 0);
    assert_eq!(status(&files)["posts"], 1);
    // The server that is killed leaves its file behind. The next one has what it held, and nothing else.
    std::fs::write(files.path("tweetfilter.db.running"), "process 4000000, started before\n").unwrap();
    let mut server = Server::start(&files, &["serve", "--instance", "one"]);
    until("what the killed one held is stored", &files, || status(&files)["posts"] != 1);
    let status = status(&files);
    assert_eq!((&status["posts"], &status["buffer"]["entries"]), (&2.into(), &1.into()), "{status}");
    worker.tell_to_end();
    server.tell_to_end();
}

#[test]
fn a_second_worker_of_the_same_name_goes_on_under_its_own() {
    let Some(redis) = RedisServer::start(&FIT) else { return };
    let files = Files::new().with("tweetfilter.toml", format!("buffer = \"{}\"\n", redis.url()));
    ok(files.run(&["account", "add", "ann"]));
    let named = || redis.say(&["GET", "tf:worker:one"]);
    let start = || Server::start(&files, &["work", "--instance", "one"]);
    let first = start();
    until("it has its name", &files, || named().contains("pid"));
    let who = named();
    let mut second = start();
    until("the second is told", &files, || count(&files, "another process works under the name one") == 1);
    let log = files.read("log");
    assert!(log.contains("goes on as one/") && log.contains("--instance NAME"), "{log}");
    assert_eq!(named(), who);
    // Whoever takes the place of one that was killed has its name at once.
    drop(first);
    let mut third = start();
    until("the third has the name", &files, || named().contains("pid") && named() != who);
    assert_eq!(count(&files, "another process works under"), 1, "{}", files.read("log"));
    third.tell_to_end();
    assert_eq!(named().trim(), "(nil)", "who ends leaves its name");
    second.tell_to_end();
}

#[test]
fn a_stream_goes_on_after_a_flushall_and_leaves_a_gap() {
    let Some(redis) = RedisServer::start(&FIT) else { return };
    let settings = format!("buffer = \"{}\"\n{GENERATED}", redis.url());
    let files = Files::new().with("tweetfilter.toml", settings);
    let mut server = Server::start(&files, &["serve"]);
    let stored = || status(&files)["posts"].as_u64().unwrap_or(0);
    until("posts", &files, || stored() > 100);
    redis.say(&["FLUSHALL"]);
    until("a gap", &files, || gaps(&files, &redis).len() == 1);
    let before = stored();
    until("it goes on", &files, || stored() > before + 50);
    let log = files.read("log");
    assert!(!log.contains("part ended") && log.contains("FLUSHALL"), "{log}");
    assert_eq!(log.matches("source is read").count(), 1, "{log}");
    let gap = gaps(&files, &redis).remove(0);
    assert!((0..30_000).contains(&(gap.to - gap.from)), "{gap:?}");
    // The next one takes no gap along that was known before.
    until("the store has it", &files, || gaps_of_store(&files).contains(&gap));
    until("it stands there alone", &files, || redis.say(&["LLEN", "tf:gaps:live"]).trim() == "0");
    redis.say(&["FLUSHALL"]);
    until("a second gap", &files, || gaps(&files, &redis).len() == 2);
    assert!(gaps(&files, &redis).contains(&gap) && status(&files)["gaps"].as_u64() >= Some(2));
    server.tell_to_end();
}

/// The source's gaps that the store has, the oldest first.
fn gaps_of_store(files: &Files) -> Vec<Gap> {
    let gaps = of_store(files, async |database: &Database| database.gaps(100).await.unwrap());
    gaps.into_iter().rev().filter(|stored| stored.source == "live").map(|stored| stored.gap).collect()
}

/// What the store says.
fn of_store<T>(files: &Files, asked: impl AsyncFn(&Database) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let path = files.path("tweetfilter.db");
        let database = Database::open(&path.to_string_lossy()).await.unwrap();
        let said = asked(&database).await;
        database.close().await;
        said
    })
}

/// All of the source's gaps.
fn gaps(files: &Files, redis: &RedisServer) -> Vec<Gap> {
    // First those that are not taken yet: they may be meanwhile.
    let noted = redis.say(&["LINDEX", "tf:gaps:live", "0"]);
    let mut gaps = gaps_of_store(files);
    let noted: Option<Gap> = serde_json::from_str(noted.trim()).ok();
    let noted = noted.filter(|gap| !gaps.contains(gap));
    gaps.extend(noted);
    gaps
}

fn lines_in(redis: &RedisServer) -> u64 {
    redis.say(&["HGET", "tf:source:live", "counts:lines"]).trim().parse().unwrap_or(0)
}

fn now() -> i64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64
}

/// Whether the source's only gap is of what somebody removed, and reaches over a moment.
fn assert_lost(files: &Files, redis: &RedisServer, at: i64) {
    let gaps = gaps(files, redis);
    assert!(gaps.len() == 1 && gaps[0].reason.contains("FLUSHALL"), "{gaps:?}");
    let Gap { from, to, .. } = gaps[0];
    assert!(from <= at && to >= at && from > at - 60_000, "{gaps:?} {at}");
}

#[test]
fn who_takes_a_source_over_after_a_flushall_leaves_a_gap() {
    let Some(redis) = RedisServer::start(&FIT) else { return };
    let settings = format!("buffer = \"{}\"\n{GENERATED}", redis.url());
    let files = Files::new().with("tweetfilter.toml", settings);
    let first = Server::start(&files, &["ingest", "--instance", "one"]);
    until("it reads", &files, || lines_in(&redis) > 0);
    let mut second = Server::start(&files, &["ingest", "--instance", "two"]);
    until("the second waits", &files, || count(&files, "waits for the source") == 1);
    // Who reads it can notice nothing.
    first.signal("STOP");
    let stopped = now();
    redis.say(&["FLUSHALL"]);
    until("the second reads", &files, || lines_in(&redis) > 0);
    assert_lost(&files, &redis, stopped);
    first.signal("CONT");
    until("the first finds that it was replaced", &files, || count(&files, "was taken over") == 1);
    assert_lost(&files, &redis, stopped);
    second.tell_to_end();
}

#[test]
fn a_stream_that_begins_again_after_a_flushall_leaves_a_gap_if_the_store_knows_it() {
    let Some(redis) = RedisServer::start(&FIT) else { return };
    let settings = format!("buffer = \"{}\"\n{GENERATED}", redis.url());
    let files = Files::new().with("tweetfilter.toml", settings);
    let server = Server::start(&files, &["serve"]);
    until("posts", &files, || status(&files)["posts"].as_u64() > Some(100));
    assert!(gaps(&files, &redis).is_empty(), "nobody has read it before");
    drop(server);
    let killed = now();
    redis.say(&["FLUSHALL"]);
    let mut server = Server::start(&files, &["serve"]);
    until("it reads again", &files, || lines_in(&redis) > 0);
    assert_lost(&files, &redis, killed);
    server.tell_to_end();
}

#[test]
fn a_stream_of_which_nothing_was_stored_leaves_a_gap_as_well_from_its_beginning() {
    let Some(redis) = RedisServer::start(&FIT) else { return };
    let settings = format!("buffer = \"{}\"\n{GENERATED}", redis.url());
    let files = Files::new().with("tweetfilter.toml", settings);
    ok(files.run(&["account", "add", "ann"]));
    let first = Server::start(&files, &["ingest"]);
    until("it reads", &files, || lines_in(&redis) > 0);
    let begun = now();
    until("the store knows where it stands", &files, || {
        of_store(&files, async |database: &Database| database.source_place("live").await.unwrap().is_some())
    });
    drop(first);
    redis.say(&["FLUSHALL"]);
    let mut second = Server::start(&files, &["ingest"]);
    until("it reads again", &files, || lines_in(&redis) > 0);
    // Nobody works, so all of it waited.
    assert_lost(&files, &redis, begun);
    second.tell_to_end();
}
