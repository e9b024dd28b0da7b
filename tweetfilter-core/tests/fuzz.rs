//! Cases that fuzzing found, each with what was wrong.

use tweetfilter_core::Expression;

/// A run that ends in a full-width comma gets an error at the comma. Its place was counted back from the end of the
/// run, in the text without the invisible characters that are dropped from it: with one behind the comma, the span
/// began in the middle of the comma's three bytes, and slicing the expression by it panicked.
#[test]
fn the_place_of_a_comma_lies_on_characters_behind_invisible_ones() {
    for text in ["-_，\0\nil", "_，\u{200b}", "a\u{200b}，"] {
        let refused = Expression::parse(text).expect_err("a comma joins nothing");
        for diagnostic in refused.diagnostics() {
            let spans = diagnostic.fixes.iter().map(|fix| fix.span).chain([diagnostic.span]);
            for span in spans {
                assert!(text.get(span.range()).is_some(), "{diagnostic:?} of {text:?}");
            }
        }
    }
}
