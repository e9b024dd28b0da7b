//! No operator, alias, value or form is without rows: true, not true, negated, and with the data missing.
//!
//! Operators, aliases and fixed values are the code's own, so a new one fails here until it has rows.

use std::collections::{BTreeMap, BTreeSet};

use tweetfilter_core::syntax::{
    Atom, AttributeTest, Form, Node, NodeKind, Shape, TextPattern, Value, spellings,
};
use tweetfilter_core::{Dialect, Expression};

use super::rows::{self, Row};

/// A row counts when its expression begins so, or begins so after one `-`.
const STARTS: &[&str] = &[
    "followers:1k",
    "followers:1.5k",
    "followers:>1m",
    "2 of (",
    "any of (",
    "all of (",
    "none of (",
    "in:quote(",
    "in:retweet(",
];

/// Values and forms that no table of the code lists: all of an expression, or all after one `-`.
const WHOLE: &[&str] = &[
    "lang:und",
    "lang:qme",
    "lang:qst",
    "lang:qht",
    "lang:qam",
    "lang:qct",
    "lang:zxx",
    "lang:art",
    "lang:iw",
    "lang:he",
    "lang:in",
    "lang:id",
    "lang:ji",
    "lang:yi",
    "lang:tl",
    "lang:fil",
    "lang:no",
    "lang:nb",
    "from:me",
    "to:me",
    "@me",
    "/sn.w/",
    "/SN.W/i",
    "/sn.w/s",
    "/^b$/m",
    "/s n o w/x",
    "#snow",
    "#snow*",
    "@bob",
    "$aapl",
    "since:2021-01-01",
    "since:2021-01-01T01:00:00+01:00",
    "since:1609459200",
    "until:2021-01-01",
    "until:2021-01-01T01:00:00+01:00",
    "until:1609459200",
];

/// What stands for a pattern's form and shape: a pattern of that kind.
fn form(pattern: &TextPattern) -> String {
    let sign = match pattern.form {
        Form::Folded => "",
        Form::Exact => "=",
        Form::Obfuscated => "~",
    };
    let text = pattern.text.as_str();
    let shape = match pattern.shape {
        Shape::Phrase => "\"a b\"",
        Shape::Near(_) => "\"a b\"~1",
        Shape::Word => match (text.starts_with('*'), text.ends_with('*')) {
            (true, true) => "*b*",
            (true, false) => "*b",
            (false, true) => "a*",
            _ if text.contains('*') => "a*b",
            _ if text.contains('?') => "a?b",
            _ => "a",
        },
    };
    format!("{sign}{shape}")
}

const FORMS: &[&str] = &[
    "a",
    "\"a b\"",
    "\"a b\"~1",
    "=a",
    "=\"a b\"",
    "=\"a b\"~1",
    "~a",
    "a*",
    "*b",
    "*b*",
    "a*b",
    "a?b",
    "=a*",
];

/// A comparison, its numbers as `N`.
fn comparison(value: &str) -> String {
    let mut out = String::new();
    for part in value.split_inclusive("..") {
        let sign = part.len() - part.trim_start_matches(['<', '>', '=']).len();
        let dots = if part.ends_with("..") { ".." } else { "" };
        let number = part.len() > sign + dots.len();
        out = out + &part[..sign] + if number { "N" } else { "" } + dots;
    }
    out
}

const COMPARISONS: &[&str] = &["N", "=N", ">N", ">=N", "<N", "<=N", "N..N", "N..", "..N"];

/// The atom of an expression that is one, negated or not.
fn atom(text: &str, dialect: Dialect) -> Option<Atom> {
    let expression = Expression::parse_with(text, dialect, &tweetfilter_core::Limits::default()).ok()?;
    let node: Node = expression.into_root();
    match node.kind {
        NodeKind::Atom(atom) => Some(atom),
        NodeKind::Not(inner) => match inner.kind {
            NodeKind::Atom(atom) => Some(atom),
            _ => None,
        },
        _ => None,
    }
}

/// What a row is a row of.
fn keys(row: &Row) -> Vec<String> {
    let text = row.filter.strip_prefix('-').unwrap_or(&row.filter);
    let mut keys = vec![format!("all {text}")];
    keys.extend(STARTS.iter().filter(|start| text.starts_with(**start)).map(|start| (*start).to_owned()));
    // Several words of `filter:` are several atoms.
    if text.starts_with("filter:") && text.contains(',') && !text.contains(' ') {
        keys.push("filter:a,b".to_owned());
    }
    let Some(atom) = atom(&row.filter, row.dialect) else { return keys };
    let dialect = if row.dialect == Dialect::X { " in x" } else { "" };
    if let Atom::Text(pattern) = &atom {
        keys.push(format!("text {}{dialect}", form(pattern)));
    }
    if matches!(atom, Atom::Set(_)) {
        keys.push("text {…}".to_owned());
    }
    let Some((name, value)) = text.split_once(':').filter(|_| text.starts_with(|c: char| c.is_alphabetic()))
    else {
        return keys;
    };
    let name = if name.starts_with("attr.") { "attr" } else { name };
    keys.push(format!("{name}:"));
    match &atom {
        Atom::Words(_, values) | Atom::Attribute { test: AttributeTest::Words(values), .. } => {
            if let [Value::One(pattern)] = &values[..] {
                keys.push(format!("{name}:{}{dialect}", form(pattern)));
            }
        }
        Atom::Number(..) | Atom::AccountAge(_) | Atom::Attribute { .. } => {
            keys.push(format!("{name}:{}", comparison(value)));
        }
        _ => {}
    }
    match value.split('"').step_by(2).any(|unquoted| unquoted.contains(',')) {
        true => keys.push(format!("{name}:a,b{dialect}")),
        false if value.starts_with('{') => keys.push(format!("{name}:{{…}}{dialect}")),
        false => {}
    }
    keys
}

/// Everything that must have rows.
fn required() -> BTreeSet<String> {
    let mut all: BTreeSet<String> = STARTS.iter().map(|start| (*start).to_owned()).collect();
    all.extend(WHOLE.iter().map(|whole| format!("all {whole}")));
    all.insert("text {…}".to_owned());
    for form in FORMS {
        all.extend([format!("text {form}"), format!("text {form} in x"), format!("url:{form} in x")]);
    }
    for operator in spellings() {
        let name = operator.name;
        if name == "in" {
            // Its values are scopes, and stand above.
            assert!(operator.values.iter().all(|value| STARTS.contains(&format!("in:{value}(").as_str())));
            continue;
        }
        all.extend(operator.values.iter().map(|value| format!("all {name}:{value}")));
        all.extend([name].iter().chain(operator.aliases).map(|name| format!("{name}:")));
        let typed = if name == "attr" { "attr.host" } else { name };
        let takes = |value: &str| atom(&format!("{typed}:{value}"), Dialect::Native);
        if takes("{s}").is_some() || name == "filter" {
            all.insert(format!("{name}:a,b"));
        }
        if takes("{s}").is_some() {
            all.insert(format!("{name}:{{…}}"));
        }
        if matches!(takes("snow"), Some(Atom::Words(..) | Atom::Attribute { .. })) {
            all.extend(FORMS.iter().map(|form| format!("{name}:{form}")));
        }
        let number = takes("1..2").or_else(|| takes("1d..2d"));
        if matches!(number, Some(Atom::Number(..) | Atom::AccountAge(_) | Atom::Attribute { .. })) {
            // A bare number is a word to `attr.NAME:`.
            let forms = COMPARISONS.iter().filter(|form| name != "attr" || **form != "N");
            all.extend(forms.map(|form| format!("{name}:{form}")));
        }
    }
    all
}

#[test]
fn every_operator_value_and_form_has_rows_true_untrue_negated_and_missing() {
    // Of each key: whether negated, whether the data are missing, the answer.
    let mut there: BTreeMap<String, BTreeSet<(bool, bool, bool)>> = BTreeMap::new();
    for row in rows::all() {
        let Some(expect) = row.expect else { continue };
        for key in keys(&row) {
            there.entry(key).or_default().insert((row.filter.starts_with('-'), row.missing, expect));
        }
    }
    let mut absent = Vec::new();
    for key in required() {
        let found = there.get(&key).cloned().unwrap_or_default();
        let has = |negated: bool, missing: bool, answer: Option<bool>| {
            found.iter().any(|row| (row.0, row.1) == (negated, missing) && answer.is_none_or(|a| a == row.2))
        };
        let kinds = [
            ("true", has(false, false, Some(true))),
            ("untrue", has(false, false, Some(false))),
            ("negated true", has(true, false, Some(true))),
            ("negated untrue", has(true, false, Some(false))),
            ("missing", has(false, true, None)),
            ("missing negated", has(true, true, None)),
        ];
        let lacking: Vec<_> = kinds.iter().filter(|(_, there)| !there).map(|(kind, _)| *kind).collect();
        if !lacking.is_empty() {
            absent.push(format!("{key}: {}", lacking.join(", ")));
        }
    }
    assert!(absent.is_empty(), "rows are absent:\n{}", absent.join("\n"));
}
