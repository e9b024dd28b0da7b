//! `demo`: the invented stream through the sample filters.

use crate::support::Files;

#[test]
fn the_demonstration_shows_matches_and_ends_with_a_summary() {
    let ended = Files::new().run(&["demo", "--seconds", "1", "--rate", "3000"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(lines.len() > 30, "{}", ended.out);
    assert!(!ended.out.contains('\x1b'));
    let snow = |line: &&&str| line.starts_with("Tom    snow ");
    let rows: Vec<_> = lines.iter().filter(snow).filter(|line| line.ends_with('…')).collect();
    assert!(rows.iter().all(|row| row.to_lowercase()[12..].contains("snow")), "{rows:?}");
    let last = lines.last().unwrap();
    assert!(last.contains("matches of") && last.contains("lines/s"), "{last}");
    let summary = &lines[lines.len() - 13..];
    let found = summary.iter().filter(|line| !line.trim_start().starts_with("0 ")).count();
    assert!(found > 9, "a dozen filters in several languages, and most find something: {summary:?}");
}
