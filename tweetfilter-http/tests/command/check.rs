//! `check`: diagnostics and canonical forms.

use crate::support::Files;

#[test]
fn valid_filters_show_their_canonical_form() {
    let files = Files::new();
    let ended = files.run(&["check", "--expr", "NOT(a) OR(b)"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("-a OR b"), "{}", ended.out);
    assert!(ended.out.contains("1 filter: 0 invalid"), "{}", ended.out);
}

#[test]
fn any_error_ends_with_one() {
    let files = Files::new().with("f.txt", "cat\n\n(dog\n");
    let ended = files.run(&["check", "f.txt"]);
    assert_eq!(ended.code, 1);
    assert!(ended.out.contains("--> f.txt:3:"), "{}", ended.out);
    assert!(ended.out.contains("2 filters: 1 invalid"), "{}", ended.out);
}

#[test]
fn json_has_one_object_a_filter() {
    let files = Files::new().with("f.txt", "cat\n(dog\n");
    let ended = files.run(&["check", "--json", "f.txt"]);
    let lines: Vec<serde_json::Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), ended.code), (2, 1));
    assert_eq!(lines[0]["canonical"], "cat");
    assert_eq!((&lines[1]["valid"], &lines[1]["line"]), (&false.into(), &2.into()));
    assert_eq!(lines[1]["diagnostics"][0]["severity"], "error");
}

#[test]
fn what_is_to_be_checked_comes_from_standard_input_too() {
    let files = Files::new();
    assert_eq!(files.run_with(&["check"], b"cat dog\n").code, 0);
    assert_eq!(files.run(&["check", "gone.txt"]).code, 2);
}
