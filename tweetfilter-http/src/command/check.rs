//! `check`: says what is wrong or doubtful in filters.

use std::io::{IsTerminal, Write};

use serde_json::{Value, json};
use tweetfilter_core::Dialect;
use tweetfilter_core::syntax::{Diagnostic, Severity};

use super::Failure;
use super::filters::{self, Entry, Refused};
use super::render;
use super::terminal::{Color, Style, one_line};

/// Says what is wrong or doubtful in filters, and their canonical form.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Files of filters; `-` is standard input
    ///
    /// NDJSON with {"id","filter","owner"?,"name"?,"dialect"?} on each line, X's /rules JSON, or plain text
    /// with one expression a line.
    #[arg(value_name = "FILE")]
    files: Vec<String>,

    /// An expression; may be given again
    #[arg(long = "expr", value_name = "E", allow_hyphen_values = true)]
    expressions: Vec<String>,

    /// A named set of terms, one a line, for {NAME} in filters; may be given again
    #[arg(long = "set", value_name = "NAME=FILE", value_parser = filters::named_file)]
    sets: Vec<(String, String)>,

    /// The dialect of filters that name none; X's /rules JSON is of dialect x unless this says otherwise
    #[arg(long, value_name = "native|x", value_parser = filters::dialect)]
    dialect: Option<Dialect>,

    /// One JSON object for each filter
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tweetfilter check filters.txt
  tweetfilter check --expr 'cat or dog'
      `or` in lower case is a word: a warning says so
  tweetfilter check --json filters.ndjson | jq 'select(.valid | not)'

Exit: 0 all filters are valid, perhaps with warnings; 1 one is not; 2 wrong usage or unreadable file.";

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut files = arguments.files.clone();
    if files.is_empty() && arguments.expressions.is_empty() {
        if std::io::stdin().is_terminal() {
            return Err(Failure::Input("nothing to check: name a FILE or give --expr EXPRESSION".to_owned()));
        }
        files.push("-".to_owned());
    }
    let loaded = filters::load_files(&files, &arguments.expressions, arguments.dialect, &arguments.sets)?;
    let compiled = loaded.compile();
    let mut filters: Vec<Checked<'_>> = compiled.entries.iter().map(Checked::Valid).collect();
    filters.extend(compiled.refused.iter().map(Checked::Invalid));
    filters.sort_by_key(Checked::position);

    let style = Style::stdout();
    let mut out = String::new();
    for filter in &filters {
        if arguments.json {
            out.push_str(&filter.json().to_string());
            out.push('\n');
        } else {
            out.push_str(&filter.text(style));
        }
    }
    if !arguments.json {
        out.push_str(&total(&filters));
    }
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(out.as_bytes()).and_then(|()| stdout.flush()).map_err(|e| Failure::writing(&e))?;
    if compiled.refused.is_empty() { Ok(()) } else { Err(Failure::Filters) }
}

/// A filter and what became of it.
enum Checked<'a> {
    Valid(&'a Entry),
    Invalid(&'a Refused),
}

impl Checked<'_> {
    fn position(&self) -> usize {
        match self {
            Self::Valid(entry) => entry.position,
            Self::Invalid(refused) => refused.position,
        }
    }

    fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Valid(entry) => entry.expression.warnings(),
            Self::Invalid(refused) => &refused.diagnostics,
        }
    }

    fn text(&self, style: Style) -> String {
        let (id, origin, text, first) = match self {
            Self::Valid(entry) => {
                let canonical = one_line(&entry.expression.to_string());
                (&entry.id, &entry.origin, entry.expression.text(), format!("ok  {canonical}"))
            }
            Self::Invalid(refused) => (&refused.id, &refused.origin, &*refused.text, "invalid".to_owned()),
        };
        let id = style.paint(Color::Name, &one_line(id));
        let shown = render::diagnostics(self.diagnostics(), text, origin, style);
        format!("{id}  {first}\n{shown}")
    }

    fn json(&self) -> Value {
        match self {
            Self::Valid(entry) => json!({
                "id": entry.id,
                "owner": entry.owner,
                "name": entry.name,
                "file": entry.origin.name,
                "line": entry.origin.line,
                "filter": entry.expression.text(),
                "dialect": entry.expression.dialect(),
                "valid": true,
                "canonical": entry.expression.to_string(),
                "diagnostics": self.diagnostics(),
            }),
            Self::Invalid(refused) => json!({
                "id": refused.id,
                "file": refused.origin.name,
                "line": refused.origin.line,
                "filter": refused.text,
                "dialect": refused.dialect,
                "valid": false,
                "diagnostics": self.diagnostics(),
            }),
        }
    }
}

fn total(filters: &[Checked<'_>]) -> String {
    let invalid = filters.iter().filter(|filter| matches!(filter, Checked::Invalid(_))).count();
    let warned = |filter: &&Checked<'_>| {
        matches!(filter, Checked::Valid(_))
            && filter.diagnostics().iter().any(|found| found.severity == Severity::Warning)
    };
    let doubtful = filters.iter().filter(warned).count();
    let noun = if filters.len() == 1 { "filter" } else { "filters" };
    format!("{} {noun}: {invalid} invalid, {doubtful} with warnings\n", filters.len())
}
