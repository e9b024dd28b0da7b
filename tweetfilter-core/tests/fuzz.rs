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

/// Invisible characters were dropped word by word, after keywords had been looked for: what was left of `O‸R` was the
/// word OR, whose canonical text is the operator. They are dropped before anything else now.
#[test]
fn a_keyword_with_invisible_characters_in_it_is_the_keyword() {
    for (text, expected) in [
        ("a O\u{200b}R b", "a OR b"),
        ("a A\u{1}ND N\u{1}OT b", "a -b"),
        ("2 o\u{200b}f (a, b)", "2 of (a, b)"),
        ("f\u{200b}rom:b\u{200b}ob", "from:bob"),
        ("in:qu\u{200b}ote(a)", "in:quote(a)"),
        ("{ci\u{200b}ties}", "{cities}"),
    ] {
        let expression = Expression::parse(text).expect(text);
        assert_eq!(expression.to_string(), expected);
        assert_eq!(&text[expression.root().span.range()], text);
        assert!(expression.warnings().iter().any(|note| note.code == "invisible_dropped"), "{text:?}");
    }
    let refused = Expression::parse("O\u{1}\u{1}R").expect_err("OR alone");
    assert_eq!((refused.diagnostics()[0].code, refused.diagnostics()[0].span.end), ("missing_operand", 4));
}
