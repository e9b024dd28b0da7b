//! `match --split` and `--output posts`: the posts themselves.

use crate::support::{Files, tweet};

#[test]
fn a_file_that_is_read_is_never_written_over() {
    let post = tweet("5", "bob", "snow");
    let files = Files::new().with("posts.ndjson", &post);
    files.run(&["match", "--expr", "snow", "--split", "d", "posts.ndjson"]);
    let found = files.read("d/e1.ndjson");
    assert_eq!(found, format!("{post}\n"));
    std::fs::hard_link(files.path("d/e1.ndjson"), files.path("same")).unwrap();
    let filters = "{\"id\":\"e1\",\"filter\":\"snow\"}\n";
    let files = files.with("e1.ndjson", filters);
    for arguments in [
        &["match", "--expr", "rain", "--expr", "snow", "--split", "d", "d/e1.ndjson"][..],
        &["match", "--expr", "snow", "--split", "./d/../d", "same"],
        &["match", "--filters", "e1.ndjson", "--split", ".", "same"],
    ] {
        let ended = files.run(arguments);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ended.err.contains("e1.ndjson: --split would write over"), "{}", ended.err);
        assert_eq!((files.read("d/e1.ndjson"), files.read("e1.ndjson")), (found.clone(), filters.to_owned()));
    }
    assert!(!files.path("d/e2.ndjson").exists());
}

#[test]
fn nothing_is_emptied_when_a_file_cannot_be_made() {
    let files = Files::new().with("posts.ndjson", tweet("5", "bob", "snow")).with("plain", "");
    files.run(&["match", "--expr", "snow", "--split", "d", "posts.ndjson"]);
    let found = files.read("d/e1.ndjson");
    std::fs::create_dir(files.path("d/e2.ndjson")).unwrap();
    let ended = files.run(&["match", "--expr", "snow", "--expr", "rain", "--split", "d", "posts.ndjson"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("e2.ndjson"), "{}", ended.err);
    assert_eq!(files.read("d/e1.ndjson"), found);
    let ended = files.run(&["match", "--expr", "snow", "--split", "plain", "posts.ndjson"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("plain: is a file; --split writes into a directory"), "{}", ended.err);
}

#[test]
fn every_id_has_a_file_of_its_own() {
    let long = "x".repeat(300);
    let filters = [
        format!("{{\"id\":\"{long}\",\"filter\":\"snow\"}}"),
        "{\"id\":\"a\",\"filter\":\"snow\"}".to_owned(),
        "{\"id\":\"A\",\"filter\":\"snow\"}".to_owned(),
        "{\"id\":\"b\",\"filter\":\"snow\",\"owner\":\"a.ndjson\"}".to_owned(),
    ];
    let files =
        Files::new().with("posts.ndjson", tweet("5", "bob", "snow")).with("f.ndjson", filters.join("\n"));
    let arguments = ["match", "--ignore-owners", "--filters", "f.ndjson", "--split", "d", "posts.ndjson"];
    let ended = files.run(&arguments);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let mut names: Vec<String> = std::fs::read_dir(files.path("d"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().to_lowercase())
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 4, "{names:?}");
    assert_eq!(files.read("d/a.ndjson").lines().count(), 1);
    assert!(ended.err.contains("the posts of filter `A` go to d/A~"), "{}", ended.err);
    assert!(!files.run(&[&arguments[..], &["--quiet"]].concat()).err.contains("go to"));
}

#[test]
fn a_post_of_a_document_over_several_lines_is_one_line() {
    let pretty =
        "[\n  {\"id\": \"1\",\r\n    \"text\": \"snow  \\\" here\"\n  },\n  {\"text\":\"rain\"}\n]\n";
    let files = Files::new().with("posts.json", pretty);
    let line = "{\"id\": \"1\",\"text\": \"snow  \\\" here\"}\n";
    let out = files.run(&["match", "--output", "posts", "--expr", "snow", "posts.json"]).out;
    assert_eq!(out, line);
    files.run(&["match", "--expr", "snow", "--split", "d", "posts.json"]);
    assert_eq!(files.read("d/e1.ndjson"), line);
}

#[test]
fn what_is_too_long_is_told() {
    let long = format!("{{\"text\":\"{}\"}}\n{{\"text\":\"snow\"}}\n", "snow ".repeat(4_000_000));
    let ended = Files::new().run_with(&["match", "--expr", "snow", "-"], long.as_bytes());
    assert_eq!(ended.out, "{\"post\":\"2\",\"filters\":[\"e1\"]}\n");
    assert!(ended.err.contains("too long (`match --help` says the limits): 1 (line 1)"), "{}", ended.err);
}

#[test]
fn a_folder_that_can_not_be_made_is_told_as_that() {
    let files = Files::new().with("posts.ndjson", tweet("5", "bob", "snow"));
    let ended = files.run(&["match", "--expr", "snow", "--split", "/proc/none", "posts.ndjson"]);
    assert_eq!(ended.code, 2);
    let told = "/proc/none/e1.ndjson: can't be written: there is no such directory, and none can be made";
    assert!(ended.err.contains(told), "{}", ended.err);
    files.run(&["match", "--expr", "snow", "--split", "new/folder", "posts.ndjson"]);
    assert_eq!(files.read("new/folder/e1.ndjson").lines().count(), 1);
}

#[test]
fn odd_names_stay_in_their_fields() {
    let post = "{\"id\":\"a\\tb\\\"c\\nd,e\",\"text\":\"snow, \\\"q\\\"\\r\\nmore\"}\n";
    let filter = "{\"id\":\"f\\t\\n\\\"\",\"name\":\"n,\\\"m\",\"filter\":\"snow\"}\n";
    let files = Files::new()
        .with("p.ndjson", post)
        .with("q.ndjson", "{\"text\":\"snow\"}\n")
        .with("f.ndjson", filter);
    let of = |output: &str| {
        files.run(&["match", "--output", output, "--filters", "f.ndjson", "p.ndjson", "q.ndjson"]).out
    };
    let csv = "post,owner,filter,name,time,author,text\n\"a\tb\"\"c\nd,e\",,\"f\t\n\"\"\",\"n,\"\"m\",,,\"snow, \"\"q\"\"\r\nmore\"\n\
               q.ndjson:1,,\"f\t\n\"\"\",\"n,\"\"m\",,,snow\n";
    assert_eq!(of("csv"), csv);
    assert_eq!(of("count"), "f\\t\\n\"\t2\n");
    let ids: Vec<String> = of("matches")
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["post"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids, ["a\tb\"c\nd,e", "q.ndjson:1"]);
    assert_eq!(of("table").lines().count(), 3, "{}", of("table"));
}
