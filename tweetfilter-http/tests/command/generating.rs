//! `gen`: an invented stream.

use crate::support::Files;

#[test]
fn the_same_seed_gives_the_same_stream() {
    let files = Files::new();
    let run = |seed| files.run(&["gen", "--posts", "200", "--seed", seed]);
    let first = run("7");
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(first.out.lines().count() >= 200);
    assert_eq!(first.out, run("7").out);
    assert_ne!(first.out, run("8").out);
}

#[test]
fn an_audience_of_nobody_is_refused() {
    for arguments in [&["--audience", "0"][..], &["--audience", "0", "--accounts", "5"]] {
        let ended = Files::new().run(&[&["gen", "--posts", "1"], arguments].concat());
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ended.err.contains("--audience 0"), "{}", ended.err);
    }
}

#[test]
fn the_stream_is_the_wire_s_and_every_reader_copes() {
    let files = Files::new();
    let posts = |more: &[&str]| files.run(&[&["gen", "--posts", "2000", "--seed", "7"], more].concat()).out;
    let wire = posts(&[]);
    assert!(wire.split_inclusive('\n').all(|line| line.ends_with("\r\n")));
    let blank = wire.lines().filter(|line| line.is_empty()).count();
    assert!((2..=5).contains(&blank), "{blank} keep-alives");
    let plain: String =
        wire.lines().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect();
    assert_eq!(posts(&["--lf"]), plain);
    // `match` reads every line again, and gives posts back as they came.
    let ended = files.run_with(&["match", "--output", "count", "--expr", "-zzzzzz"], wire.as_bytes());
    assert!(!ended.err.contains("skipped"), "{}", ended.err);
    assert!(ended.out.starts_with("e1\t2"), "{}", ended.out);
    let ended = files.run_with(&["match", "--output", "posts", "--expr", "-zzzzzz"], wire.as_bytes());
    let whole = |line: &&str| line.starts_with("{\"created_at\"");
    let expected: String = wire.split_inclusive('\n').filter(whole).collect();
    assert_eq!(ended.out, expected);
    // `replay` reads over what is blank, as it does in any file.
    let files = files.with("wire.ndjson", &wire);
    let ended = files.run(&["replay", "--audience", "public", "wire.ndjson"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let status: serde_json::Value = serde_json::from_str(&files.run(&["status", "--json"]).out).unwrap();
    let counts = &status["sources"][0]["counts"];
    assert_eq!(counts["lines"], plain.lines().count(), "{status}");
    assert_eq!(counts["undecodable"], serde_json::json!({}), "{status}");
}

#[test]
fn with_an_audience_every_line_is_an_envelope() {
    let files = Files::new();
    let arguments = ["gen", "--posts", "50", "--seed", "1", "--accounts", "9", "--audience", "3"];
    let out = files.run(&arguments).out;
    let envelope = |line: &str| line.is_empty() || line.starts_with("{\"for_user\":");
    assert!(out.lines().count() >= 50 && out.lines().all(envelope), "{out}");
    let ended = files.run(&["gen", "--posts", "50", "--accounts", "2", "--audience", "3"]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    let ended = files.run(&["gen", "--posts", "50", "--accounts", "9"]);
    assert_eq!(ended.code, 2, "accounts see nothing without an audience");
}

#[test]
fn a_stream_that_nobody_sees_is_refused() {
    let files = Files::new();
    for audience in ["0", "3"] {
        let ended = files.run(&["gen", "--posts", "5", "--accounts", "0", "--audience", audience]);
        assert_eq!(ended.code, 2);
        assert!(ended.err.contains("--accounts 0: somebody must see the stream"), "{}", ended.err);
    }
}
