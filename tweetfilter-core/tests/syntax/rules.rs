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
    // Line; what we say: `accepted` and the codes of its warnings, or the code of the first error; what they say:
    // `success`, `failure`, or `nothing`, where we should accept it; why not.
    let rows = include_str!("../../testdata/syntax/rules_differences.tsv");
    let mut listed: BTreeMap<usize, [&str; 2]> = rows
        .lines()
        .map(|row| {
            let cells: Vec<_> = row.split('\t').collect();
            let [line, verdict, expected, reason] = cells[..] else { panic!("{row}: four cells") };
            assert!(!reason.is_empty(), "{row}");
            (line.parse().expect("a line number"), [verdict, expected])
        })
        .collect();
    let mut failed = Vec::new();
    for (number, line) in (1..).zip(rules.lines()) {
        let rule: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let text = rule["text"].as_str().expect("a text");
        let expected = rule["expect"].as_str().unwrap_or("nothing");
        let (accepted, verdict) = match Expression::parse_with(text, Dialect::X, &Limits::default()) {
            Ok(expression) => {
                let mut codes: Vec<_> = expression.warnings().iter().map(|d| d.code).collect();
                codes.dedup();
                (true, ["accepted"].into_iter().chain(codes).collect::<Vec<_>>().join(" "))
            }
            Err(e) => {
                let error = e.diagnostics().iter().find(|d| d.severity == Severity::Error);
                (false, error.map_or("", |d| d.code).to_owned())
            }
        };
        let differs = accepted == (expected == "failure");
        match (differs, listed.remove(&number)) {
            (false, None) => {}
            (true, Some(said)) if said == [verdict.as_str(), expected] => {}
            (_, said) => failed.push(format!("{number}\t{verdict}\t{expected}\tlisted {said:?}: {text:.80}")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(listed.is_empty(), "there are no such lines: {listed:?}");
}
