//! SYNTAX.md: its examples run, and its tables are those of the code.

use std::collections::BTreeSet;

use tweetfilter_core::post::Account;
use tweetfilter_core::syntax::{CODES, Severity, spellings};
use tweetfilter_core::{
    Dialect, Expression, FilterId, FilterSet, FilterSetBuilder, Identity, Limits, OwnerId, Post,
};

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

/// An example: what it is parsed and built with, the filter, and its posts.
struct Example<'a> {
    dialect: Dialect,
    lists: Vec<(&'a str, String)>,
    me: Option<&'a str>,
    filter: &'a str,
    posts: Vec<&'a str>,
}

impl<'a> Example<'a> {
    fn new(text: &'a str) -> Self {
        let (mut dialect, mut lists, mut me) = (Dialect::Native, Vec::new(), None);
        let mut lines = text.lines();
        let filter = loop {
            let line = lines.next().expect("a filter");
            match line.split_once(' ') {
                Some(("dialect", "x")) => dialect = Dialect::X,
                Some(("list", list)) => {
                    let (name, terms) = list.split_once(' ').expect("a name and terms");
                    lists.push((name, terms.replace(", ", "\n")));
                }
                Some(("me", name)) => me = Some(name),
                _ => break line,
            }
        };
        Self { dialect, lists, me, filter, posts: lines.collect() }
    }

    fn set(&self) -> Result<FilterSet, String> {
        let expression = Expression::parse_with(self.filter, self.dialect, &Limits::default());
        let mut builder = FilterSetBuilder::new();
        for (name, terms) in &self.lists {
            builder.named_set(name, terms).expect("a list");
        }
        let owner = self.me.map(|name| {
            let account = Account { handle: name.into(), ..Account::default() };
            builder.owner(OwnerId(1), vec![Identity { account, ..Identity::default() }]);
            OwnerId(1)
        });
        let expression = expression.map_err(|e| e.to_string())?;
        builder.add_expression(FilterId(1), owner, expression).map_err(|e| e.to_string())?;
        Ok(builder.build())
    }
}

#[test]
fn examples_match_as_they_say() {
    let mut failed = Vec::new();
    let examples = examples();
    assert!(examples.len() > 50, "the examples are found");
    for example in examples.into_iter().map(Example::new) {
        let filter = example.filter;
        let set = match example.set() {
            Ok(set) => set,
            Err(e) => {
                failed.push(format!("{filter}: {e}"));
                continue;
            }
        };
        for line in &example.posts {
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

/// Diagnostics have examples that give them; one with a remark is a row of `testdata/diagnostics/rows.txt`.
#[test]
fn every_code_is_shown_by_its_example() {
    const ROWS: &str = include_str!("../../testdata/diagnostics/rows.txt");
    let invisible = |c: char| matches!(c, '\u{200b}' | '\u{ad}' | '\u{2060}' | '\u{200e}');
    let mut failed = Vec::new();
    let rows = table("| code | | example |");
    assert_eq!(rows.len(), CODES.len());
    for row in rows {
        let [code, _, example] = row[..] else { panic!("{row:?}") };
        let shown = match example.split_once("`, ") {
            Some((example, _)) => ROWS.split("\n> ").any(|row| {
                let (text, told) = row.split_once('\n').unwrap_or((row, ""));
                text.replace(invisible, "") == example && told.contains(&format!(" {code} "))
            }),
            None => match Expression::parse(example) {
                Ok(parsed) => parsed.warnings().iter().any(|found| found.code == code),
                Err(error) => error.diagnostics().iter().any(|found| found.code == code),
            },
        };
        if !shown {
            failed.push(format!("{code}: {example}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What stands between backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn classes_of_cost_are_those_of_their_examples() {
    for row in table("| class | what must be there |") {
        let [class, said] = row[..] else { panic!("{row:?}") };
        for filter in quoted(&format!("{said}`")).into_iter().filter(|filter| !filter.is_empty()) {
            let mut builder = FilterSetBuilder::new();
            builder.add(FilterId(1), filter).expect("a filter");
            let found = builder.build().cost_class(0);
            assert_eq!(format!("{:?}", found.expect("a filter")).to_lowercase(), class, "{filter}");
        }
    }
}

#[test]
fn what_is_not_supported_says_what_to_do_instead() {
    let section = SYNTAX.split("### Not supported").nth(1).and_then(|s| s.split("\n## ").next());
    let names = quoted(section.expect("a section"));
    assert!(names.len() > 20);
    for name in names {
        let error = Expression::parse(&format!("{name}x snow")).expect_err("unsupported");
        let found = &error.diagnostics()[0];
        assert_eq!(found.code, "unsupported_operator", "{name}");
        assert!(found.message.len() > name.len() + 20, "{}", found.message);
    }
}

#[test]
fn forms_of_numbers_and_bare_words_are_as_said() {
    let line = SYNTAX.lines().find(|line| line.starts_with("Write `followers:100`")).expect("a line");
    for form in quoted(line).into_iter().filter(|form| !matches!(*form, "1.5k" | "2m")) {
        let value = form.trim_start_matches("followers:");
        let filter = Expression::parse(&format!("snow followers:{value}")).expect(value);
        assert!(filter.warnings().is_empty(), "{value}: {:?}", filter.warnings());
    }
    let line = SYNTAX.lines().position(|line| line.contains("A bare word may hold")).expect("a line");
    let signs = quoted(SYNTAX.lines().nth(line + 1).expect("a line"));
    for sign in signs[0].split(' ') {
        let word = format!("a{sign}b");
        let phrase = Expression::parse("\"a b\"").expect("a phrase");
        let set = |filter: &Expression| {
            let mut builder = FilterSetBuilder::new();
            builder.add_expression(FilterId(1), None, filter.clone()).expect("a filter");
            builder.build()
        };
        let word = Expression::parse(&word).expect(&word);
        for text in ["a b", "b a", "a c b"] {
            let found = [&word, &phrase].map(|filter| set(filter).matches(&Post::from_text(text)).len());
            assert_eq!(found[0], found[1], "{sign} of {text}");
        }
    }
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

/// The cells of the rows of a table, by its head, without their marks.
fn table(head: &str) -> Vec<Vec<&'static str>> {
    let table = SYNTAX.split(head).nth(1).and_then(|s| s.split("\n\n").next()).expect("a table");
    let cell = |cell: &'static str| cell.trim_matches([' ', '`']);
    table.lines().skip(2).map(|row| row.trim_matches('|').split(" | ").map(cell).collect()).collect()
}

#[test]
fn every_operator_has_an_example() {
    let examples = examples().into_iter().map(|example| Example::new(example).filter);
    let examples = examples.collect::<Vec<_>>().join("\n");
    for operator in spellings().filter(|operator| !matches!(operator.name, "is" | "has" | "filter")) {
        let mut wanted = vec![format!("{}:", operator.name)];
        match operator.name {
            "attr" => wanted = vec!["attr.".to_owned()],
            "in" => wanted = operator.values.iter().map(|value| format!("in:{value}(")).collect(),
            _ => {}
        }
        for wanted in wanted {
            let stands = |(at, _)| !examples[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            assert!(examples.match_indices(&wanted).any(stands), "{wanted} has no example");
        }
    }
}

#[test]
fn every_value_has_an_example() {
    let rows = table("| write | posts that are or have | such as |");
    let mut shown = BTreeSet::new();
    for row in &rows {
        let [filter, _, example] = row[..] else { panic!("{row:?}") };
        let set = Example::new(filter).set().expect("a filter");
        assert!(!set.matches(&post(example)).is_empty(), "{filter} of {example}");
        assert_eq!(set.matches(&post("x")).is_empty(), filter != "filter:safe", "{filter} of x");
        shown.insert(filter.to_owned());
    }
    let fixed = spellings().filter(|operator| operator.name != "in");
    let all = fixed.flat_map(|o| o.values.into_iter().map(move |value| format!("{}:{value}", o.name)));
    assert_eq!(shown, all.collect());
}

#[test]
fn every_other_spelling_has_an_example() {
    let mut shown = BTreeSet::new();
    for row in table("| write | for |") {
        let [other, canonical] = row[..] else { panic!("{row:?}") };
        let parsed = |text| Expression::parse(text).expect("a filter");
        assert_eq!(parsed(other), parsed(canonical), "{other}");
        assert_eq!(parsed(canonical).to_string(), canonical);
        shown.insert(other.split(':').next().unwrap_or(""));
    }
    for name in spellings().flat_map(|operator| operator.aliases) {
        assert!(shown.contains(name), "{name}: has no example");
    }
}
