//! Canonical text: `expression TAB canonical`, one a line.

use tweetfilter_core::Expression;

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
