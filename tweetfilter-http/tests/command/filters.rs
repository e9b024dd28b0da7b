//! Filters of accounts, by the command.

use serde_json::Value;

use crate::chain::{ok, status};
use crate::support::Files;

fn listed(files: &Files) -> Vec<Value> {
    let out = ok(files.run(&["filter", "list", "ann", "--json"]));
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_import_keeps_what_the_file_says_and_fills_in_the_rest() {
    let lines = concat!(
        "{\"id\":\"1\",\"filter\":\"snow\",\"enabled\":false,\"action\":\"notify\"}\n",
        "{\"id\":\"2\",\"filter\":\"rain\"}\n",
        "{\"id\":\"3\",\"filter\":\"ice\",\"enabled\":true}\n",
    );
    let files = Files::new().with("filters.ndjson", lines);
    ok(files.run(&["account", "add", "ann"]));
    ok(files.run(&["filter", "import", "ann", "filters.ndjson", "--action", "hide"]));
    let said = |filter: &Value| (filter["action"].clone(), filter["enabled"].clone());
    let said: Vec<_> = listed(&files).iter().map(said).collect();
    assert_eq!(
        said,
        [("notify".into(), false.into()), ("hide".into(), true.into()), ("hide".into(), true.into())]
    );
    // And all of it again, or nothing.
    let before = status(&files)["revision"].as_u64().unwrap();
    let files = files.with("bad.ndjson", format!("{lines}{{\"id\":\"4\",\"filter\":\"(a\"}}\n"));
    let ended = files.run(&["filter", "import", "ann", "bad.ndjson"]);
    assert!(ended.code == 1 && ended.err.contains("bad.ndjson:4"), "{}", ended.err);
    assert_eq!((listed(&files).len(), status(&files)["revision"].as_u64()), (3, Some(before)));
}

#[test]
fn a_filter_is_edited_and_switched_in_one_go() {
    let files = Files::new();
    ok(files.run(&["account", "add", "ann"]));
    let number = ok(files.run(&["filter", "add", "ann", "snow"]));
    let number = number.trim();
    let before = status(&files)["revision"].as_u64().unwrap();
    ok(files.run(&["filter", "edit", number, "--filter", "rain", "--enabled", "false"]));
    let filter = listed(&files).remove(0);
    assert_eq!((&filter["filter"], &filter["enabled"]), (&"rain".into(), &false.into()));
    assert_eq!(status(&files)["revision"].as_u64(), Some(before + 1), "workers hear of it once");
    // What would not do changes nothing at all.
    assert_eq!(files.run(&["filter", "edit", number, "--filter", "(ice", "--enabled", "true"]).code, 1);
    assert_eq!(listed(&files).remove(0), filter);
    // What names a list that is gone can be renamed, and not be switched on.
    ok(files.run(&["filter", "edit", number, "--name", "wet"]));
    assert_eq!(listed(&files).remove(0)["name"], "wet");
}

#[test]
fn an_end_that_never_comes_is_refused() {
    let files = Files::new();
    ok(files.run(&["account", "add", "ann"]));
    for hours in ["inf", "-inf", "nan", "0", "-3", "1e300", "soon"] {
        let ended = files.run(&["filter", "add", "ann", "snow", &format!("--expires-in={hours}")]);
        assert_eq!(ended.code, 2, "{hours}");
        assert!(ended.err.contains("must be a number of hours such as 24 or 0.5"), "{hours}: {}", ended.err);
    }
    assert!(listed(&files).is_empty());
    ok(files.run(&["filter", "add", "ann", "snow", "--expires-in", "0.5"]));
    assert!(listed(&files)[0]["expires_at"].is_string());
}
