//! The work of parsing grows as the length of the text, whatever is in it: counted, not timed.

use super::Dialect;
use super::grammar::{self, Outcome};
use crate::Limits;

/// Pieces that are repeated to make long texts.
const PIECES: &[&str] = &[
    "a ",
    "(",
    ")",
    "(a) ",
    "((a)) ",
    "-",
    "- ",
    "NOT ",
    "-(",
    "-)",
    ")-",
    "a OR ",
    "OR ",
    "AND ",
    ",",
    "a,",
    "\"",
    "\"a\"",
    "a\"",
    "\"a b\"~2 ",
    "/",
    "/a/ ",
    "/a",
    "/a\\",
    "[",
    "]",
    "{",
    "}",
    "{a} ",
    "2 of (",
    "2 of (a, b) ",
    "any of (a,",
    "in:quote(",
    "from:",
    "from:a,",
    "from:a,from:",
    "from: ",
    "from:(",
    "from:(a ",
    "bio:(\"",
    "point_radius:[",
    ":)",
    "#",
    "#a#",
    "@",
    "$",
    "=",
    "~",
    "a*",
    "*",
    "?",
    "a?",
    "\\",
    "–",
    "– a ",
    "\u{200b}",
    "a\u{200b}",
    "\u{301}",
    "1 ",
    "1 of ",
    "any ",
    "https://a ",
    "x:",
    "filter:",
    "e\u{301}",
    "👍",
    "東",
    "ก",
    "a b OR -c ",
    "followers:1,",
    "followers:>1 ",
];

fn parse(text: &str) -> Outcome {
    // Without the limits that would cut the work short.
    let limits = Limits { expression_bytes: 1 << 20, atoms: 1 << 20, ..Limits::default() };
    grammar::parse(text, Dialect::Native, &limits)
}

#[test]
fn steps_grow_as_the_length() {
    for piece in PIECES {
        let steps = |bytes: usize| parse(&piece.repeat(bytes / piece.len())).steps;
        let (short, long) = (steps(2_000), steps(16_000));
        assert!(long <= 9 * short + 200, "{piece:?} takes {short} steps, and {long} for eight times as much");
        assert!(long <= 16 * 16_000, "{piece:?} takes {long} steps");
    }
}

#[test]
fn the_longest_texts_of_everything_are_answered() {
    for piece in PIECES {
        let text = piece.repeat((64 << 10) / piece.len());
        let outcome = grammar::parse(&text, Dialect::X, &Limits::default());
        assert!(outcome.diagnostics.len() <= 32);
        assert!(outcome.root.is_some() || !outcome.diagnostics.is_empty(), "{piece:?}");
    }
}

#[test]
fn ten_thousand_parentheses_are_refused_once_and_ten_thousand_nots_cancel() {
    for n in [65, 10_000] {
        let deep = parse(&format!("{}a{}", "(".repeat(n), ")".repeat(n)));
        let codes: Vec<_> = deep.diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(codes, ["limit_nesting"]);
    }
    let flat = parse(&format!("{}a{}", "(".repeat(64), ")".repeat(64)));
    assert_eq!(flat.root.map(|r| r.to_string()).as_deref(), Some("a"));
    for (n, printed) in [(10_000, "snow"), (10_001, "-snow")] {
        for not in ["NOT ", "-"] {
            let root = parse(&format!("{}snow", not.repeat(n))).root;
            assert_eq!(root.map(|r| r.to_string()).as_deref(), Some(printed));
        }
    }
}

#[test]
fn nesting_is_bounded_whatever_the_limits_say() {
    let limits = Limits { nesting: usize::MAX, ..Limits::default() };
    let text = format!("{}a{}", "-(b OR ".repeat(8_000), ")".repeat(8_000));
    let outcome = grammar::parse(&text, Dialect::Native, &limits);
    assert_eq!(outcome.diagnostics[0].code, "limit_nesting");
    let text = format!("{}a{}", "-(b OR ".repeat(grammar::DEEPEST), ")".repeat(grammar::DEEPEST));
    let root = grammar::parse(&text, Dialect::Native, &limits).root.expect("as deep as may be");
    assert_eq!(root.to_string(), text);
}
