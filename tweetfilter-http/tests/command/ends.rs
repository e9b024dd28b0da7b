//! How processes end: killed, told to while their servers say nothing, and what their logs hold.

use std::time::{Duration, Instant};

use sqlx::Connection as _;

use crate::chain::{Server, ok, status, until, untold, with_accounts};
use crate::separate::{maria::Maria, redis};
use crate::support::Files;

const COMMANDS: [&[&str]; 4] = [
    &["serve", "--source", "generated"],
    &["work"],
    &["ingest", "--source", "generated"],
    &["api", "--listen", "127.0.0.1:0"],
];

/// On a file there is one `serve`.
fn each_kill_is_found_out(files: &Files, is_file: bool) {
    let found = || status(files)["crashes"].as_u64().unwrap() as usize;
    let mut crashes = 0;
    for command in COMMANDS {
        let before = untold(files);
        let runs = |state: &str| {
            let processes = status(files)["processes"].clone();
            let is = |one: &serde_json::Value| one["command"] == command[0] && one["state"] == state;
            processes.as_array().unwrap().iter().filter(|one| is(one)).count()
        };
        let killed = Server::start(files, command);
        until("it is known", files, || runs("running") == 1);
        // Another of the kind is no reason to believe that this one ended.
        let alone = is_file && command[0] == "serve";
        let other = (!alone).then(|| Server::start(files, &[command, &["--instance", "other"]].concat()));
        until("both are known", files, || runs("running") == if alone { 1 } else { 2 });
        assert_eq!(found(), crashes, "{command:?}");
        drop(killed);
        if let Some(mut other) = other {
            other.tell_to_end();
        }
        let mut next = Server::start(files, command);
        until("the kill is found out", files, || found() > crashes);
        next.tell_to_end();
        // Once, and not those that said that they end.
        let mut last = Server::start(files, command);
        until("it is known", files, || runs("running") == 1);
        let untold = untold(files) - before;
        last.tell_to_end();
        let now = found();
        assert!((1..=1 + untold).contains(&(now - crashes)), "{command:?}: {crashes}, {now}, {untold}");
        crashes = now;
    }
}

#[test]
fn a_killed_process_is_found_out_at_the_next_start_on_sqlite() {
    each_kill_is_found_out(&with_accounts(Files::new()), true);
}

/// The servers that parts share.
fn servers() -> Option<(Files, redis::RedisServer, Maria)> {
    let Some(maria) = Maria::start() else {
        println!("skipped: no mariadbd");
        return None;
    };
    let redis = redis::RedisServer::start(&redis::FIT)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { maria.database("tf").await.close().await });
    let settings = format!("database = \"{}\"\nbuffer = \"{}\"\n", maria.address("tf"), redis.url());
    Some((with_accounts(Files::new().with("tweetfilter.toml", settings)), redis, maria))
}

#[test]
fn a_killed_process_is_found_out_at_the_next_start_on_maria() {
    let Some((files, _redis, _maria)) = servers() else { return };
    each_kill_is_found_out(&files, false);
}

#[test]
fn who_is_told_to_end_does_so_while_servers_say_nothing() {
    let Some((files, redis, maria)) = servers() else { return };
    let takes = |command: &[&str]| {
        let mut server = Server::start(&files, command);
        let is_it = |one: &serde_json::Value| one["pid"] == server.number();
        until("it is known", &files, || status(&files)["processes"].as_array().unwrap().iter().any(is_it));
        maria.signal("STOP");
        redis.signal("STOP");
        std::thread::sleep(Duration::from_secs(4));
        let told = Instant::now();
        server.tell_to_end();
        let took = told.elapsed();
        maria.signal("CONT");
        redis.signal("CONT");
        took
    };
    for command in COMMANDS[..2].iter().copied() {
        // A busy machine may hold up one of them.
        let mut took = Vec::new();
        while took.iter().all(|took| *took >= Duration::from_secs(10)) {
            assert!(took.len() < 3, "{command:?}: {took:?}");
            took.push(takes(command));
        }
    }
}

/// Has the store be busy for as long as anybody waits with taking it that a process runs.
fn make_slow(files: &Files) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let path = files.path("tweetfilter.db");
        let mut connection = sqlx::SqliteConnection::connect(&path.to_string_lossy()).await.unwrap();
        let slow = "CREATE TRIGGER slow BEFORE INSERT ON process BEGIN
                 SELECT (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 100000000000)
                     SELECT COUNT(*) FROM n);
             END";
        sqlx::raw_sql(slow).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn who_is_told_to_end_while_it_begins_does_not_begin() {
    let files = with_accounts(Files::new());
    make_slow(&files);
    // Whoever had the file before was killed, so that its leases are looked for.
    let files = files.with("tweetfilter.db.running", "process 1, started 2026-01-01T00:00:00Z\n");
    let mut server = Server::start(&files, &["serve", "--source", "generated", "--listen", "127.0.0.1:0"]);
    until("it begins", &files, || files.read("log").contains("the API and the page listen"));
    // By itself it would wait for the store for half a minute, and then fail.
    server.tell_to_end();
    let log = files.read("log");
    assert!(log.contains("ends signal=\"SIGTERM\"") && !log.contains("all sources have ended"), "{log}");
    assert!(!files.path("tweetfilter.db.running").exists());
}

#[test]
fn a_log_holds_nothing_of_an_entry_that_cannot_be_read() {
    let files = with_accounts(Files::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use tweetfilter_stream::buffer::{Batch, Buffer, Encoded};
        let path = files.path("tweetfilter.db");
        let database = tweetfilter_sql::Database::open(&path.to_string_lossy()).await.unwrap();
        let buffer = database.buffer().unwrap();
        let fence = buffer.claim("s", "a", Duration::from_secs(9)).await.unwrap().fence;
        let long = "T".repeat(200_000);
        let entries = [
            r#"{"v":1,"source":"s","at":1,"to":"public","post":"Secret words"}"#.to_owned(),
            format!(r#"{{"v":1,"source":"s","at":1,"to":"{long}","post":{{}}}}"#),
        ];
        let entries = entries.map(|text| Encoded { key: 1, bytes: text.into_bytes() }).into();
        buffer.append(&Batch { source: "s".into(), fence, entries, ..Batch::default() }).await.unwrap();
        database.close().await;
    });
    let ended = files.run(&["work", "--until-empty"]);
    assert!(ended.err.contains("2 dead"), "{}", ended.err);
    assert!(!ended.err.contains("Secret"), "{}", ended.err);
    assert!(ended.err.lines().all(|line| line.len() < 1_000), "a long line");
    assert!(ok(files.run(&["dead-letters", "list"])).contains("not an entry"));
}
