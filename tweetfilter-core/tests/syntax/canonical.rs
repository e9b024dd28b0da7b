//! Canonical text: `expression TAB canonical`, one a line.

use tweetfilter_core::syntax::to_native;
use tweetfilter_core::{Dialect, Expression, Limits};

#[test]
fn canonical_text_is_as_written_down_and_parses_to_the_same() {
    let rows = include_str!("../../testdata/syntax/canonical.tsv");
    let mut failed = Vec::new();
    for row in rows.lines() {
        let (text, canonical) = row.split_once('\t').expect("two columns");
        match Expression::parse(text) {
            Ok(parsed) => {
                let printed = parsed.to_string();
                if printed != canonical {
                    failed.push(format!("{text}\n  prints {printed}\n  wanted {canonical}"));
                }
                match Expression::parse(&printed) {
                    Ok(again) if again == parsed && again.to_string() == printed => {}
                    other => failed.push(format!("{text}\n  printed {printed}\n  parses as {other:?}")),
                }
            }
            Err(error) => failed.push(format!("{text}\n  {:#?}", error.diagnostics())),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_rule_of_x_is_spelled_out() {
    for (rule, native) in [
        ("snow", "snow OR url:snow OR in:quote(snow OR url:snow)"),
        (
            "contains:now",
            "contains:\"now\" OR url_contains:\"now\" OR in:quote(contains:\"now\" OR url_contains:\"now\")",
        ),
        ("@al", "@al OR in:quote(@al) OR retweets_of:al"),
        ("#oslo", "#oslo OR in:quote(#oslo)"),
        ("has:links", "has:links,media OR in:quote(has:links,media)"),
        ("has:images", "has:images"),
        ("is:reply", "is:reply OR in:quote(is:reply)"),
        ("-from:al", "-from:al"),
    ] {
        let parsed = Expression::parse_with(rule, Dialect::X, &Limits::default()).expect("a rule");
        assert_eq!(to_native(&parsed).to_string(), native);
    }
}
