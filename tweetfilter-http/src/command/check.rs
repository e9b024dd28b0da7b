//! `check`: says what is wrong or doubtful in filters.

use std::io::{IsTerminal, Write};

use tweetfilter_core::Dialect;
use tweetfilter_stream::wire::Carrier;

use super::Failure;
use super::filters;
use super::terminal::Style;

mod report;

use report::Checked;

/// Says what is wrong or doubtful in filters, their canonical form and what each costs.
///
/// The cost class is `indexed` for a filter that is tried only on posts that hold one of its terms, `guarded`
/// if only on those that hold a literal of its substrings or regexes, and `scanned` if on every post, or if a set that
/// it names is. Of filters that were written for X it says whether they mean the same here.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Files of filters; `-` is standard input
    ///
    /// NDJSON with {"id","filter","owner"?,"name"?,"dialect"?} on each line, X's /rules JSON, or plain text
    /// with one expression a line. Ids must differ within a file, as `match` wants them.
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

    /// Also show each filter in another dialect
    #[arg(long, value_name = "native", value_parser = ["native"])]
    to: Option<String>,

    /// Warn of operators that read what posts of this source never carry
    #[arg(long, value_name = "jetstream|x-v1|x-v2|mastodon", value_parser = carrier)]
    source: Option<Carrier>,

    /// One JSON object for each filter
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tweetfilter check filters.txt
  tweetfilter check --expr 'cat or dog'
      `or` in lower case is a word: a warning says so
  tweetfilter check --source jetstream --expr 'snow followers:>100'
      its posts say nothing of followers: a warning says so
  tweetfilter check --to native rules.json
      what X's rules mean, spelled out in the native dialect
  tweetfilter check --json filters.ndjson | jq 'select(.valid | not)'
      the invalid ones, as data

Exit: 0 all filters are valid, perhaps with warnings; 1 one is not; 2 wrong usage or unreadable file.";

fn carrier(name: &str) -> Result<Carrier, String> {
    let known = Carrier::ALL.into_iter().find(|carrier| carrier.name() == name);
    known.ok_or_else(|| format!("must be one of {}", Carrier::ALL.map(Carrier::name).join(", ")))
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut files = arguments.files.clone();
    if files.is_empty() && arguments.expressions.is_empty() {
        if std::io::stdin().is_terminal() {
            return Err(Failure::Input("nothing to check: name a FILE or give --expr EXPRESSION".to_owned()));
        }
        files.push("-".to_owned());
    }
    let loaded = filters::load_files(&files, &arguments.expressions, arguments.dialect, &arguments.sets)?;
    let compiled = loaded.compile()?;
    let filters = Checked::all(&compiled, arguments.source);
    let spelled_out = arguments.to.is_some();
    let style = Style::stdout();
    let mut out = String::new();
    for filter in &filters {
        if arguments.json {
            out.push_str(&filter.json(spelled_out).to_string());
            out.push('\n');
        } else {
            out.push_str(&filter.text(spelled_out, style));
        }
    }
    if !arguments.json {
        out.push_str(&report::total(&filters));
    }
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(out.as_bytes()).and_then(|()| stdout.flush()).map_err(|e| Failure::writing(&e))?;
    if filters.iter().all(Checked::is_valid) { Ok(()) } else { Err(Failure::Filters) }
}
