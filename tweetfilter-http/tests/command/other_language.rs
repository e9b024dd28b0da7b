//! A part in another language, which knows nothing but what FORMATS.md says, on both buffers and both stores.

use std::process::Command;

use serde_json::{Value, json};

use crate::chain::{ok, status};
use crate::separate::{maria, redis};
use crate::support::{Files, for_user, tweet};

/// What one call prints, line for line; `None` if there is no Python.
fn python(arguments: &[&str]) -> Option<Vec<Value>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/part.py");
    let Ok(done) = Command::new("python3").arg(script).args(arguments).output() else {
        println!("skipped: no python3");
        return None;
    };
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments:?}: {error}");
    let out = String::from_utf8(done.stdout).unwrap();
    let lines = out.lines().filter(|line| !line.is_empty());
    Some(lines.map(|line| serde_json::from_str(line).expect(line)).collect())
}

/// Entries come from Python and from here, and go to Python and to here.
fn takes_any_place(files: &Files, buffer: &str, store: &str) -> Option<()> {
    ok(files.run(&["account", "add", "ann", "--identity", "x:1888"]));
    let filter = ok(files.run(&["filter", "add", "ann", "snow", "--action", "hide"]));
    let filter: u64 = filter.trim().parse().unwrap();
    let entry = |id: &str, text: &str| {
        json!({"v": 1, "source": "python", "at": 1_700_000_000_000_u64, "to": {"viewers": ["1888"]},
            "post": {"network": "x", "id": id, "text": text}, "newer": {"key": "is passed over"}})
    };
    let sent = [entry("1", "Snow, „schön“ 東京"), entry("2", "rain"), entry("3", "more snow")];
    let texts: Vec<String> = sent.iter().map(Value::to_string).collect();
    python(&["append", buffer, &texts[0], &texts[1], &texts[2]])?;
    let mut waiting = python(&["entries", buffer])?;
    waiting.sort_by_key(|entry| entry["post"]["id"].as_str().unwrap().to_owned());
    assert_eq!(waiting, sent);
    assert_eq!(status(files)["buffer"]["entries"], 3);
    ok(files.run(&["work", "--until-empty"]));
    let mut seen = python(&["timeline", store, "ann"])?;
    seen.sort_by_key(|post| post["id"].as_str().unwrap().to_owned());
    let row = |id: &str, text: &str, matched: bool| {
        let filters = if matched { json!([filter]) } else { json!([]) };
        json!({"network": "x", "id": id, "hidden": i32::from(matched), "filters": filters, "text": text})
    };
    assert_eq!(
        seen,
        [row("1", "Snow, „schön“ 東京", true), row("2", "rain", false), row("3", "more snow", true)]
    );

    // The other way: what the command buffers, Python takes out, and nothing counts as lost.
    let line = for_user("1888", &tweet("4", "bob", "Snow für Python 東京"));
    ok(files.run_with(&["replay", "--no-work", "--audience", "envelope", "-"], line.as_bytes()));
    let taken = python(&["consume", buffer])?;
    let [entry] = &taken[..] else { panic!("{taken:?}") };
    assert_eq!((&entry["v"], &entry["to"]), (&1.into(), &json!({"viewers": ["1888"]})));
    assert_eq!((&entry["post"]["id"], &entry["post"]["text"]), (&"4".into(), &"Snow für Python 東京".into()));
    let status = status(files);
    assert_eq!(
        (&status["buffer"]["entries"], &status["buffer"]["bytes"], &status["buffer"]["lost"]),
        (&0.into(), &0.into(), &0.into()),
        "{status}"
    );
    ok(files.run(&["work", "--until-empty"]));
    assert_eq!(python(&["timeline", store, "ann"])?.len(), 3);
    Some(())
}

#[test]
fn a_part_in_python_takes_any_place_on_sqlite() {
    let files = Files::new();
    let database = files.path("tweetfilter.db").display().to_string();
    takes_any_place(&files, &database, &database);
}

#[test]
fn a_part_in_python_takes_any_place_on_redis_and_mariadb() {
    let Some(maria) = maria::Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    let Some(redis) = redis::RedisServer::start(&redis::FIT) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { maria.database("tf").await.close().await });
    let settings = format!("database = \"{}\"\nbuffer = \"{}\"\n", maria.address("tf"), redis.url());
    let files = Files::new().with("tweetfilter.toml", settings);
    ok(files.run(&["status"]));
    let (_, socket) =
        maria.address("tf").split_once("socket=").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    if takes_any_place(&files, &redis.url(), &format!("{socket}:tf")).is_some() {
        // Three entries that it appended and one that it took out, each at once with what counts it.
        let info = redis.say(&["INFO", "commandstats"]);
        assert!(info.contains("cmdstat_exec:calls=4,"), "{info}");
    }
}
