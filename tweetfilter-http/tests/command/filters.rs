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
fn a_filter_that_can_not_be_read_keeps_no_other_out() {
    let mastodon = concat!(
        "[{\"title\":\"posts only\",\"keywords\":[],\"statuses\":[{\"id\":\"1\",\"status_id\":\"2\"}]},\n",
        "{\"title\":\"Winter\",\"keywords\":[{\"keyword\":\"snow\",\"whole_word\":true}]}]",
    );
    let lines = "{\"id\":\"1\",\"filter\":\"rain\"}\n{\"id\":\"2\",\"filter\":\"ice\",\"action\":\"melt\"}\n";
    let files = Files::new().with("mastodon.json", mastodon).with("filters.ndjson", lines);
    ok(files.run(&["account", "add", "ann"]));
    for (file, place, said, text) in [
        ("mastodon.json", "mastodon.json:1, filter 1 (posts only)", "this filter has no keywords", "snow"),
        ("filters.ndjson", "filters.ndjson:2, filter 2", "`action` must be", "rain"),
    ] {
        let ended = files.run(&["filter", "import", "ann", file]);
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
        assert!(ended.err.contains(place) && ended.err.contains(said), "{}", ended.err);
        assert!(ended.err.contains("1 of 2 filters invalid, nothing was imported"), "{}", ended.err);
        let out = ok(files.run(&["filter", "import", "ann", file, "--keep-going"]));
        assert!(out.lines().count() == 1 && out.contains(text), "{out}");
    }
    let texts: Vec<_> = listed(&files).iter().map(|filter| filter["filter"].clone()).collect();
    assert_eq!(texts, ["snow", "rain"]);
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

#[test]
fn an_import_changes_what_differs_and_says_what_became_of_each() {
    let rules = concat!(
        "{\"add\":[{\"value\":\"snow\",\"tag\":\"weather\"},",
        "{\"value\":\"cat\",\"tag\":\"pets\"},{\"value\":\"ice\"}]}"
    );
    let files = Files::new().with("rules.json", rules);
    ok(files.run(&["account", "add", "ann"]));
    let add = |text: &str, name: &str, action: &str| {
        let number = ok(files.run(&["filter", "add", "ann", text, "--name", name, "--action", action]));
        number.trim().to_owned()
    };
    let (weather, pets) = (add("snow -rain", "weather", "hide"), add("cat", "pets", "show"));
    let before = listed(&files);
    let revision = |files: &Files| status(files)["revision"].as_u64().unwrap();
    let first = revision(&files);
    let import =
        |arguments: &[&str]| files.run(&[&["filter", "import", "ann", "rules.json"][..], arguments].concat());
    // Said first, with nothing changed.
    let ended = import(&["--dry-run"]);
    assert_eq!(
        ended.out,
        format!(
            "differs\t{weather}\tweather\tsnow\ttext: snow -rain -> snow; dialect: native -> x\nsame\t{pets}\tpets\tcat\nnew\t-\t\tice\n"
        )
    );
    let said = "1 would be added, 1 would be changed, 1 there already, 0 invalid";
    assert!(ended.code == 0 && ended.err.contains(said), "{}", ended.err);
    assert_eq!((listed(&files), revision(&files)), (before, first));
    // Then done: what the file does not say stays.
    let ended = import(&[]);
    assert!(ended.err.contains("1 added, 1 changed, 1 there already, 0 invalid"), "{}", ended.err);
    let out = ok(ended);
    let states: Vec<_> = out.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(states, ["changed", "same", "added"]);
    let filters = listed(&files);
    let said = |filter: &Value| {
        let word = |field: &str| filter[field].as_str().unwrap_or_default().to_owned();
        (word("filter"), word("action"), word("dialect"), word("name"))
    };
    let all: Vec<_> = filters.iter().map(said).collect();
    let expected =
        [("snow", "hide", "x", "weather"), ("cat", "show", "native", "pets"), ("ice", "highlight", "x", "")];
    assert_eq!(all, expected.map(|(a, b, c, d)| (a.to_owned(), b.to_owned(), c.to_owned(), d.to_owned())));
    assert_eq!(filters[0]["id"], Value::from(weather.clone()), "it has its number still");
    let number = filters[2]["id"].as_str().unwrap();
    assert!(out.contains(&format!("added\t{number}\t\tice\n")), "{out}");
    // Again, it changes nothing and tells no worker.
    let then = revision(&files);
    let out = ok(import(&[]));
    assert!(out.lines().count() == 3 && out.lines().all(|line| line.starts_with("same\t")), "{out}");
    assert_eq!((listed(&files), revision(&files)), (filters, then));
}

#[test]
fn an_import_that_would_fail_is_said_to_and_names_the_filter() {
    let rules = "{\"add\":[{\"value\":\"snow\"},{\"value\":\"(ice\",\"tag\":\"cold\"}]}";
    let files = Files::new().with("rules.json", rules);
    ok(files.run(&["account", "add", "ann"]));
    let ended = files.run(&["filter", "import", "ann", "rules.json", "--dry-run"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, "new\t-\t\tsnow\n"), "{}", ended.err);
    assert!(ended.err.contains("1 of 2 filters invalid, nothing would be imported"), "{}", ended.err);
    assert!(ended.err.contains("rules.json:1, filter 2 (cold)"), "{}", ended.err);
    assert_eq!(files.run(&["filter", "import", "ann", "rules.json"]).code, 1);
    assert!(listed(&files).is_empty());
    let out = ok(files.run(&["filter", "import", "ann", "rules.json", "--keep-going"]));
    assert!(out.starts_with("added\t") && listed(&files).len() == 1, "{out}");
}

#[test]
fn what_has_ended_comes_in_once_and_switched_off() {
    let lines = concat!(
        "{\"id\":\"1\",\"filter\":\"snow\",\"expires_at\":\"2020-01-01T00:00:00Z\"}\n",
        "{\"id\":\"2\",\"filter\":\"ice\",\"name\":\"cold\",\"enabled\":true,\"expires_at\":\"2020-01-01T00:00:00Z\"}\n",
    );
    let files = Files::new().with("old.ndjson", lines);
    ok(files.run(&["account", "add", "ann"]));
    let off = "\toff: ended at 2020-01-01T00:00:00Z";
    let out = ok(files.run(&["filter", "import", "ann", "old.ndjson", "--dry-run"]));
    assert_eq!(out, format!("new\t-\t\tsnow{off}\nnew\t-\tcold\tice{off}\n"));
    ok(files.run(&["filter", "import", "ann", "old.ndjson"]));
    let filters = listed(&files);
    let used: Vec<_> = filters.iter().map(|filter| filter["enabled"].clone()).collect();
    assert_eq!(used, [false, false]);
    // Again, and as it was written out.
    let files = files.with("own.ndjson", written(&filters));
    for file in ["old.ndjson", "own.ndjson"] {
        let out = ok(files.run(&["filter", "import", "ann", file]));
        assert!(out.lines().count() == 2 && out.lines().all(|line| line.starts_with("same\t")), "{out}");
    }
    assert_eq!(listed(&files), filters);
}

fn written(filters: &[Value]) -> String {
    filters.iter().map(|filter| format!("{filter}\n")).collect()
}

#[test]
fn a_name_has_at_most_as_many_characters_as_any_store_holds() {
    let long = "n".repeat(501);
    let long = long.as_str();
    let line =
        |id: &str, name: &str| format!("{{\"id\":\"{id}\",\"filter\":\"snow\",\"name\":\"{name}\"}}\n");
    let files = Files::new().with("long.ndjson", line("1", &long[1..]) + &line("2", long));
    ok(files.run(&["account", "add", "ann"]));
    let number = ok(files.run(&["filter", "add", "ann", "snow", "--name", &long[1..]]));
    let most = "the name of a filter has at most 500 characters, and this one 501";
    for arguments in [
        ["filter", "add", "ann", "ice", "--name", long].as_slice(),
        &["filter", "edit", number.trim(), "--name", long],
    ] {
        let ended = files.run(arguments);
        assert!(ended.code == 2 && ended.err.contains(most), "{}", ended.err);
    }
    let ended = files.run(&["filter", "import", "ann", "long.ndjson"]);
    assert!(ended.code == 1 && ended.err.contains(&format!("long.ndjson:2: {most}")), "{}", ended.err);
    assert_eq!(listed(&files).len(), 1);
    let ended = files.run(&["token", "add", "ann", "--name", &long[..101]]);
    assert!(ended.code == 2 && ended.err.contains("a token has at most 100 characters"), "{}", ended.err);
}

#[test]
fn an_import_of_the_filters_of_others_says_so_and_can_leave_them_out() {
    let lines = concat!(
        "{\"id\":\"1\",\"filter\":\"snow\",\"owner\":\"ann\"}\n",
        "{\"id\":\"2\",\"filter\":\"rain\",\"owner\":\"bob\"}\n",
        "{\"id\":\"3\",\"filter\":\"ice\"}\n",
    );
    let files = Files::new().with("all.ndjson", lines);
    ok(files.run(&["account", "add", "ann"]));
    let import = ["filter", "import", "ann", "all.ndjson", "--dry-run"];
    let ended = files.run(&import);
    let said = "1 of 3 filters are of another owner, such as bob, and come in as ann's; --owner NAME takes";
    assert!(ended.code == 0 && ended.err.contains(said), "{}", ended.err);
    assert_eq!(ended.out, "new\t-\t\tsnow\nnew\t-\t\train\nnew\t-\t\tice\n");
    let ended = files.run(&[&import[..], &["--owner", "bob"]].concat());
    assert!(ended.err.contains("2 of 3 filters are not of owner bob, and left out"), "{}", ended.err);
    assert_eq!(ended.out, "new\t-\t\train\n");
    // One's own are taken without a word.
    let own = "{\"id\":\"1\",\"filter\":\"snow\",\"owner\":\"ann\"}\n";
    let files = files.with("own.ndjson", own);
    let ended = files.run(&["filter", "import", "ann", "own.ndjson"]);
    assert!(!ended.err.contains("owner"), "{}", ended.err);
}

#[test]
fn what_differs_at_mastodon_stands_in_the_line_of_each_filter() {
    let mastodon = r#"[{"title":"Winter","context":["account"],"filter_action":"hide","keywords":[{"keyword":"snow","whole_word":true}]},
        {"title":"Wet","filter_action":"blur","keywords":[{"keyword":"rain","whole_word":true}]}]"#;
    let files = Files::new().with("mastodon.json", mastodon);
    ok(files.run(&["account", "add", "ann"]));
    let would = ok(files.run(&["filter", "import", "ann", "mastodon.json", "--dry-run"]));
    let lines: Vec<_> = would.lines().collect();
    assert!(lines[0].starts_with("new\t-\tWinter\tsnow\tAt Mastodon it holds in profiles alone"), "{would}");
    assert!(lines[1].starts_with("new\t-\tWet\train\tAt Mastodon the post stays"), "{would}");
    assert_eq!(ok(files.run(&["filter", "import", "ann", "mastodon.json"])).lines().count(), 2);
    let said: Vec<_> =
        listed(&files).iter().map(|one| (one["action"].clone(), one["enabled"].clone())).collect();
    assert_eq!(said, [("hide".into(), false.into()), ("highlight".into(), true.into())]);
}
