//! How whoever runs it sees how it is: `status`, and what Prometheus scrapes.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

use crate::chain::{Server, ok, status, until, with_accounts};
use crate::separate::maria::Maria;
use crate::support::{Files, for_user, tweet};

/// An address where nobody listens.
fn free() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The answer's head, and its body.
fn get(address: &str, path: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.to_owned(), body.to_owned()))
}

/// Every sample by its name and labels, having looked at whether each has its help and type.
fn scraped(address: &str) -> BTreeMap<String, f64> {
    let (head, body) = get(address, "/metrics").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("version=0.0.4"), "{head}");
    let (mut samples, mut kinds) = (BTreeMap::new(), BTreeMap::new());
    for line in body.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} twice");
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let bare = name.split('{').next().unwrap();
            let is_of = |suffix: &str| bare.strip_suffix(suffix).is_some_and(|base| kinds.contains_key(base));
            let known = kinds.contains_key(bare) || ["_bucket", "_sum", "_count"].into_iter().any(is_of);
            assert!(known, "{line} has no type");
            if kinds.get(bare).is_some_and(|kind| kind == "counter") {
                assert!(bare.ends_with("_total"), "{line}");
            }
            assert!(samples.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{line} twice");
        }
    }
    samples
}

#[test]
fn what_is_scraped_is_what_is_stored() {
    let mut lines: Vec<_> = (1..=40)
        .map(|n| for_user(&(n % 5 + 1).to_string(), &tweet(&n.to_string(), "bob", "snow falls on Oslo")))
        .collect();
    // A copy for another viewer, somebody who has no account, and what nobody can read.
    lines.push(for_user("2", &tweet("1", "bob", "snow falls on Oslo")));
    lines.push(for_user("99", &tweet("50", "bob", "snow falls on Oslo")));
    lines.push("{nothing".to_owned());
    let settings = "[source.site]\nkind = \"file\"\naudience = \"envelope\"\nfiles = [\"site.ndjson\"]\n";
    let files =
        with_accounts(Files::new().with("site.ndjson", lines.join("\n")).with("tweetfilter.toml", settings));
    let (metrics, api) = (free(), free());
    let name = std::env::current_exe().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    let mut server = Server::start(
        &files,
        &[
            "serve",
            "--metrics",
            &metrics,
            "--listen",
            &api,
            "--watch",
            &name,
            "--watch",
            " not-there ",
            "--instance",
            "box-1",
        ],
    );
    until("all is stored", &files, || {
        let status = status(&files);
        status["posts"] == 41 && status["buffer"]["entries"] == 0 && status["hosts"][0].is_object()
    });
    let token = ok(files.run(&["token", "add", "1"]));
    for path in ["/api/v1/me", "/api/v1/posts/1", "/api/v1/posts/2", "/api/v1/made-up/7", "/also/made/up"] {
        let mut stream = TcpStream::connect(&api).unwrap();
        let token = token.trim();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        stream.read_to_string(&mut String::new()).unwrap();
    }

    let (found, stored) = (scraped(&metrics), status(&files));
    let value = |name: &str| *found.get(name).unwrap_or_else(|| panic!("no {name} in {found:#?}"));
    let source = &stored["sources"][0];
    let counted = |field: &Value| field.as_u64().unwrap() as f64;
    assert_eq!(value("tweetfilter_lines_total{source=\"site\"}"), counted(&source["counts"]["lines"]));
    assert_eq!(value("tweetfilter_posts_total{source=\"site\"}"), counted(&source["counts"]["posts"]));
    assert_eq!(
        value("tweetfilter_appended_entries_total{source=\"site\"}"),
        counted(&source["counts"]["entries"])
    );
    assert_eq!(value("tweetfilter_unreadable_lines_total{source=\"site\"}"), 1.0);
    assert_eq!(value("tweetfilter_committed_posts_total{part=\"work\"}"), counted(&source["stored"]));
    let leased = value("tweetfilter_leased_entries_total{part=\"work\"}");
    assert_eq!(leased, counted(&source["counts"]["entries"]));
    let matches: usize = (1..=5)
        .map(|n| ok(files.run(&["timeline", &n.to_string(), "--hidden", "--limit", "1000", "--json"])))
        .flat_map(|out| {
            out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
        })
        .map(|post| post["filters"].as_array().unwrap().len())
        .sum();
    assert!(matches > 0);
    assert_eq!(value("tweetfilter_matches_total{part=\"work\"}"), matches as f64);
    assert_eq!(value("tweetfilter_dead_entries_total{part=\"work\"}"), 0.0);
    assert_eq!(value("tweetfilter_buffer_entries"), 0.0);
    assert!(value("tweetfilter_commit_seconds_count{part=\"work\"}") >= 1.0);
    assert!(value("tweetfilter_evaluation_seconds_sum{part=\"work\"}") > 0.0);
    for part in ["api", "work", "lookup", "ingest site"] {
        assert_eq!(value(&format!("tweetfilter_part_up{{part=\"{part}\"}}")), 1.0);
        assert_eq!(value(&format!("tweetfilter_part_restarts_total{{part=\"{part}\"}}")), 0.0);
    }
    assert!(value("process_resident_memory_bytes") > 1e6 && value("process_cpu_seconds_total") > 0.0);
    // Under the route's template, and what is made up under one name.
    let requests = |route: &str, status: u16| {
        value(&format!(
            "tweetfilter_api_requests_total{{method=\"GET\",route=\"{route}\",status=\"{status}\"}}"
        ))
    };
    assert_eq!((requests("/api/v1/me", 200), requests("/api/v1/posts/{number}", 404)), (1.0, 2.0));
    assert_eq!(requests("other", 404), 2.0);
    let count = "tweetfilter_api_request_duration_seconds_count";
    assert_eq!(value(&format!("{count}{{method=\"GET\",route=\"/api/v1/posts/{{number}}\"}}")), 2.0);
    let routes = found.keys().filter(|name| name.starts_with("tweetfilter_api_requests_total")).count();
    assert!(routes <= 6, "{found:#?}");
    assert!(get(&metrics, "/").unwrap().0.starts_with("HTTP/1.1 404"));

    // The same for people, and for programs.
    let shown = ok(files.run(&["status"]));
    for line in [
        "process   serve box-1 on ",
        "\n  work                 running",
        "\n  ingest site          ended for ",
        "\nhost      ",
    ] {
        assert!(shown.contains(line), "{line:?} in {shown}");
    }
    assert!(shown.contains(&name[..name.len().min(20)]) && shown.lines().count() < 25, "{shown}");
    let process = &stored["processes"][0];
    assert_eq!((&process["name"], &process["state"]), (&"serve box-1".into(), &"running".into()));
    assert!(stored["hosts"][0]["memory_bytes"].as_u64().unwrap() > 0, "{stored}");
    // What does not run is named too.
    let watched = stored["hosts"][0]["watched"].as_array().unwrap();
    assert!(watched.iter().any(|one| one["name"] == "not-there" && one["count"] == 0), "{stored}");
    let text = ok(files.run(&["status"]));
    assert!(text.contains("  not-there            does not run\n"), "{text}");
    assert!(text.contains("unwell    not-there does not run on "), "{text}");
    let unwell = stored["unwell"].as_array().unwrap();
    assert!(unwell.iter().any(|one| one["code"] == "watched"), "{stored}");
    server.tell_to_end();
    let shown = ok(files.run(&["status"]));
    assert!(shown.contains("version 0.1.0, ended "), "{shown}");
}

#[test]
fn a_buffer_that_is_away_is_what_a_part_waits_for() {
    let Some(mut redis) = crate::separate::redis::RedisServer::start(&crate::separate::redis::FIT) else {
        return;
    };
    let settings = format!("buffer = \"{}\"\n", redis.url());
    let files = with_accounts(Files::new().with("tweetfilter.toml", settings));
    let mut server = Server::start(&files, &["work", "--instance", "one"]);
    let state = || status(&files)["processes"][0]["parts"][0]["state"].clone();
    until("it runs", &files, || state() == "running");
    redis.kill();
    until("it waits", &files, || state() == "waiting_for_buffer");
    let shown = ok(files.run(&["status"]));
    assert!(shown.contains("\n  work                 waiting for the buffer for "), "{shown}");
    assert!(shown.contains("\nbuffer    away: "), "{shown}");
    redis.restart(None);
    until("it runs again", &files, || state() == "running");
    server.tell_to_end();
}

#[test]
fn gaps_that_can_not_be_taken_from_the_buffer_are_told_of() {
    let Some(redis) = crate::separate::redis::RedisServer::start(&crate::separate::redis::FIT) else {
        return;
    };
    let files = with_accounts(Files::new());
    // Somebody wrote something else in place of the list of a source's gaps.
    redis.say(&["SADD", "tf:sources", "live"]);
    redis.say(&["SET", "tf:gaps:live", "x"]);
    let mut server = Server::start(&files, &["work", "--buffer", &redis.url()]);
    until("it says so", &files, || files.read("log").contains("gaps stay in the buffer"));
    let log = files.read("log");
    assert!(log.contains("tf:gaps:live") && log.contains("for_seconds=0"), "{log}");
    server.tell_to_end();
}

#[test]
fn who_waits_for_a_server_before_it_begins_says_so_to_prometheus() {
    // Nobody listens there.
    let (store, redis) = ("mysql://tf@127.0.0.1:9/tf", "redis://127.0.0.1:9");
    let files = Files::new();
    let elsewhere = ["--database", store, "--buffer", redis];
    for (command, part, server) in [
        (&["work"][..], "work", "store"),
        (&["api", "--listen", "127.0.0.1:0"], "api", "store"),
        (&["ingest", "--source", "generated"], "ingest generated", "buffer"),
    ] {
        let metrics = free();
        let mut process = Server::start(&files, &[command, &elsewhere, &["--metrics", &metrics]].concat());
        let up = format!("tweetfilter_part_up{{part=\"{part}\"}}");
        let since = format!("tweetfilter_part_waits_since_seconds{{part=\"{part}\",server=\"{server}\"}}");
        until("it is scraped", &files, || get(&metrics, "/metrics").is_some());
        until("it waits", &files, || scraped(&metrics).contains_key(&since));
        let first = scraped(&metrics);
        assert_eq!(first[&up], 0.0, "{command:?}: {first:#?}");
        assert!(first[&since] >= first["process_start_time_seconds"], "{command:?}: {first:#?}");
        // It stays the first time.
        until("its log says so", &files, || files.read("log").contains("before it begins"));
        assert_eq!(scraped(&metrics)[&since], first[&since], "{command:?}");
        // Told to end, it waits no longer.
        process.tell_to_end();
        std::fs::write(files.path("log"), "").unwrap();
    }
}

#[test]
fn a_key_of_another_kind_in_the_buffer_is_named_and_the_rest_is_shown() {
    let Some(redis) = crate::separate::redis::RedisServer::start(&crate::separate::redis::FIT) else {
        return;
    };
    let settings = format!("buffer = \"{}\"\n", redis.url());
    let files = with_accounts(Files::new().with("tweetfilter.toml", settings));
    for (name, id) in [("a", "1"), ("b", "2")] {
        let file = files.path(&format!("{name}.ndjson"));
        std::fs::write(file, format!("{}\n", tweet(id, "bob", "snow"))).unwrap();
    }
    ok(files.run(&["replay", "--source", "a", "a.ndjson"]));
    ok(files.run(&["replay", "--source", "b", "--no-work", "b.ndjson"]));
    for (key, is_told) in
        [("tf:gaps:a", true), ("tf:source:a", true), ("tf:losses", false), ("tf:{1}", false)]
    {
        let is_there = redis.say(&["EXISTS", key]).contains('1');
        if is_there {
            redis.say(&["RENAME", key, "kept"]);
        }
        redis.say(&["SET", key, "x"]);
        let shown = ok(files.run(&["status"]));
        let json = status(&files);
        let way = format!("redis-cli DEL {key}");
        assert!(shown.contains("unwell    The buffer: the key ") && shown.contains(&way), "{key}: {shown}");
        assert!(shown.contains("\nstore     1 posts, 5 accounts"), "{key}: {shown}");
        let unfit = json["unwell"].as_array().unwrap().iter().filter(|one| one["code"] == "buffer_unfit");
        assert_eq!((unfit.count(), json["buffer_unfit"].as_array().unwrap().len()), (1, 1), "{key}: {json}");
        // Of the other source all is told, where the buffer tells anything.
        let lines = json["sources"].as_array().unwrap().iter().find(|source| source["name"] == "b");
        let lines = lines.map(|source| source["counts"]["lines"].clone());
        assert_eq!(
            (json["buffer"].is_object(), lines),
            (is_told, is_told.then(|| 1.into())),
            "{key}: {json}"
        );
        redis.say(&["DEL", key]);
        if is_there {
            redis.say(&["RENAME", "kept", key]);
        }
    }
    assert_eq!(status(&files)["buffer_unfit"], serde_json::json!([]));
}

#[test]
fn a_store_that_takes_no_writes_is_not_well() {
    let Some(maria) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { maria.database("tf").await.close().await });
    // Nobody listens there.
    let settings = format!("database = \"{}\"\nbuffer = \"redis://127.0.0.1:9\"\n", maria.address("tf"));
    let files = Files::new().with("tweetfilter.toml", settings);
    let codes = || {
        let unwell = status(&files)["unwell"].as_array().unwrap().clone();
        unwell.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes(), ["buffer_away"]);
    maria.ask(
        "tf",
        "CREATE TRIGGER no_room BEFORE UPDATE ON state FOR EACH ROW
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no room is left'",
    );
    assert_eq!(codes(), ["store_takes_no_writes", "buffer_away"]);
    let shown = ok(files.run(&["status"]));
    assert!(
        shown.starts_with("unwell    The store is away: ") && shown.contains("no room is left"),
        "{shown}"
    );
}

#[test]
fn systemd_never_gives_a_part_up() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/systemd");
    let units = std::fs::read_dir(folder).unwrap().map(|unit| unit.unwrap().path());
    let units: Vec<_> = units.filter(|path| path.extension().is_some_and(|kind| kind == "service")).collect();
    assert!(units.len() >= 4, "{units:?}");
    for path in units {
        let text = std::fs::read_to_string(&path).unwrap();
        let (unit, service) = text.split_once("[Service]").unwrap();
        assert!(service.contains("\nRestart=always\n"), "{path:?}");
        assert!(unit.contains("\nStartLimitIntervalSec=0\n"), "{path:?}");
    }
}

#[test]
fn a_port_that_is_taken_is_an_error_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let files = Files::new();
    let address = taken.local_addr().unwrap().to_string();
    let ended = files.run(&["work", "--metrics", &address]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("--metrics, or `off`"), "{}", ended.err);
}
