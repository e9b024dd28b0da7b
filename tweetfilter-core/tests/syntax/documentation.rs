//! SYNTAX.md: its examples run, and its tables are those of the code.

use std::collections::BTreeSet;

use tweetfilter_core::syntax::{CODES, Severity};
use tweetfilter_core::{Dialect, Expression, FilterId, FilterSetBuilder, Limits, Post};

const SYNTAX: &str = include_str!("../../SYNTAX.md");

/// The contents of the fenced blocks of kind `filter`.
fn examples() -> Vec<&'static str> {
    SYNTAX.split("```filter\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

fn post(text: &str) -> Post {
    match text.starts_with('{') {
        true => serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}")),
        false => Post::from_text(text),
    }
}

#[test]
fn examples_match_as_they_say() {
    let mut failed = Vec::new();
    let examples = examples();
    assert!(examples.len() > 50, "the examples are found");
    for example in &examples {
        let (dialect, example) = match example.strip_prefix("dialect x\n") {
            Some(rest) => (Dialect::X, rest),
            None => (Dialect::Native, *example),
        };
        let (filter, posts) = example.split_once('\n').expect("a filter and posts");
        let expression = match Expression::parse_with(filter, dialect, &Limits::default()) {
            Ok(expression) => expression,
            Err(e) => {
                failed.push(format!("{filter}: {e}"));
                continue;
            }
        };
        let mut builder = FilterSetBuilder::new();
        builder.add_expression(FilterId(1), None, expression).expect("it can be added");
        let set = builder.build();
        for line in posts.lines() {
            let (expected, text) = match line.split_at(2) {
                ("+ ", text) => (true, text),
                ("- ", text) => (false, text),
                _ => panic!("{line} is neither + nor -"),
            };
            if set.matches(&post(text)).is_empty() == expected {
                failed.push(format!("{filter} of {text}: {}", if expected { "no match" } else { "a match" }));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn the_table_of_codes_is_that_of_the_code() {
    let table = SYNTAX.split("## Diagnostics").nth(1).and_then(|s| s.split("## ").next()).expect("a section");
    let rows: BTreeSet<(&str, &str)> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(code, rest)| (code, rest.split(' ').next().unwrap_or("")))
        .collect();
    let severity = |s| if s == Severity::Error { "error" } else { "warning" };
    // Lists that are not there are warned of by `check`, and refused when filters are built.
    let listed: BTreeSet<(&str, &str)> = CODES.iter().map(|c| (c.0, severity(c.1))).collect();
    assert_eq!(rows, listed);
}

#[test]
fn the_table_of_limits_is_that_of_the_code() {
    let limits = format!("{:?}", Limits::default());
    let fields: BTreeSet<String> = limits
        .trim_start_matches("Limits { ")
        .trim_end_matches(" }")
        .split(", ")
        .map(|field| field.replace(": ", " "))
        .collect();
    let table = SYNTAX.split("## Limits").nth(1).and_then(|s| s.split("## ").next()).expect("a section");
    let rows: BTreeSet<String> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(name, rest)| format!("{name} {}", rest.split(' ').next().unwrap_or("")))
        .collect();
    assert_eq!(rows, fields);
}

#[test]
fn every_operator_has_an_example() {
    let examples = examples().join("\n");
    let names = SYNTAX
        .split("## Operators")
        .nth(1)
        .and_then(|s| s.split("### Not supported").next())
        .expect("a section");
    let prose: String = names.split("```").step_by(2).collect();
    let named = prose.split('`').skip(1).step_by(2).filter_map(|word| word.strip_suffix(':'));
    let aliases: BTreeSet<&str> = prose
        .split("(`")
        .skip(1)
        .flat_map(|s| s.split(')').next().unwrap_or("").split(['`', ',', ' ']))
        .collect();
    for name in named.filter(|n| !aliases.contains(format!("{n}:").as_str())) {
        let name = name.replace("NAME", "");
        assert!(examples.contains(&format!("{name}:")) || examples.contains(&name), "{name}: has no example");
    }
}
