//! What is accepted prints as a text that says the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tweetfilter_core::{Dialect, Expression, Limits};

#[derive(Debug, arbitrary::Arbitrary)]
struct Case<'a> {
    x: bool,
    text: &'a str,
}

fuzz_target!(|case: Case<'_>| {
    let dialect = if case.x { Dialect::X } else { Dialect::Native };
    let Ok(expression) = Expression::parse_with(case.text, dialect, &Limits::default()) else { return };
    let printed = expression.to_string();
    // Canonical text may be longer than what was typed, but not refused for that.
    let limits = Limits { expression_bytes: usize::MAX, ..Limits::default() };
    match Expression::parse_with(&printed, dialect, &limits) {
        Ok(again) => {
            assert_eq!(again, expression, "{:?} prints as {printed:?}", case.text);
            assert_eq!(again.to_string(), printed, "{:?}", case.text);
        }
        Err(error) => panic!("{:?} prints as {printed:?}: {error}", case.text),
    }
});
