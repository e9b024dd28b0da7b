//! How the system is: all of it for those who run it, and nobody's name for others.

use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tweetfilter_core::Post;
use tweetfilter_http::ops::{Elsewhere, Metrics, Part, Probe, Process, Recorder, overview};
use tweetfilter_http::parts::{Buffers, PartError, Stop, now, retention, supervise};
use tweetfilter_sql::{CrashEvent, Database, DiskReserve, ProcessRow, Scope};
use tweetfilter_stream::buffer::{Batch, Buffer, Counts, Encoded, Gap};
use tweetfilter_stream::entry::{Audience, Content, Entry};
use tweetfilter_stream::process::Identity;
use tweetfilter_stream::redis_streams::{Options, RedisBuffer};
use tweetfilter_stream::source::SourceError;
use tweetfilter_stream::store::{DeadLetter, Outcome, Store};

use crate::house::{House, patient};
use crate::maria::Maria;
use crate::redis::{FIT, RedisServer};

const EVERY: Duration = Duration::from_millis(200);

/// Records until it is told to end.
struct Recording(tokio::sync::watch::Sender<bool>, tokio::task::JoinHandle<()>);

impl Recording {
    fn start(process: &std::sync::Arc<Process>, database: &Database) -> Self {
        Self::with(process, database, database.buffer().map(Buffers::Embedded))
    }

    fn with(process: &std::sync::Arc<Process>, database: &Database, buffer: Option<Buffers>) -> Self {
        let (tell, stop) = Stop::new();
        let recorder = Recorder::new(process.clone(), database.clone(), buffer, None).every(EVERY);
        Self(tell, tokio::spawn(recorder.run(stop)))
    }

    async fn end(self) {
        self.0.send(true).unwrap();
        self.1.await.unwrap();
    }
}

/// Waits until something is found, with patience: the machine may be busy.
pub async fn until<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = found().await {
            return found;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn of<'v>(list: &'v Value, name: &str) -> &'v Value {
    list.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap_or(&Value::Null)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_runs_it_sees_all_and_others_nobody() {
    let house = House::new().await;
    let (ann, plain) = house.account("ann", Scope::Write).await;
    let admin = house.token(ann, Scope::Admin).await;
    let process = Process::new("serve", Some("box-7"));
    let ingest = process.part("ingest of-ben");
    process.add(house.api.part().clone());
    let event = CrashEvent {
        part: "ingest of-ben".into(),
        at: now(),
        reason: "ben's".into(),
        backtrace: "0: a".into(),
    };
    house.database.record_crash(&event).await.unwrap();
    let recording = Recording::start(&process, &house.database);
    let seen = until("a sample", async || {
        // All the while, since what came before the first sample may be in no rate.
        ingest.counters.lines.inc_by(120);
        let got = house.get(&admin, "/status").await.ok().clone();
        // It is there from its start, and its rates with a sample.
        let there = of(&got["processes"], "serve box-7");
        let lines = || of(&there["parts"], "ingest of-ben")["rates"]["lines"].as_f64();
        (there.is_object() && lines().is_some_and(|lines| lines > 0.0)).then_some(got)
    })
    .await;
    let shown = of(&seen["processes"], "serve box-7");
    assert_eq!((&shown["state"], &shown["pid"]), (&json!("running"), &json!(std::process::id())));
    let part = of(&shown["parts"], "ingest of-ben");
    assert_eq!((&part["state"], &part["restarts"]), (&json!("running"), &json!(0)), "{shown}");
    assert_eq!(of(&shown["parts"], "api")["state"], "running");
    assert_eq!(seen["crash_events"][0]["backtrace"], "0: a");
    assert_eq!(seen["waiting"], 0);

    // The same for an account like others: how many parts run, and no name, host or reason.
    let got = house.get(&plain, "/status").await;
    let parts = got.ok()["parts"].clone();
    assert_eq!(
        parts,
        json!([
            {"kind": "ingest", "running": 1, "troubled": 0},
            {"kind": "api", "running": 1, "troubled": 0}
        ])
    );
    for hidden in ["ben", "box-7", "processes", "hosts", "crash"] {
        assert!(!got.json.to_string().contains(hidden), "{hidden}: {}", got.json);
    }
    recording.end().await;
    let got = house.get(&admin, "/status").await;
    assert_eq!(of(&got.ok()["processes"], "serve box-7")["state"], "ended");
    assert_eq!(got.ok()["parts"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_panics_is_started_again_and_leaves_its_backtrace() {
    let house = House::new().await;
    tweetfilter_http::parts::catch_panics();
    let part = Part::new("work");
    let mut runs = 0;
    let done = supervise(&part, &house.database, Stop::new().1, || {
        runs += 1;
        let first = runs == 1;
        Box::pin(async move {
            assert!(!first, "the part breaks");
            Ok(())
        })
    })
    .await;
    assert_eq!((done, part.restarts()), (Some(()), 1));
    let crashes = house.database.crashes(9).await.unwrap();
    assert_eq!((crashes.len(), &crashes[0].part[..]), (1, "work"));
    assert!(crashes[0].reason.contains("operations.rs:"), "{}", crashes[0].reason);
    assert!(crashes[0].backtrace.contains("a_part_that_panics"), "{}", crashes[0].backtrace);
}

#[tokio::test]
async fn a_part_that_is_refused_is_tried_again_and_no_crash() {
    let house = House::new().await;
    let part = Part::new("ingest people");
    let (tell, stop) = Stop::new();
    let mut runs = 0;
    let began = Instant::now();
    let done = supervise(&part, &house.database, stop, || {
        runs += 1;
        let first = runs == 1;
        Box::pin(async move {
            let refused =
                SourceError::Refused { address: "here".into(), status: Some(401), reason: "no".into() };
            if first { Err(PartError::Source(refused)) } else { Ok(()) }
        })
    })
    .await;
    drop(tell);
    assert_eq!((done, part.restarts()), (Some(()), 0));
    assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(house.database.crashes(9).await.unwrap().is_empty());
}

#[tokio::test]
async fn history_is_series_of_equal_length() {
    use tweetfilter_sql::{Sample, SampleKind};
    let house = House::new().await;
    let (ann, plain) = house.account("ann", Scope::Read).await;
    let admin = house.token(ann, Scope::Admin).await;
    let slot = (now() - 2_000) / 15_000 * 15_000;
    let sample = |kind, name: &str, at: i64, body: Value| Sample {
        at,
        kind,
        host: if kind == SampleKind::Buffer { String::new() } else { "box".into() },
        name: name.into(),
        body: body.to_string(),
    };
    let mut samples = Vec::new();
    for n in 0..5_i64 {
        let at = slot - (4 - n) * 15_000;
        let parts = json!({"ingest of-ben": {"lines": 30 * n}, "work": {"committed": 15 * n}});
        let body = json!({"began": slot - 1_000_000, "cpu": 5.0, "memory": 1000, "parts": parts});
        samples.push(sample(SampleKind::Process, "serve 7", at, body));
        samples.push(sample(SampleKind::Host, "", at, json!({"cpu": 40.0 + n as f64})));
        samples.push(sample(SampleKind::Buffer, "", at, json!({"entries": n})));
    }
    house.database.keep_samples(&samples, None).await.unwrap();
    let got = house.get(&admin, "/status/history?hours=0.5").await;
    let history = got.ok().clone();
    assert_eq!(history["step_seconds"], 15);
    let series = history["series"].as_array().unwrap();
    assert!(series.iter().all(|one| one["points"].as_array().unwrap().len() == 121), "{history}");
    let points = |name: &str, host: &str, of: &str| {
        let wanted = |one: &&Value| one["name"] == name && one["host"] == host && one["of"] == of;
        let points = series.iter().find(wanted).unwrap()["points"].as_array().unwrap();
        points.iter().rev().take(5).rev().cloned().collect::<Vec<_>>()
    };
    // The slot may have passed since.
    let ends = |points: Vec<Value>, end: Vec<Value>| {
        let known: Vec<_> = points.iter().filter(|point| !point.is_null()).cloned().collect();
        assert!(
            known.len() >= 3 && end.ends_with(&known) || end.starts_with(&known[1..]),
            "{points:?} {end:?}"
        );
    };
    ends(points("cpu", "box", ""), [40.0, 41.0, 42.0, 43.0, 44.0].map(Value::from).to_vec());
    ends(points("waiting", "", ""), [0.0, 1.0, 2.0, 3.0, 4.0].map(Value::from).to_vec());
    let lines = points("lines", "box", "serve 7, ingest of-ben");
    assert!(lines.iter().filter(|point| **point == json!(2.0)).count() >= 3, "{lines:?}");
    let all = points("posts", "", "");
    assert!(all.iter().filter(|point| **point == json!(1.0)).count() >= 3, "{all:?}");

    let got = house.get(&plain, "/status/history").await;
    let names: Vec<_> =
        got.ok()["series"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["lines", "oldest", "posts", "waiting"]);
    assert!(!got.json.to_string().contains("ben") && !got.json.to_string().contains("box"), "{}", got.json);
    for hours in ["0", "-1", "169", "NaN", "x"] {
        let got = house.get(&plain, &format!("/status/history?hours={hours}")).await;
        assert_eq!((got.status, got.error()), (StatusCode::BAD_REQUEST, "bad_request"), "{hours}");
    }
}

#[tokio::test]
async fn dead_letters_are_listed_and_tried_again_by_who_may() {
    let house = House::new().await;
    let (ann, plain) = house.account("ann", Scope::Write).await;
    let admin = house.token(ann, Scope::Admin).await;
    let letter = |n: u8| DeadLetter {
        entry: vec![b'x', n],
        source: "people".into(),
        reason: format!("reason {n}"),
        at: now(),
    };
    let outcome = Outcome { dead: (0..3).map(letter).collect(), ..Outcome::default() };
    house.database.commit(&outcome, &[]).await.unwrap();
    for (method, path) in [(Method::GET, "/dead-letters"), (Method::POST, "/dead-letters/retry")] {
        let got = house.ask(method, &plain, path, json!({"ids": [1]})).await;
        assert_eq!((got.status, got.error()), (StatusCode::FORBIDDEN, "scope"), "{path}");
    }
    let got = house.get(&admin, "/dead-letters").await;
    let ids: Vec<_> = got.ok().as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!((ids.len(), &got.ok()[1]["reason"]), (3, &json!("reason 1")));
    let got = house.ask(Method::POST, &admin, "/dead-letters/retry", json!({"ids": ids[..2]})).await;
    assert_eq!(got.ok()["put_back"], 2);
    assert_eq!(house.database.buffer().unwrap().stats().await.unwrap().entries, 2);
    let got = house.get(&admin, "/dead-letters?after=0").await;
    assert_eq!((got.ok().as_array().unwrap().len(), &got.ok()[0]["id"]), (1, &ids[2]));
    // Again at once: the claim is the process's own.
    house.ask(Method::POST, &admin, "/dead-letters/retry", json!({"ids": [ids[2]]})).await.ok();
    let got = house.ask(Method::POST, &admin, "/dead-letters/retry", json!({"ids": vec![1; 101]})).await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST);
    // Putting them back reads no source.
    let got = house.get(&admin, "/status").await;
    let sources = got.ok()["sources"].as_array().unwrap();
    let names: Vec<_> = sources.iter().map(|source| source["name"].as_str().unwrap()).collect();
    assert!(names.iter().all(|name| *name == "people"), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_buffer_on_a_server_of_its_own_knows_is_told_too() {
    let Some(mut server) = RedisServer::start(&FIT) else { return };
    let house = House::new().await;
    house.api.buffer_at(server.url(), Options::default());
    let (ann, plain) = house.account("ann", Scope::Write).await;
    let admin = house.token(ann, Scope::Admin).await;
    let buffer = RedisBuffer::open(&server.url(), Options::default()).await.unwrap();
    let claim = buffer.claim("people", "one", Duration::from_secs(60)).await.unwrap();
    let batch = Batch {
        source: "people".into(),
        fence: claim.fence,
        counts: Counts { lines: 7, posts: 7, entries: 6, merged: 1, ..Counts::default() },
        gaps: vec![Gap { from: 1_000, to: 2_000, reason: "cut off".into(), missing: Some(3) }],
        ..Batch::default()
    };
    buffer.append(&batch).await.unwrap();
    let got = house.get(&admin, "/status").await;
    let gap = json!({
        "source": "people", "from": "1970-01-01T00:00:01Z", "to": "1970-01-01T00:00:02Z", "reason": "cut off",
        "missing": 3,
    });
    assert_eq!((&got.ok()["gaps"], &got.ok()["buffer_away"]), (&json!([gap]), &Value::Null));
    let source = of(&got.ok()["sources"], "people");
    assert_eq!((&source["lines"], &source["read_by"]), (&json!(7), &json!("one")));
    assert_eq!((&source["entries"], &source["stale"]), (&json!(6), &json!(0)));
    assert_eq!(got.ok()["gaps_dropped"], 0);
    // Others hear of the time alone.
    let got = house.get(&plain, "/status").await;
    assert_eq!((&got.ok()["gaps"][0]["missing"], &got.ok()["gaps"][0]["source"]), (&json!(3), &Value::Null));
    // One that takes what is sent and answers nothing is not said to be the store.
    let hasty = House::over(house.database.clone(), tweetfilter_http::api::Options::default());
    hasty.api.buffer_at(server.url(), Options::default());
    let retry = async || hasty.ask(Method::POST, &admin, "/dead-letters/retry", json!({"ids": [1]})).await;
    until("it is asked", async || retry().await.status.is_success().then_some(())).await;
    server.signal("STOP");
    let got =
        until("it is said", async || Some(retry().await).filter(|got| got.error() == "buffer_away")).await;
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE, "{got:?}");
    assert!(got.headers.contains_key("retry-after"));
    server.signal("CONT");
    // Away, it is said to be, and the rest is told.
    assert!(server.kill());
    let got = house.get(&admin, "/status").await;
    assert!(got.ok()["buffer_away"].is_string() && got.ok()["gaps"] == json!([]), "{got:?}");
    assert!(got.ok()["commit"].is_i64());
    let got = house.get(&plain, "/status").await;
    assert_eq!(got.ok()["buffer_away"], "it does not answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_a_buffer_that_nobody_works_on_is_counted_and_named() {
    use tweetfilter_sql::{Sample, SampleKind};
    let Some(mut server) = RedisServer::start(&FIT) else { return };
    let house = House::new().await;
    house.api.buffer_at(server.url(), Options::default());
    let admin = house.account("ann", Scope::Admin).await.1;
    let buffer = RedisBuffer::open(&server.url(), Options::default()).await.unwrap();
    let fence = buffer.claim("people", "one", Duration::from_secs(60)).await.unwrap().fence;
    let append = async |id: &str| {
        let entry = Entry {
            source: "people".into(),
            at: now(),
            to: Audience::Public,
            place: None,
            content: Content::Post(Box::new(Post {
                id: id.into(),
                network: "x".into(),
                ..Post::from_text("Snow")
            })),
        };
        let entries = vec![Encoded { key: 1, bytes: entry.to_vec().unwrap() }];
        buffer.append(&Batch { source: "people".into(), fence, entries, ..Batch::default() }).await.unwrap();
    };
    // One has come long ago.
    server.say(&["XADD", "tf:{3}", &format!("{}-0", now() - 268_000), "entry", "{}"]);
    append("1").await;
    // What was noted long ago is not so now.
    let sample = |at: i64, entries: u64| Sample {
        at,
        kind: SampleKind::Buffer,
        host: String::new(),
        name: String::new(),
        body: json!({"entries": entries, "age": 268_000}).to_string(),
    };
    house.database.keep_samples(&[sample(now() - 61_000, 7), sample(now() - 46_000, 7)], None).await.unwrap();
    let waits = async |entries: u64| {
        let got = house.get(&admin, "/status").await.ok().clone();
        (got["waiting"] == entries).then_some(got)
    };
    let got = until("it is counted", async || waits(2).await).await;
    // What waits for long while nobody works on it is not well.
    let found = &got["unwell"][0];
    assert_eq!(found["code"], "nobody_works", "{got}");
    assert!(found["message"].as_str().unwrap().contains("the oldest for 4 min"), "{found}");
    append("2").await;
    until("it is counted anew", async || waits(3).await).await;
    // However many ask, it is counted once in a second.
    let counted = || {
        let said = server.say(&["INFO", "commandstats"]);
        let calls = said.split("cmdstat_memory|usage:calls=").nth(1).expect("it is counted");
        calls.split(',').next().unwrap().parse::<u64>().unwrap()
    };
    // Each time in both of the streams that hold something.
    let (begin, before) = (Instant::now(), counted());
    futures_util::future::join_all((0..40).map(|_| house.get(&admin, "/status"))).await;
    let times = (counted() - before) / 2;
    assert!(times <= 1 + begin.elapsed().as_secs(), "{times} in {:?}", begin.elapsed());
    // Where the API alone runs, its process notes it.
    let process = Process::new("api", None);
    process.add(house.api.part().clone());
    let (tell, stop) = Stop::new();
    let recorder = Recorder::new(process, house.database.clone(), None, None).every(EVERY);
    let recorder = recorder.looking_at(server.url(), Options::default());
    let recording = Recording(tell, tokio::spawn(recorder.run(stop)));
    let noted = async || {
        let known = overview(&house.database, now()).await.unwrap().buffer?;
        (known.entries == 3).then_some(())
    };
    until("it is noted", noted).await;
    recording.end().await;
    // One that is away is named instead.
    assert!(server.kill());
    let got = house.get(&admin, "/status").await.ok().clone();
    let codes: Vec<_> = got["unwell"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, ["buffer_away"], "{got}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_are_taken_from_redis_whatever_stands_among_them() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let house = House::new().await;
    let buffer = RedisBuffer::open(&server.url(), Options::default()).await.unwrap();
    // Told twice, and a line of somebody who took the list for another.
    let gap = r#"{"from":1,"to":2,"reason":"cut off","missing":3}"#;
    server.say(&["RPUSH", "tf:losses", gap, "hello", gap]);
    let process = Process::new("work", None);
    let recording = Recording::with(&process, &house.database, Some(Buffers::Redis(buffer)));
    until("all is taken", async || (server.say(&["LLEN", "tf:losses"]).trim() == "0").then_some(())).await;
    recording.end().await;
    let stored = house.database.gaps(9).await.unwrap();
    let told: Vec<_> = stored.iter().map(|stored| (&stored.source[..], stored.gap.from)).collect();
    assert_eq!(told, [("(buffer)", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_gaps_that_is_none_keeps_no_others_in_redis() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let house = House::new().await;
    let buffer = RedisBuffer::open(&server.url(), Options::default()).await.unwrap();
    server.say(&["SADD", "tf:sources", "a", "b"]);
    server.say(&["SET", "tf:gaps:a", "x"]);
    for (list, gap) in [
        ("tf:gaps:b", r#"{"from":1,"to":2,"reason":"cut off","missing":3}"#),
        ("tf:losses", r#"{"from":3,"to":4,"reason":"cut off","missing":3}"#),
    ] {
        server.say(&["RPUSH", list, gap]);
    }
    let recording =
        Recording::with(&Process::new("work", None), &house.database, Some(Buffers::Redis(buffer)));
    until("all is taken", async || (server.say(&["LLEN", "tf:losses"]).trim() == "0").then_some(())).await;
    recording.end().await;
    let stored = house.database.gaps(9).await.unwrap();
    let told: Vec<_> = stored.iter().map(|stored| (&stored.source[..], stored.gap.from)).collect();
    assert_eq!(told, [("(buffer)", 3), ("b", 1)]);
    assert_eq!(server.say(&["GET", "tf:gaps:a"]).trim(), "x");
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_that_go_from_redis_into_the_store_while_somebody_looks_are_told_once() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let house = House::new().await;
    let buffer = Buffers::Redis(RedisBuffer::open(&server.url(), Options::default()).await.unwrap());
    let gaps: Vec<_> = (1..=30).map(|n| format!(r#"{{"from":{n},"to":{n},"reason":"cut off"}}"#)).collect();
    let push = ["RPUSH", "tf:losses"].into_iter().chain(gaps.iter().map(String::as_str));
    server.say(&push.collect::<Vec<_>>());
    let elsewhere = Elsewhere::of(&buffer, &house.database).await.unwrap();
    let recording = Recording::with(&Process::new("work", None), &house.database, Some(buffer));
    until("all is taken", async || (server.say(&["LLEN", "tf:losses"]).trim() == "0").then_some(())).await;
    recording.end().await;
    // More of them than are shown.
    let (status, shown) = elsewhere.with_store(&house.database, 10).await.unwrap();
    let shown: Vec<_> = shown.iter().map(|stored| stored.gap.from).collect();
    assert_eq!((status.gaps, shown), (30, (21..=30).rev().collect()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_noted_while_the_store_was_away_is_written_later() {
    let Some(server) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    let database = server.database("samples").await;
    let process = Process::new("work", Some("one"));
    let part = process.part("work");
    let recording = Recording::start(&process, &database);
    let count = async || database.samples_since(0).await.map_or(0, |samples| samples.len());
    until("the first samples", async || (count().await > 2).then_some(())).await;
    server.signal("STOP");
    let stopped = now();
    // A part breaks while nobody can record it.
    let (tell, stop) = Stop::new();
    let (broken, store) = (part.clone(), database.clone());
    let supervised = tokio::spawn(async move {
        supervise(&broken, &store, stop, || {
            Box::pin(async { Err::<(), _>(PartError::Settings("broke".into())) })
        })
        .await
    });
    tokio::time::sleep(Duration::from_secs(7)).await;
    let back = now();
    server.signal("CONT");
    let samples = until("samples of the time in between", async || {
        let samples = database.samples_since(0).await.ok()?;
        samples.iter().any(|sample| sample.at > back + 1_000).then_some(samples)
    })
    .await;
    let between = samples.iter().filter(|sample| sample.at > stopped && sample.at < back).count();
    assert!(between >= 1, "{between} of {}", samples.len());
    until("the crash", async || {
        let crashes = database.crashes(9).await.ok()?;
        crashes.iter().any(|crash| crash.reason == "broke").then_some(())
    })
    .await;
    until("that it was started again", async || {
        let found = overview(&database, now()).await.ok()?;
        (found.processes.first()?.parts[0].told.restarts > 0).then_some(())
    })
    .await;
    tell.send(true).unwrap();
    supervised.await.unwrap();

    // The same where the store says at once that it can't, so that much is noted meanwhile: all of that is written, and
    // nothing twice, which the server itself watches.
    server.say(
        "USE samples; CREATE TABLE written (at BIGINT NOT NULL); CREATE TRIGGER watch BEFORE INSERT ON sample
         FOR EACH ROW INSERT INTO written VALUES (NEW.at); RENAME TABLE sample TO hidden",
    );
    let away = now();
    // By turns, so that there are as many of its own where both are held up.
    for _ in 0..40 {
        tokio::time::sleep(EVERY).await;
    }
    let back = now();
    server.say("USE samples; RENAME TABLE hidden TO sample");
    let samples = until("what is noted later", async || {
        let samples = database.samples_since(0).await.ok()?;
        samples.iter().any(|sample| sample.at > back + 1_000).then_some(samples)
    })
    .await;
    recording.end().await;
    let every = EVERY.as_millis() as i64;
    let between = |at: &i64| *at > away + every && *at < back;
    let noted: Vec<_> = samples.iter().map(|sample| sample.at).filter(between).collect();
    // On a machine with much else to do many of the forty moments are missed.
    assert!(noted.len() >= 8, "{noted:?}");
    let rows = server.ask("samples", "SELECT at FROM written ORDER BY at");
    let written: Vec<i64> = rows.iter().map(|row| row[0].parse().unwrap()).filter(between).collect();
    assert_eq!(written, noted, "each is written once");
    database.close().await;
}

/// A worker of this host, as it is written down.
fn worker(process: &Process, name: &str, identity: Value, ago: i64) -> ProcessRow {
    let (pid, started_at) = (identity["pid"].clone(), now() - 100_000);
    let body = json!({"pid": pid, "identity": identity, "command": "work", "started_at": started_at, "parts": [{"name": "work"}]});
    ProcessRow { host: process.host.clone(), name: name.into(), at: now() - ago, body: body.to_string() }
}

/// Who a process is, where this one is.
fn identity(pid: u32, began: &str) -> Value {
    let mut identity = serde_json::to_value(Identity::here()).unwrap();
    (identity["pid"], identity["began"]) = (pid.into(), began.into());
    identity
}

#[tokio::test]
async fn a_process_that_says_nothing_is_silent_and_another_takes_its_place() {
    let house = House::new().await;
    let process = Process::new("work", None);
    // Of a number that no process has, of one that another has by now, and of one that runs.
    let mut other = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", other.id())).unwrap();
    let began = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(19).unwrap();
    for row in [
        worker(&process, "work gone", identity(u32::MAX - 1, "1"), 60_000),
        worker(&process, "work taken", identity(std::os::unix::process::parent_id(), "1"), 60_000),
        worker(&process, "work there", identity(other.id(), began), 60_000),
    ] {
        house.database.keep_samples(&[], Some(&row)).await.unwrap();
    }
    let found = overview(&house.database, now()).await.unwrap();
    assert!(
        found.processes.iter().all(|process| process.silent && process.state_of(&process.parts[0]).is_none())
    );
    let (tell, stop) = Stop::new();
    process.add(Part::new("work"));
    let probe = Probe::new(&[], std::path::Path::new("."));
    let recorder = Recorder::new(process.clone(), house.database.clone(), None, probe).every(EVERY);
    let recording = tokio::spawn(recorder.run(stop));
    let names = until("it is there", async || {
        let found = overview(&house.database, now()).await.unwrap();
        let names: Vec<_> = found.processes.iter().map(|process| process.name.clone()).collect();
        (names.contains(&process.name) && !found.hosts.is_empty()).then_some(names)
    })
    .await;
    other.kill().unwrap();
    other.wait().unwrap();
    let is_there = |name: &str| names.iter().any(|one| one == name);
    assert!(!is_there("work gone") && !is_there("work taken") && is_there("work there"), "{names:?}");
    tell.send(true).unwrap();
    recording.await.unwrap();
}

#[tokio::test]
async fn who_runs_in_another_container_is_gone_once_it_is_not_heard_of() {
    let house = House::new().await;
    let database = &house.database;
    let process = Process::new("work", Some("one"));
    // All are number 1 of theirs, as this one may be of its own.
    let elsewhere = || json!({"pid": 1, "space": "elsewhere", "began": "7"});
    for name in ["work one", "work two", "work three"] {
        let row = worker(&process, name, elsewhere(), 0);
        database.keep_samples(&[], Some(&row)).await.unwrap();
    }
    let lives = async {
        for _ in 0..4_000 {
            let row = worker(&process, "work two", elsewhere(), 0);
            database.keep_samples(&[], Some(&row)).await.unwrap();
            tokio::time::sleep(EVERY / 10).await;
        }
    };
    let looks = async {
        let recording = Recording::start(&process, database);
        tokio::time::sleep(EVERY).await;
        assert!(database.crashes(9).await.unwrap().is_empty(), "nobody can know yet");
        until("two crashes", async || (database.crashes(9).await.unwrap().len() == 2).then_some(())).await;
        // A second one of the name of one that lives.
        let same = Process::new("work", Some("two"));
        let second = Recording::start(&same, database);
        tokio::time::sleep(EVERY * 8).await;
        assert_eq!(database.crashes(9).await.unwrap().len(), 2);
        let names: Vec<_> = database.processes().await.unwrap().into_iter().map(|row| row.name).collect();
        assert_eq!(names, ["work one", "work two"]);
        recording.end().await;
        second.end().await;
    };
    tokio::select! {
        () = looks => {}
        () = lives => panic!("not in time"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_short_of_room_is_not_well_and_what_is_forgotten_is_counted() {
    let house = House::new().await;
    let (ann, plain) = house.account("ann", Scope::Write).await;
    let admin = house.token(ann, Scope::Admin).await;
    let well = house.get(&admin, "/status").await;
    assert_eq!((&well.ok()["unwell"], &well.ok()["forgotten_for_room"]), (&json!([]), &json!(0)));
    assert_eq!(well.ok()["disk"]["state"], "ok");
    assert_eq!(well.json["summary"]["text"], "No gaps");
    house.post("1", "Snow", true, &[]).await;

    let room = house.database.room().await.unwrap().unwrap();
    let reserve = |times: f64| DiskReserve::Bytes(((room.free + room.reusable) as f64 * times) as u64);
    let short = house.database.clone().with_disk_reserve(reserve(1.5));
    let process = Process::new("work", None);
    process.part("work");
    let (tell, stop) = Stop::new();
    let counted = process.clone();
    let forgotten = move |posts| {
        counted.forgotten.inc_by(posts);
    };
    let forgetting = tokio::spawn(retention(short.clone(), None, stop, forgotten));
    until("it is forgotten", async || (process.forgotten.get() == 1).then_some(())).await;
    tell.send(true).unwrap();
    forgetting.await.unwrap();
    let scraped = Metrics::new(process).text().await.unwrap();
    assert!(scraped.contains("\ntweetfilter_forgotten_posts_total 1\n"), "{scraped}");

    let codes = |got: &Value| {
        let unwell = got["unwell"].as_array().unwrap();
        unwell.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let of = |database: Database| House::over(database, patient());
    let scarce = of(short.clone());
    let got = scarce.get(&admin, "/status").await;
    assert_eq!(codes(got.ok()), ["disk_short", "posts_forgotten"]);
    // Whoever reads one sentence alone reads that.
    let text = got.json["summary"]["text"].as_str().unwrap();
    let (first, last) = ("The disk is short of room: ", " (and 1 thing more is not well). No gaps");
    assert!(text.starts_with(first) && text.ends_with(last), "{text}");
    assert_eq!((&got.ok()["disk"]["state"], &got.ok()["forgotten_for_room"]), (&json!("short"), &json!(1)));
    assert!(got.ok()["forgotten_up_to"].is_string(), "{got:?}");
    let got = scarce.get(&plain, "/status").await;
    assert_eq!((codes(got.ok()).len(), got.ok().get("disk")), (2, None));
    let full = of(short.with_disk_reserve(reserve(4.0)));
    let got = full.get(&admin, "/status").await;
    assert_eq!(
        (codes(got.ok()).remove(0), &got.ok()["disk"]["state"]),
        ("disk_full".to_owned(), &json!("full"))
    );
}

#[tokio::test]
async fn runs_of_one_name_that_end_too_soon_to_find_out_about_one_another_are_all_found_out() {
    let house = House::new().await;
    let database = &house.database;
    let process = Process::new("work", Some("one"));
    // Each in a container of its own; the last one was killed before it knew of the one before it.
    let mut row = worker(&process, "work one", json!({"pid": 1, "space": "elsewhere", "began": "7"}), 0);
    let mut body: Value = serde_json::from_str(&row.body).unwrap();
    body["doubted"] = json!(["the run before that"]);
    row.body = body.to_string();
    database.keep_samples(&[], Some(&row)).await.unwrap();
    let doubted = async || {
        let row = database.processes().await.unwrap().into_iter().find(|row| row.name == "work one")?;
        let body: Value = serde_json::from_str(&row.body).unwrap();
        (body["identity"]["began"] != "7").then(|| body["doubted"].as_array().map_or(0, Vec::len))
    };
    let recording = Recording::start(&process, database);
    until("who takes this one's place would know of both", async || {
        doubted().await.filter(|count| *count == 2)
    })
    .await;
    let crashes = until("two crashes", async || {
        let crashes = database.crashes(9).await.unwrap();
        (crashes.len() == 2).then_some(crashes)
    })
    .await;
    assert!(crashes.iter().any(|crash| crash.reason == "the run before that"), "{crashes:?}");
    assert!(crashes.iter().all(|crash| crash.part == "work"), "{crashes:?}");
    until("it is settled", async || doubted().await.filter(|count| *count == 0)).await;
    recording.end().await;
    assert_eq!(database.crashes(9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn who_is_told_to_end_before_it_has_reached_the_store_does_not_wait_for_that() {
    let mut took = Vec::new();
    // A busy machine may hold up one of them.
    while took.len() < 3 {
        // Nobody listens there, and for five seconds it is tried again.
        let database = Database::connect("mysql://nobody@127.0.0.1:9/none").await.unwrap();
        let (tell, stop) = Stop::new();
        let recorder = Recorder::new(Process::new("work", None), database, None, None).every(EVERY);
        let recording = tokio::spawn(recorder.run(stop));
        tokio::time::sleep(Duration::from_millis(300)).await;
        let told = Instant::now();
        tell.send(true).unwrap();
        recording.await.unwrap();
        took.push(told.elapsed());
        if told.elapsed() < Duration::from_secs(3) {
            return;
        }
    }
    panic!("{took:?}");
}
