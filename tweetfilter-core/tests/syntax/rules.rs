//! Rules out of the tests of other people's validators, accepted or refused as those say, except where a row of
//! `testdata/syntax/rules_differences.tsv` says why not.

use std::collections::BTreeMap;

use tweetfilter_core::syntax::Severity;
use tweetfilter_core::{Dialect, Expression, Limits};

#[test]
fn rules_of_validators_are_accepted_or_refused_as_they_say() {
    let Some(folder) = std::env::var_os("TWEETFILTER_DATA") else {
        println!("skipped: no data");
        return;
    };
    let path = std::path::Path::new(&folder).join("rules_boolean_dev.ndjson");
    let rules = std::fs::read_to_string(path).expect("the rules are in the data");
    // Line, what we say (`accepted` or the code of the first error), and why.
    let rows = include_str!("../../testdata/syntax/rules_differences.tsv");
    let mut listed: BTreeMap<usize, &str> = rows
        .lines()
        .map(|row| {
            let mut cells = row.split('\t');
            let line = cells.next().and_then(|n| n.parse().ok()).expect("a line number");
            let verdict = cells.next().expect("a verdict");
            assert!(cells.next().is_some_and(|reason| !reason.is_empty()), "{row}");
            (line, verdict)
        })
        .collect();
    let mut failed = Vec::new();
    for (number, line) in (1..).zip(rules.lines()) {
        let rule: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let text = rule["text"].as_str().expect("a text");
        let expected = rule["expect"].as_str().unwrap_or("success") == "success";
        let verdict = match Expression::parse_with(text, Dialect::X, &Limits::default()) {
            Ok(_) => "accepted",
            Err(e) => e.diagnostics().iter().find(|d| d.severity == Severity::Error).map_or("", |d| d.code),
        };
        let differs = (verdict == "accepted") != expected;
        match (differs, listed.remove(&number)) {
            (false, None) => {}
            (true, Some(said)) if said == verdict => {}
            (_, said) => failed.push(format!("{number}\t{verdict}\tlisted {said:?}: {text:.80}")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(listed.is_empty(), "there are no such lines: {listed:?}");
}
