//! The parts as processes of their own, on real Redis and MariaDB servers, killed again and again.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::chain::{Server, assert_same, by_oracle, ok, status, stored, until, with_accounts};
use crate::support::{Files, tweet};

#[path = "../../../tweetfilter-sql/tests/common/mod.rs"]
pub mod maria;
#[path = "../../../tweetfilter-stream/tests/support/servers.rs"]
pub mod redis;

/// Numbers that say which process dies next; the same in each run.
struct Lot(u64);

impl Lot {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Starts the servers and writes the settings; `None` where one of them is not installed.
fn servers(files: Files) -> Option<(Files, redis::RedisServer, maria::Maria)> {
    let Some(maria) = maria::Maria::start() else {
        println!("skipped: no mariadbd");
        return None;
    };
    let redis = redis::RedisServer::start(&redis::FIT)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { maria.database("tf").await.close().await });
    let settings = format!(
        "database = \"{}\"\nbuffer = \"{}\"\n[source.site]\nkind = \"file\"\naudience = \"envelope\"\n\
         files = [\"site.ndjson\"]\nrate = 600.0\n",
        maria.address("tf"),
        redis.url()
    );
    Some((with_accounts(files.with("tweetfilter.toml", settings)), redis, maria))
}

#[test]
fn what_processes_store_that_are_killed_is_what_the_oracle_says() {
    let stream = ok(Files::new().run(&["gen", "--posts", "900", "--accounts", "5", "--audience", "3"]));
    let expected = by_oracle(&stream);
    let Some((files, mut redis, _maria)) = servers(Files::new().with("site.ndjson", &stream)) else { return };
    let start = |part: u64| match part {
        0 => Server::start(&files, &["ingest", "--source", "site", "--instance", "one"]),
        part => Server::start(&files, &["work", "--instance", &format!("worker-{part}")]),
    };
    let mut parts: Vec<Server> = (0..3).map(start).collect();
    let mut lot = Lot(7);
    for kills in 0..40 {
        std::thread::sleep(Duration::from_millis(100 + lot.below(250)));
        if kills == 20 {
            redis.restart(None);
        }
        let part = lot.below(3);
        parts[part as usize] = start(part);
    }
    until("everything is in the buffer and out of it", &files, || {
        let status = status(&files);
        status["buffer"]["entries"] == 0 && status["posts"].as_u64() > Some(850) && parts[0].has_ended()
    });
    assert_same(&stored(&files), &expected);
    let status = status(&files);
    assert_eq!((&status["dead_letters"], &status["buffer"]["lost"]), (&0.into(), &0.into()), "{status}");
}

/// What is answered to a request: its status, and all of it.
fn asked(port: u16, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nConnection: close\r\n\r\n")
        .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer))
}

#[test]
fn the_api_listens_while_its_store_is_away_and_goes_on_by_itself() {
    let Some(mut maria) = maria::Maria::start_with(maria::Folder::new(), true, &[]) else {
        println!("skipped: no mariadbd");
        return;
    };
    // Nobody has made its tables yet.
    maria.say("CREATE DATABASE tf");
    maria.kill();
    let address = maria::Maria::address_at(maria.port(), "tf");
    let files = Files::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let settings = ["--database", &address, "--listen", &listen];
    let mut server = Server::start(&files, &[&["api"][..], &settings].concat());
    until("it listens", &files, || asked(port, "/health/live").is_some_and(|(status, _)| status == 200));
    for path in ["/api/v1/me", "/health/ready"] {
        let (status, answer) = asked(port, path).unwrap();
        assert_eq!(status, 503, "{answer}");
        assert!(
            answer.to_lowercase().contains("\r\nretry-after: ") && answer.contains("store_away"),
            "{answer}"
        );
    }
    assert_eq!(asked(port, "/").unwrap().0, 200, "the page is there");
    // Long before its tables are all there it takes connections, and is not ready.
    maria.restart();
    until("it is ready", &files, || asked(port, "/health/ready").is_some_and(|(status, _)| status == 200));
    // Now it knows that the token is none.
    until("it says so", &files, || asked(port, "/api/v1/me").is_some_and(|(status, _)| status == 401));
    server.tell_to_end();
}

/// Whose statement the lock is, as the server lists it.
const HOLDER: &str =
    "SELECT id FROM information_schema.processlist WHERE info LIKE '%SLEEP(50)%' AND id <> CONNECTION_ID()";

#[test]
fn who_finds_the_tables_locked_says_so_and_begins_when_they_are_free() {
    let Some(maria) = maria::Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { maria.database("tf").await.close().await });
    let files = Files::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (address, listen) = (maria.address("tf"), format!("127.0.0.1:{port}"));
    std::thread::scope(|scope| {
        let held = scope.spawn(|| maria.try_ask("tf", "LOCK TABLES migration WRITE; DO SLEEP(50)"));
        let holder = || maria.ask("", HOLDER);
        until("it is locked", &files, || !holder().is_empty());
        let mut server = Server::start(&files, &["api", "--database", &address, "--listen", &listen]);
        until("it says so", &files, || {
            files.read("log").contains("waits for another process that brings the store's tables up to date")
        });
        assert!(!held.is_finished(), "it was locked all the time");
        maria.say(&format!("KILL {}", holder()[0][0]));
        until("it is ready", &files, || {
            asked(port, "/health/ready").is_some_and(|(status, _)| status == 200)
        });
        server.tell_to_end();
    });
}

/// A `database` that was forgotten, or an installation for trials on the same Redis.
#[test]
fn a_buffer_on_redis_is_one_store_s() {
    let Some(redis) = redis::RedisServer::start(&redis::FIT) else { return };
    let settings = format!("buffer = \"{}\"\n", redis.url());
    let lines: String = (1..=9).map(|id| format!("{}\n", tweet(&id.to_string(), "bob", "snow"))).collect();
    let house = || Files::new().with("tweetfilter.toml", &settings).with("day.ndjson", &lines);
    let (own, other) = (with_accounts(house()), with_accounts(house()));
    // Who only puts entries in does not say whose it is; who works does.
    ok(other.run(&["replay", "--no-work", "--source", "others", "--audience", "account 5", "day.ndjson"]));
    ok(own.run(&["work", "--until-empty"]));
    ok(own.run(&["replay", "--no-work", "--audience", "account 5", "day.ndjson"]));
    assert_eq!(status(&own)["buffer"]["entries"], 9);
    let refused = |arguments: &[&str]| {
        let ended = other.run(arguments);
        assert!(
            ended.code == 2 && ended.err.contains("that of another store"),
            "{arguments:?}: {}",
            ended.err
        );
    };
    refused(&["work"]);
    refused(&["work", "--until-empty"]);
    refused(&["replay", "--audience", "account 5", "day.ndjson"]);
    let unwell = status(&other)["unwell"].to_string();
    assert!(unwell.contains("buffer_unfit") && unwell.contains("redis://HOST/1"), "{unwell}");
    // Nor does a part take its gaps that takes out no entries.
    let gap = r#"{"from":1,"to":2,"reason":"cut off"}"#;
    redis.say(&["RPUSH", "tf:losses", gap]);
    let mut reads = Server::start(&other, &["ingest", "--source", "generated"]);
    until("it notes how it is", &other, || !status(&other)["processes"].as_array().unwrap().is_empty());
    std::thread::sleep(Duration::from_secs(2));
    reads.tell_to_end();
    assert_eq!(redis.say(&["LLEN", "tf:losses"]).trim(), "1");
    // All of it is there still, and goes where it belongs.
    ok(own.run(&["work", "--until-empty"]));
    assert_eq!(status(&own)["posts"].as_u64().unwrap_or(0).min(9), 9);
    assert_eq!(status(&other)["posts"], 0);
    // One that is no more gives it up.
    redis.say(&["HDEL", "tf:layout", "store"]);
    ok(other.run(&["work", "--until-empty"]));
    let ended = own.run(&["work", "--until-empty"]);
    assert!(ended.code == 2 && ended.err.contains("HDEL tf:layout store"), "{}", ended.err);
}
