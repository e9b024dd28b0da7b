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
    // Every line is read again.
    let ended = files.run_with(&["match", "--output", "count", "--expr", "-zzzzzz"], first.out.as_bytes());
    assert!(!ended.err.contains("skipped"), "{}", ended.err);
    assert!(ended.out.starts_with("e1\t2"), "{}", ended.out);
}

#[test]
fn with_an_audience_every_line_is_an_envelope() {
    let files = Files::new();
    let arguments = ["gen", "--posts", "50", "--seed", "1", "--accounts", "9", "--audience", "3"];
    let out = files.run(&arguments).out;
    assert!(out.lines().count() >= 50 && out.lines().all(|line| line.starts_with("{\"for_user\":")), "{out}");
    let ended = files.run(&["gen", "--posts", "50", "--accounts", "2", "--audience", "3"]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    let ended = files.run(&["gen", "--posts", "50", "--accounts", "9"]);
    assert_eq!(ended.code, 2, "accounts see nothing without an audience");
}
