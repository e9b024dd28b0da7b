//! Why a post matches and what it lacks, row by row: `testdata/explain/rows.ndjson`.
//!
//! A part is its atom, with `-` if it counts because it is false, and behind `@` its places: scopes, field, bytes.

use serde::Deserialize;
use tweetfilter_core::explain::{Evidence, Part};
use tweetfilter_core::{Dialect, Expression, FilterId, FilterSetBuilder, Limits, Post};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    filter: String,
    #[serde(default)]
    dialect: Dialect,
    text: Option<String>,
    post: Option<Post>,
    /// The reasons of a match.
    r#match: Option<Vec<String>>,
    /// A miss: each of these alone would have made it a match …
    each: Option<Vec<String>>,
    /// … or all of them together.
    together: Option<Vec<String>>,
}

fn place(evidence: &Evidence) -> String {
    let field = serde_json::to_value(evidence.field).expect("a field");
    let mut words: Vec<String> = evidence.scopes.iter().map(|scope| (*scope).to_owned()).collect();
    words.push(field.as_str().map_or_else(|| field.to_string(), str::to_owned));
    words.extend(evidence.span.map(|span| format!("{}..{}", span.start, span.end)));
    words.join(" ")
}

fn told(part: &Part, filter: &str) -> String {
    let places: Vec<String> = part.places.iter().map(place).collect();
    let sign = if part.negated { "-" } else { "" };
    let at = if places.is_empty() { "" } else { " @ " };
    format!("{sign}{}{at}{}", &filter[part.expression.range()], places.join(", "))
}

#[test]
fn a_match_is_shortened_to_what_stands_in_the_post_in_order_of_the_expression() {
    let filter = "-x a -y b -z c";
    let mut builder = FilterSetBuilder::new();
    builder.add(FilterId(1), filter).expect("a filter");
    let found = builder.build().explain(0, &Post::from_text("c b a")).expect("the filter");
    for (most, kept) in [(2, "a b"), (3, "a b c"), (4, "x a b c"), (5, "x a y b c"), (6, "x a y b z c")] {
        let mut short = found.clone();
        let more = short.shorten(most);
        let parts: Vec<&str> = short.parts.iter().map(|part| &filter[part.expression.range()]).collect();
        assert_eq!((parts.join(" ").as_str(), more), (kept, 6 - most));
    }
}

#[test]
fn explanations_are_as_written() {
    let mut wrong = Vec::new();
    for (line, row) in (1..).zip(include_str!("../testdata/explain/rows.ndjson").lines()) {
        let row: Row = serde_json::from_str(row).unwrap_or_else(|error| panic!("line {line}: {error}"));
        let post = row.post.unwrap_or_else(|| Post::from_text(row.text.unwrap_or_default()));
        let parsed = Expression::parse_with(&row.filter, row.dialect, &Limits::default()).expect("a filter");
        let mut builder = FilterSetBuilder::new();
        builder.add_expression(FilterId(1), None, parsed).expect("a filter");
        let found = builder.build().explain(0, &post).expect("the filter");
        let parts: Vec<String> = found.parts.iter().map(|part| told(part, &row.filter)).collect();
        let found = match (found.matched, found.each_suffices) {
            (true, _) => [Some(parts), None, None],
            (false, true) => [None, Some(parts), None],
            (false, false) => [None, None, Some(parts)],
        };
        let asked = [row.r#match, row.each, row.together];
        if found != asked {
            wrong.push(format!("line {line} {}: {found:?}, not {asked:?}", row.filter));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
