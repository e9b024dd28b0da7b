//! `explain`: matches, misses, stages.

use crate::support::{Files, tweet};

#[test]
fn a_match_names_the_parts_and_where_they_stand() {
    let files = Files::new().with("posts.ndjson", tweet("11", "bob", "Snow in Oslo"));
    let ended = files.run(&["explain", "--expr", "snow (oslo OR bergen) -rain", "posts.ndjson"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(
        ended.out,
        "11  match\n    Snow in Oslo\n      snow  text 0..4 Snow\n      oslo  text 8..12 Oslo\n      -rain  does not hold\n\n"
    );
}

#[test]
fn a_miss_names_what_it_lacks() {
    let files = Files::new();
    let out =
        files.run_with(&["explain", "--text", "--expr", "snow oslo"], "Snow in Bergen\n".as_bytes()).out;
    assert_eq!(
        out,
        "1  no match\n    Snow in Bergen\n    it would match but for\n      oslo  does not hold\n\n"
    );
}

#[test]
fn json_gives_spans_in_the_original_text() {
    let files = Files::new().with("posts.ndjson", tweet("11", "bob", "❄️ Snöw & CAFÉ"));
    let out = files.run(&["explain", "--json", "--expr", "cafe", "posts.ndjson"]).out;
    let object: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(object["post"], "11");
    let place = &object["explanation"]["parts"][0]["places"][0];
    assert_eq!((&object["explanation"]["matched"], &place["text"]), (&true.into(), &"CAFÉ".into()));
    let start = place["span"][0].as_u64().unwrap() as usize;
    assert!("❄️ Snöw & CAFÉ"[start..].starts_with("CAFÉ"));
}

#[test]
fn stages_need_no_input() {
    let files = Files::new();
    let out = files.run(&["explain", "--expr", "NOT(a) (cat OR dog)", "--ast", "--plan"]).out;
    assert!(out.starts_with("canonical  -a (cat OR dog)\nand\n  not\n    a  4..5"), "{out}");
    assert!(out.contains("\n  or\n    cat  "), "{out}");
    assert!(out.ends_with("indexed  by cat, dog\n"), "{out}");
}

#[test]
fn an_invalid_expression_ends_with_one() {
    let files = Files::new();
    let ended = files.run(&["explain", "--expr", "(cat", "--ast"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains("--expr:1:1"), "{}", ended.err);
}
