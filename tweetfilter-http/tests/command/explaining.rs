//! `explain`: matches, misses, stages.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::support::{Files, command, tweet};

#[test]
fn a_match_names_the_parts_and_where_they_stand() {
    let files = Files::new().with("posts.ndjson", tweet("11", "bob", "Snow in Oslo"));
    let ended = files.run(&["explain", "--expr", "snow (oslo OR bergen) -rain", "posts.ndjson"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(
        ended.out,
        "11  match\n    Snow in Oslo\n      snow  text 0..4 Snow\n      oslo  text 8..12 Oslo\n      -rain  holds\n\n"
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
    assert!(out.contains("indexed  by cat, dog\n"), "{out}");
}

#[test]
fn posts_that_are_piped_in_are_explained_beside_the_stages() {
    let post = tweet("11", "bob", "Snow in Oslo");
    for stage in ["--ast", "--plan"] {
        let ended = Files::new().run_with(&["explain", "--expr", "snow", stage], post.as_bytes());
        assert!(
            ended.out.ends_with("\n11  match\n    Snow in Oslo\n      snow  text 0..4 Snow\n\n"),
            "{}",
            ended.out
        );
        assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    }
    // Where nothing comes it is not waited for, and that is said.
    let mut child = command()
        .args(["explain", "--expr", "snow", "--ast"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let open = child.stdin.take();
    let ended = child.wait_with_output().unwrap();
    drop(open);
    let (out, err) = (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    assert!(ended.status.success() && out.starts_with("canonical  snow\n"), "{out}");
    assert!(err.contains("no posts came on standard input") && err.contains("`-`"), "{err}");
}

#[test]
fn a_plan_says_what_leads_to_the_filter_and_what_confirms_it() {
    let plan = |expression: &str| Files::new().run(&["explain", "--plan", "--expr", expression]).out;
    assert_eq!(
        plan("snow \"new york city\" lang:en followers:>100 -is:retweet"),
        "indexed  by snow\n\
         tried on posts that hold (about one in 500000)\n  text \"york city\"\n\
         if at once\n  lang en\n  not fact retweet\n  followers:>100\n\
         and matches when\n  all of\n    text snow\n    lang en\n    not fact retweet\n    \
         text \"new york city\"\n    followers:>100\n"
    );
    assert_eq!(plan("-cat"), "scanned  by cat\ntried on every post\nand matches when\n  not text cat\n");
    let of_quotes = plan("in:quote(oslo) OR 2 of (from:bob, =Snow, #ta*)");
    for line in [
        "  quoted text oslo\n",
        "    of the quoted post\n      text oslo\n",
        "    at least 2 of\n",
        "hashtag ta…",
    ] {
        assert!(of_quotes.contains(line), "{of_quotes}");
    }
    let long = plan(&(0..90).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" OR "));
    assert!(long.contains("  … 70 more\n") && long.lines().count() < 50, "{long}");
}

#[test]
fn a_plan_names_sets_and_says_how_they_are_found() {
    let people: String = (0..10_001).map(|n| format!("user{n}\n")).collect();
    let files = Files::new().with("towns.txt", "oslo\nbergen\n").with("people.txt", people);
    let sets = ["--set", "towns=towns.txt", "--set", "people=people.txt"];
    let plan = |expression: &str| {
        files.run(&[&["explain", "--plan", "--expr", expression][..], &sets[..]].concat()).out
    };
    let shown = plan("{towns} snow");
    assert!(shown.contains("  all of\n    text snow\n    set {towns}\n"), "{shown}");
    assert!(shown.contains("\nset {towns} is found by (about one post in "), "{shown}");
    assert!(["  text oslo\n", "  text bergen\n"].iter().all(|way| shown.contains(way)), "{shown}");
    let shown = plan("avalanche -from:{people}");
    assert!(shown.starts_with("scanned  by from:{people}\ntried on posts that hold"), "{shown}");
    let why = "set from:{people} is tried on every post: it has more terms than are looked up\n";
    assert!(shown.ends_with(why), "{shown}");
}

#[test]
fn a_plan_is_data_too() {
    let out = Files::new().run(&["explain", "--plan", "--json", "--expr", "cat -dog"]).out;
    let object: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(object["plan"]["class"], "indexed");
    assert_eq!(object["plan"]["access"], serde_json::json!(["text cat"]));
    assert_eq!(object["plan"]["program"][2], serde_json::json!({"depth": 1, "text": "not text dog"}));
}

#[test]
fn an_invalid_expression_ends_with_one() {
    let files = Files::new();
    let ended = files.run(&["explain", "--expr", "(cat", "--ast"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains("--expr:1:1"), "{}", ended.err);
}

#[test]
fn a_miss_claims_nothing_that_is_not_so() {
    let said = |expression: &str, post: &str| {
        let files = Files::new();
        let out = files.run_with(&["explain", "--expr", expression], post.as_bytes()).out;
        out.split_once("\n    ").and_then(|(_, out)| out.split_once("\n    ")).unwrap().1.to_owned()
    };
    let text = r#"{"text":"a"}"#;
    assert_eq!(
        said("-followers:<100", text),
        "it would match but for\n      -followers:<100  unknown: the post does not say\n\n"
    );
    // Without a, (a OR b) would not hold.
    assert_eq!(
        said("(a OR b) -a", text),
        "no single part would be enough; it lacks\n      -a  text 0..1 a\n\n"
    );
    assert_eq!(said("-a", text), "it would match but for\n      -a  text 0..1 a\n\n");
    assert_eq!(said("-(-b)", text), "it would match but for\n      b  does not hold\n\n");
    assert_eq!(said("in:quote(a)", text), "it would match but for\n      in:quote(a)  does not hold\n\n");
    let announced = r#"{"created_at":"Sat Jan 01 12:00:00 +0000 2022","id_str":"1","text":"a","user":{"id_str":"5"},"is_quote_status":true,"quoted_status_id_str":"9"}"#;
    assert_eq!(
        said("-in:quote(a)", announced),
        "it would match but for\n      -in:quote(a)  unknown: the post does not say\n\n"
    );
}

#[test]
fn of_thousands_of_parts_the_nearest_are_named_and_the_rest_counted() {
    let words = (0..3_000).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" OR ");
    let expression = format!("{words} OR (snow storm)");
    let files = Files::new();
    let asked = |more: &[&str]| {
        let mut arguments = vec!["explain", "--text", "--expr", expression.as_str()];
        arguments.extend(more);
        let ended = files.run_with(&arguments, b"snow");
        assert_eq!(ended.code, 0, "{}", ended.err);
        ended.out
    };
    let said = asked(&[]);
    let lines: Vec<&str> = said.trim_end().lines().skip(2).collect();
    assert_eq!(lines[..2], ["    it would match but for any one of", "      storm  does not hold"]);
    assert_eq!((lines.len(), lines[21]), (22, "      and 2,981 more"));
    let object: serde_json::Value = serde_json::from_str(&asked(&["--json"])).unwrap();
    let explanation = &object["explanation"];
    let named = explanation["parts"].as_array().unwrap().len();
    assert_eq!((named, &explanation["more_parts"]), (100, &serde_json::json!(2_901)));
    // Of a match what stands in the post is named where it stands in the expression, and what is absent as far as there is room.
    let expression = format!("{} snow", (0..3_000).map(|n| format!("-w{n}")).collect::<Vec<_>>().join(" "));
    let said = files.run_with(&["explain", "--text", "--expr", &expression], b"snow").out;
    let lines: Vec<&str> = said.trim_end().lines().skip(2).collect();
    let ends = ["      -w18  holds", "      snow  text 0..4 snow", "      and 2,981 more"];
    assert_eq!((lines[0], &lines[18..]), ("      -w0  holds", &ends[..]), "{said}");
    // One part may have thousands of values.
    let authors = (0..3_000).map(|n| format!("u{n}")).collect::<Vec<_>>().join(",");
    let expression = format!("from:{authors}");
    let said = files.run_with(&["explain", "--text", "--expr", &expression], b"snow").out;
    assert!(said.lines().all(|line| line.len() < 300) && said.contains("u9,u10"), "{said}");
}

#[test]
fn every_line_of_text_is_explained() {
    let input = b"[\n\n{\"statuses\":[]}\nsnow\xff\nsnow\n";
    let ended = Files::new().run_with(&["explain", "--text", "--expr", "snow"], input);
    let heads: Vec<&str> = ended.out.lines().filter(|line| line.ends_with("match")).collect();
    assert_eq!(heads, ["1  no match", "2  no match", "3  no match", "5  match"]);
    assert!(ended.err.contains("line 4 skipped, not UTF-8"), "{}", ended.err);
}

#[test]
fn each_post_of_a_pipe_is_explained_as_it_comes() {
    let mut child = command()
        .args(["explain", "--text", "--expr", "snow"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"snow\n").unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "1  match\n");
    drop(input);
    child.wait().unwrap();
}

#[test]
fn a_tree_is_data_too() {
    let out = Files::new().run(&["explain", "--ast", "--json", "--expr", "NOT(a) cat"]).out;
    let object: serde_json::Value = serde_json::from_str(&out).unwrap();
    let tree = &object["ast"];
    assert_eq!(tree["kind"], "and");
    assert_eq!(tree["children"][0]["kind"], "not");
    let expected = serde_json::json!({"kind": "atom", "span": [7, 10], "canonical": "cat"});
    assert_eq!(tree["children"][1], expected);
}
