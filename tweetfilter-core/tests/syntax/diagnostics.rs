//! Diagnostics: every code, with place, message and fixes, as written down in `testdata/diagnostics/rows.txt`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use tweetfilter_core::syntax::{CODES, Diagnostic, NamedSets, Severity, lint};
use tweetfilter_core::{AddError, Dialect, Expression, FilterId, FilterSetBuilder, Limits, OwnerId};

const ROWS: &str = include_str!("../../testdata/diagnostics/rows.txt");

/// An expression, how it is parsed, and what is to be reported.
struct Row<'a> {
    text: &'a str,
    settings: Vec<&'a str>,
    expected: String,
}

fn rows() -> Vec<Row<'static>> {
    let mut rows: Vec<Row<'static>> = Vec::new();
    for line in ROWS.lines() {
        if let Some(text) = line.strip_prefix("> ") {
            rows.push(Row { text, settings: Vec::new(), expected: String::new() });
        } else if let Some(row) = rows.last_mut() {
            if ["dialect ", "limit ", "with "].iter().any(|s| line.starts_with(s)) {
                row.settings.push(line);
            } else if !line.is_empty() {
                row.expected += line;
                row.expected.push('\n');
            }
        }
    }
    rows
}

impl Row<'_> {
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        for setting in &self.settings {
            let ["limit", name, value] = setting.split(' ').collect::<Vec<_>>()[..] else { continue };
            let value: usize = value.parse().expect("a number");
            let field = match name {
                "atoms" => &mut limits.atoms,
                "expression_bytes" => &mut limits.expression_bytes,
                "nesting" => &mut limits.nesting,
                "regexes" => &mut limits.regexes,
                "regex_bytes" => &mut limits.regex_bytes,
                "regex_size" => &mut limits.regex_size,
                "regex_size_per_owner" => &mut limits.regex_size_per_owner,
                "proximity_items" => &mut limits.proximity_items,
                "set_terms" => &mut limits.set_terms,
                other => panic!("no limit {other}"),
            };
            *field = value;
        }
        limits
    }

    fn parse(&self, text: &str) -> (Option<Expression>, Vec<Diagnostic>) {
        let dialect = if self.settings.contains(&"dialect x") { Dialect::X } else { Dialect::Native };
        match Expression::parse_with(text, dialect, &self.limits()) {
            Ok(e) => {
                let warnings = e.warnings().to_vec();
                (Some(e), warnings)
            }
            Err(e) => (None, e.diagnostics().to_vec()),
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let (parsed, mut found) = self.parse(self.text);
        for setting in &self.settings {
            let words: Vec<&str> = setting.split(' ').collect();
            match (&words[..], &parsed) {
                (["with", "set"], Some(e)) => found.extend(self.refused(e, None)),
                (["with", "owned", "set"], Some(e)) => found.extend(self.refused(e, Some(OwnerId(1)))),
                (["with", "owner"], Some(e)) => found.extend(lint::me_without_owner(e)),
                (["with", "sets"], Some(e)) => found.extend(lint::unknown_sets(e, &NamedSets::default())),
                (["with", "sources"], Some(e)) => {
                    found.extend(lint::never_carried(e, &lint::Capabilities::without(["followers"])));
                }
                (["with", "list", name, terms @ ..], Some(e)) => {
                    let mut sets = NamedSets::default();
                    found.extend(
                        sets.insert(name, &terms.join("\n"), &self.limits()).err().unwrap_or_default(),
                    );
                    lint::each_atom(e, &mut |atom, _| found.extend(sets.expand(atom).err()));
                }
                _ => {}
            }
        }
        found
    }
}

impl Row<'_> {
    /// What building a set of this filter says against it.
    fn refused(&self, expression: &Expression, owner: Option<OwnerId>) -> Option<Diagnostic> {
        let mut builder = FilterSetBuilder::new();
        builder.limits(self.limits());
        match builder.add_expression(FilterId(1), owner, expression.clone()) {
            Err(AddError::Refused(found)) => Some(*found),
            Err(other) => panic!("{}: {other}", self.text),
            Ok(_) => None,
        }
    }
}

fn apply(text: &str, fix: &tweetfilter_core::syntax::Fix) -> String {
    let range = fix.span.range();
    format!("{}{}{}", &text[..range.start], fix.replacement, &text[range.end..])
}

fn render(text: &str, found: &[Diagnostic]) -> String {
    let mut out = String::new();
    for d in found {
        let severity = if d.severity == Severity::Error { "error" } else { "warning" };
        writeln!(out, "{severity} {} {}..{} {}", d.code, d.span.start, d.span.end, d.message).unwrap();
        if let Some((span, label)) = &d.second {
            writeln!(out, "  and {}..{} {label}", span.start, span.end).unwrap();
        }
        for fix in &d.fixes {
            writeln!(out, "  fix: {} => {}", fix.label, apply(text, fix)).unwrap();
        }
    }
    out
}

#[test]
fn every_row_reports_what_is_written_down() {
    let rows = rows();
    if std::env::var_os("TWEETFILTER_BLESS").is_some() {
        let head: String =
            ROWS.lines().take_while(|l| l.starts_with('#')).map(|l| format!("{l}\n")).collect();
        let blocks = rows.iter().map(|row| {
            let settings: String = row.settings.iter().map(|s| format!("{s}\n")).collect();
            format!("\n> {}\n{settings}{}", row.text, render(row.text, &row.diagnostics()))
        });
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/diagnostics/rows.txt");
        std::fs::write(path, head + &blocks.collect::<String>()).unwrap();
        return;
    }
    let mut failed = String::new();
    for row in &rows {
        let found = render(row.text, &row.diagnostics());
        if found != row.expected {
            writeln!(failed, "> {}\n{found}wanted\n{}", row.text, row.expected).unwrap();
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

#[test]
fn every_code_has_a_row_and_every_row_a_known_code() {
    let rows = rows();
    let words = rows.iter().flat_map(|r| r.expected.lines()).filter(|l| !l.starts_with(' '));
    let shown: BTreeSet<(&str, &str)> = words
        .map(|l| l.split_once(' ').map(|(s, rest)| (rest.split(' ').next().unwrap_or(""), s)).unwrap())
        .collect();
    let shown: BTreeSet<&str> = shown.into_iter().map(|s| s.0).collect();
    let listed: BTreeSet<&str> = CODES.iter().map(|c| c.0).collect();
    assert_eq!(shown, listed);
    assert!(CODES.is_sorted_by_key(|c| c.0));
}

/// The sources of the library, tests in them and the list of codes left out.
fn sources(folder: &std::path::Path, out: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("syntax/codes.rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            out.push(text.split("#[cfg(test)]\nmod").next().unwrap_or_default().to_owned());
        }
    }
}

#[test]
fn the_list_of_codes_is_what_the_sources_make() {
    let mut texts = Vec::new();
    sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    let listed: BTreeSet<&str> = CODES.iter().map(|c| c.0).collect();
    let mut made = BTreeSet::new();
    for text in &texts {
        for call in ["Diagnostic::error(", "Diagnostic::warning("] {
            let firsts = text.split(call).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
            made.extend(firsts.filter_map(|rest| rest.split('"').next()));
        }
        // Some are chosen before they are made: any literal that is a code, or looks like one of a family.
        let literals = text.split('"');
        let family = |l: &str| ["bad_", "limit_", "missing_", "unknown_"].iter().any(|f| l.starts_with(f));
        let word = |l: &str| l.bytes().all(|b| b == b'_' || b.is_ascii_lowercase());
        made.extend(literals.filter(|l| listed.contains(l) || (family(l) && word(l))));
    }
    assert_eq!(made, listed);
}

#[test]
fn the_first_fix_of_a_lone_error_gives_an_expression() {
    let mut failed = String::new();
    for row in rows() {
        let (_, found) = row.parse(row.text);
        let errors: Vec<_> = found.iter().filter(|d| d.severity == Severity::Error).collect();
        if let [error] = errors[..]
            && let Some(fix) = error.fixes.first()
        {
            let fixed = apply(row.text, fix);
            if let (None, still) = row.parse(&fixed) {
                writeln!(failed, "> {}\nfixed {fixed}\n{}", row.text, render(&fixed, &still)).unwrap();
            }
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

#[test]
fn fixes_of_warnings_give_expressions_without_that_warning() {
    let mut failed = String::new();
    for row in rows() {
        let (parsed, found) = row.parse(row.text);
        for d in found.iter().filter(|_| parsed.is_some()) {
            let Some(fix) = d.fixes.first() else { continue };
            let fixed = apply(row.text, fix);
            let (parsed, still) = row.parse(&fixed);
            if parsed.is_none()
                || still.iter().filter(|s| s.code == d.code).count()
                    >= found.iter().filter(|s| s.code == d.code).count()
            {
                writeln!(failed, "> {}\nfixed {fixed}\n{}", row.text, render(&fixed, &still)).unwrap();
            }
        }
    }
    assert!(failed.is_empty(), "{failed}");
}
