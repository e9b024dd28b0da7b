//! `demo`: the whole server on an invented stream.

use crate::support::Files;

#[test]
fn the_demonstration_shows_matches_and_accounts_for_everything() {
    let ended =
        Files::new().run(&["demo", "--seconds", "8", "--rate", "750", "--expr", "-is:retweet lang:en"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(lines.len() > 30, "{}", ended.out);
    assert!(!ended.out.contains('\x1b'));
    assert!(
        ended.err.contains("in a browser: http://127.0.0.1:") && ended.err.contains("/#token=tf_"),
        "{}",
        ended.err
    );
    let snow = |line: &&&str| line.starts_with("Tom    snow ");
    let rows: Vec<_> = lines.iter().filter(snow).filter(|line| line.ends_with('…')).collect();
    assert!(!rows.is_empty(), "{}", ended.out);
    assert!(rows.iter().all(|row| row.to_lowercase()[12..].contains("snow")), "{rows:?}");
    let last = lines.last().unwrap();
    assert!(last.contains("matches in") && last.contains("lines/s"), "{last}");
    let begin =
        lines.iter().rposition(|line| line.starts_with("all of it is accounted for")).unwrap_or_else(|| {
            panic!("it does not balance: {}", lines[lines.len().saturating_sub(20)..].join("\n"))
        });
    let summary = &lines[begin - 17..begin - 4];
    let found = summary.iter().filter(|line| !line.trim_start().starts_with("0 ")).count();
    assert!(found > 9, "a dozen filters in several languages, and most find something: {summary:?}");
    // What was shown is what the store has, but for what was deleted since.
    let own = |line: &&&str| line.starts_with("You    -is:retweet");
    let shown = lines.iter().filter(own).count();
    let kept = summary.iter().find(|line| line.contains("You ")).unwrap().split_whitespace().next().unwrap();
    let kept: usize = kept.parse().unwrap();
    assert!(kept > 20 && shown >= kept && shown < kept + kept / 3, "{shown} {kept}");
}

#[test]
fn a_demonstration_leaves_nothing_behind_and_refuses_what_is_no_filter() {
    let files = Files::new();
    std::fs::create_dir(files.path("tmp")).unwrap();
    let run = |arguments: &[&str]| {
        crate::support::command().args(arguments).env("TMPDIR", files.path("tmp")).output().unwrap()
    };
    let ended = run(&["demo", "--seconds", "1", "--expr", "snow", "--listen", "off"]);
    assert!(ended.status.success() && ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
    let ended = run(&["demo", "--seconds", "1", "--listen", "nowhere"]);
    assert_eq!(ended.status.code(), Some(2));
    let ended = run(&["demo", "--seconds", "1"]);
    assert!(ended.status.success());
    let ended = run(&["demo", "--seconds", "1", "--expr", "(snow", "--expr", "{teams} snow"]);
    assert_eq!(ended.status.code(), Some(1));
    // As every command says it: where, and how to mend it.
    let said = String::from_utf8_lossy(&ended.stderr);
    for part in [
        "error[missing_parenthesis]",
        "--> --expr e1:1:1",
        "help: close it at the end",
        "error[set_unknown]",
        "--> --expr e2:1:1",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(std::fs::read_dir(files.path("tmp")).unwrap().count(), 0);
}
