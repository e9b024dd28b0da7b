//! Any text is parsed or refused, with spans that lie in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tweetfilter_core::{Dialect, Expression, FilterId, FilterSetBuilder, Limits};

#[derive(Debug, arbitrary::Arbitrary)]
struct Case<'a> {
    x: bool,
    text: &'a str,
}

fuzz_target!(|case: Case<'_>| {
    let dialect = if case.x { Dialect::X } else { Dialect::Native };
    let text = case.text;
    let diagnostics = match Expression::parse_with(text, dialect, &Limits::default()) {
        Ok(expression) => {
            let mut builder = FilterSetBuilder::new();
            // A set that is not there is refused; nothing panics.
            let _ = builder.add_expression(FilterId(1), None, expression.clone());
            drop(builder.build());
            expression.warnings().to_vec()
        }
        Err(error) => error.diagnostics().to_vec(),
    };
    for diagnostic in &diagnostics {
        let spans = std::iter::once(diagnostic.span)
            .chain(diagnostic.second.iter().map(|(span, _)| *span))
            .chain(diagnostic.fixes.iter().map(|fix| fix.span));
        for span in spans {
            assert!(text.get(span.range()).is_some(), "{diagnostic:?} of {text:?}");
        }
    }
});
