//! `filter`: the filters of accounts.

mod import;

use std::collections::HashSet;
use std::io::Write;

use serde_json::json;
use tweetfilter_core::syntax::Diagnostic;
use tweetfilter_core::{AddError, Dialect, Expression, FilterId, FilterSetBuilder, Limits, OwnerId};
use tweetfilter_http::names::{FILTER_NAME, action_name, dialect_name, fits};
use tweetfilter_http::parts::now;
use tweetfilter_sql::{Changed, Database, FilterRow, NewFilter};
use tweetfilter_stream::store::{Action, StoreError};

use super::Failure;
use super::account::account;
use super::filters::dialect;
use super::handles::look_up;
use super::render::{self, Origin};
use super::settings::{Common, block_on, failure};
use super::terminal::{Style, one_line};
use super::time::rfc3339;

/// Adds and lists filters of accounts. What is added is live in every worker within two seconds.
#[derive(clap::Args)]
#[command(after_long_help = "\
Examples:
  tweetfilter filter add ann 'snow (oslo OR bergen) -rain' --name weather
  tweetfilter filter add ann '#spoiler' --action hide
  tweetfilter filter edit 3 --enabled true --expires-in never
  tweetfilter filter order ann 7 3
  tweetfilter filter list ann
  tweetfilter filter import ann rules.json --dry-run
  tweetfilter filter import ann rules.json
  tweetfilter filter export ann > filters.ndjson

The first filter of an account, in its order, that shows or hides decides
about a post; highlights and notifications add up.

The filters of an account may cost a bounded time a post together (the setting
owner-budget). What is over it is refused, with the three dearest and what would
make each cheaper: words that must be there let a filter run on few posts.

Handles of Bluesky, as in from:ann.bsky.social, are looked up when a filter is
saved, since its stream gives ids alone, and again by the server, daily and
when their owners say that they have changed. That holds where a source of
Bluesky is read, an account is known there or a post of it is kept; elsewhere
only names that end in .bsky.social are looked up. Who takes another handle is
no longer found by the old one; a DID, from:did:plc:abc, stays.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    common: Common,
}

/// What is said about a filter beside its text.
#[derive(clap::Args)]
struct Facts {
    /// What people call it, in at most 500 characters
    #[arg(long, value_parser = filter_name)]
    name: Option<String>,

    /// How it reads a post; a new filter is native where this is not said
    #[arg(long, value_name = "native|x", value_parser = dialect)]
    dialect: Option<Dialect>,

    /// What a match does; one of a new filter highlights where this is not said
    #[arg(long, value_name = "show|hide|highlight|notify", value_parser = action)]
    action: Option<Action>,

    /// Switch it off after so many hours; `never` lifts what was said before
    #[arg(long, value_name = "HOURS|never", value_parser = hours)]
    expires_in: Option<Expiry>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Adds a filter, and prints its number
    Add {
        /// Whose it is to be, by name
        account: String,
        /// The expression
        #[arg(allow_hyphen_values = true)]
        filter: String,
        #[command(flatten)]
        facts: Facts,
    },
    /// Lists the filters of an account, in its order
    List {
        /// Whose, by name
        account: String,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Changes a filter; what is not said stays as it is
    Edit {
        /// Which one, by its number, as `list` shows it
        number: i64,
        /// The new expression
        #[arg(long, value_name = "E", allow_hyphen_values = true)]
        filter: Option<String>,
        #[command(flatten)]
        facts: Facts,
        /// Switch it on or off
        #[arg(long, value_name = "true|false")]
        enabled: Option<bool>,
    },
    /// Puts filters of an account first, in the order in which they are named; the others follow as they were
    Order {
        /// Whose, by name
        account: String,
        /// Their numbers, as `list` shows them
        #[arg(required = true, value_name = "NUMBER")]
        numbers: Vec<i64>,
    },
    /// Removes a filter
    Remove {
        /// Which one, by its number, as `list` shows it
        number: i64,
    },
    // Its documentation is that of its arguments.
    Import(import::Import),
    /// Writes the filters of an account as NDJSON, which `import` and `match` read
    Export {
        /// Whose, by name
        account: String,
    },
}

fn filter_name(name: &str) -> Result<String, String> {
    fits(name, "a filter", FILTER_NAME).map(|()| name.to_owned())
}

fn action(text: &str) -> Result<Action, String> {
    match text {
        "show" => Ok(Action::Show),
        "hide" => Ok(Action::Hide),
        "highlight" => Ok(Action::Highlight),
        "notify" => Ok(Action::Notify),
        _ => Err("must be show, hide, highlight or notify".to_owned()),
    }
}

/// A hundred years: what is to stay longer needs no end.
const MOST_HOURS: f64 = 876_000.0;

/// When a filter is switched off.
#[derive(Clone, Copy)]
enum Expiry {
    Never,
    Hours(f64),
}

fn hours(text: &str) -> Result<Expiry, String> {
    if text == "never" {
        return Ok(Expiry::Never);
    }
    let hours = text.parse::<f64>().ok().filter(|hours| *hours > 0.0 && *hours <= MOST_HOURS);
    hours.map(Expiry::Hours).ok_or_else(|| {
        format!("must be a number of hours such as 24 or 0.5, above 0 and at most {MOST_HOURS}, or `never`")
    })
}

impl Facts {
    fn apply(&self, filter: &mut NewFilter) {
        if let Some(name) = &self.name {
            filter.name.clone_from(name);
        }
        if let Some(dialect) = self.dialect {
            filter.dialect = dialect;
        }
        if let Some(action) = self.action {
            filter.action = action;
        }
        match self.expires_in {
            Some(Expiry::Hours(hours)) => filter.expires_at = Some(now() + (hours * 3_600_000.0) as i64),
            Some(Expiry::Never) => filter.expires_at = None,
            None => {}
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let settings = arguments.common.settings()?;
    let out = block_on(async {
        let database = settings.open_existing().await?;
        let (out, saved) = act(&database, &arguments.command).await?;
        if let Some((account, filters)) = saved.filter(|saved| !saved.1.is_empty()) {
            look_up(&settings, &database, account, &filters).await?;
        }
        database.close().await;
        Ok(out)
    })?;
    std::io::stdout().write_all(out.as_bytes()).map_err(|error| Failure::writing(&error))
}

/// The filters that were saved, and whose they are.
type SavedOf = Option<(i64, Vec<NewFilter>)>;

/// Does it; what is to be printed, and the filters that were saved.
async fn act(database: &Database, command: &Command) -> Result<(String, SavedOf), Failure> {
    let unknown = |number: &i64| Failure::Input(format!("there is no filter {number}"));
    match command {
        Command::Add { account: name, filter, facts } => {
            let account = account(database, name).await?;
            let mut new = NewFilter { text: filter.clone(), ..NewFilter::default() };
            facts.apply(&mut new);
            Checker::of(database, account).await?.check(&new, &given())?;
            let number = database.add_filter(account, &new).await.map_err(refused)?;
            Ok((format!("{number}\n"), Some((account, vec![new]))))
        }
        Command::List { account: name, json } => {
            let filters = database.account_filters(account(database, name).await?).await.map_err(failure)?;
            let shown = filters.iter().map(|row| if *json { ndjson(row, name) } else { shown(row) });
            Ok((shown.collect(), None))
        }
        Command::Edit { number, filter, facts, enabled } => {
            let row = database.filter(*number).await.map_err(failure)?.ok_or_else(|| unknown(number))?;
            let mut new = row.filter.clone();
            if let Some(text) = filter {
                new.text.clone_from(text);
            }
            facts.apply(&mut new);
            if let (Some(true), Some(at)) = (*enabled, new.expires_at.filter(|at| *at <= now())) {
                return Err(Failure::Input(format!(
                    "filter {number} has expired at {}, and would be switched off again; say when it shall end, or \
                     that it shall not: --enabled true --expires-in never",
                    rfc3339(at)
                )));
            }
            let is_read_anew = (&new.text, new.dialect) != (&row.filter.text, row.filter.dialect);
            // One whose list is gone can still be renamed and switched off.
            if is_read_anew || *enabled == Some(true) {
                Checker::of(database, row.account).await?.check(&new, &given())?;
            }
            match database
                .change_filter(*number, Some(row.revision), &new, *enabled)
                .await
                .map_err(refused)?
            {
                Changed::Done => Ok((String::new(), is_read_anew.then(|| (row.account, vec![new])))),
                Changed::Missing => Err(unknown(number)),
                Changed::Meanwhile(_) => {
                    let message = format!(
                        "somebody has changed filter {number} meanwhile; nothing was changed, try again"
                    );
                    Err(Failure::Input(message))
                }
            }
        }
        Command::Order { account: name, numbers } => {
            let account = account(database, name).await?;
            let rows = database.account_filters(account).await.map_err(failure)?;
            let known: HashSet<i64> = rows.iter().map(|row| row.id).collect();
            if let Some(number) = numbers.iter().find(|number| !known.contains(*number)) {
                return Err(Failure::Input(format!(
                    "{name} has no filter {number}; nothing was changed. `tweetfilter filter list {name}` shows them"
                )));
            }
            let mut named = HashSet::new();
            let all = numbers.iter().copied().chain(rows.iter().map(|row| row.id));
            let order: Vec<i64> = all.filter(|id| named.insert(*id)).collect();
            database.order_filters(account, &order).await.map_err(failure)?;
            Ok((String::new(), None))
        }
        Command::Remove { number } => match database.remove_filter(*number).await.map_err(failure)? {
            true => Ok((String::new(), None)),
            false => Err(unknown(number)),
        },
        Command::Import(file) => {
            let account = account(database, &file.account).await?;
            let (out, saved) = import::import(database, file).await?;
            Ok((out, Some((account, saved))))
        }
        Command::Export { account: name } => {
            let filters = database.account_filters(account(database, name).await?).await.map_err(failure)?;
            Ok((filters.iter().map(|row| ndjson(row, name)).collect(), None))
        }
    }
}

/// A filter that costs too much is as one that is invalid: it is said what would do.
pub(super) fn refused(error: StoreError) -> Failure {
    match error {
        StoreError::OverBudget(over) => {
            told!(
                "tweetfilter: {over}\nnothing was changed. Make one of them cheaper, remove or switch off one, or have \
                 whoever runs the server raise owner-budget"
            );
            Failure::Filters
        }
        error => failure(error),
    }
}

/// Where an expression of the command line is.
fn given() -> Origin {
    Origin { name: "filter".to_owned(), line: 1, within: None }
}

/// What a filter must fit in with: lists, and who its owner is.
struct Checker {
    builder: FilterSetBuilder,
    owner: OwnerId,
    next: u64,
}

impl Checker {
    async fn of(database: &Database, account: i64) -> Result<Self, Failure> {
        let (builder, owner) = database.owner(account).await.map_err(failure)?;
        Ok(Self { builder, owner, next: 0 })
    }

    /// Says on stderr what is wrong with a filter.
    fn check(&mut self, filter: &NewFilter, origin: &Origin) -> Result<(), Failure> {
        let parsed = Expression::parse_with(&filter.text, filter.dialect, &Limits::default());
        let found: Vec<Diagnostic> = match parsed {
            Err(error) => error.diagnostics().to_vec(),
            Ok(expression) => {
                self.next += 1;
                match self.builder.add_expression(FilterId(self.next), Some(self.owner), expression) {
                    Ok(_) => return Ok(()),
                    Err(AddError::Refused(found)) => vec![*found],
                    Err(AddError::Parse(error)) => error.diagnostics().to_vec(),
                    Err(AddError::DuplicateId(_)) => Vec::new(),
                }
            }
        };
        tell!("{}", render::diagnostics(&found, &filter.text, origin, Style::stderr()));
        Err(Failure::Filters)
    }
}

fn shown(row: &FilterRow) -> String {
    let FilterRow { id, filter, enabled, .. } = row;
    let mut facts = vec![action_name(filter.action).to_owned()];
    if filter.dialect == Dialect::X {
        facts.push("dialect x".to_owned());
    }
    if !enabled {
        facts.push("off".to_owned());
    }
    facts.extend(filter.expires_at.map(|at| format!("until {}", rfc3339(at))));
    format!("{id}\t{}\t{}\t{}\n", facts.join(", "), one_line(&filter.name), one_line(&filter.text))
}

fn ndjson(row: &FilterRow, account: &str) -> String {
    let NewFilter { name, text, dialect, action, expires_at } = &row.filter;
    let mut object = json!({
        "id": row.id.to_string(), "filter": text, "owner": account, "dialect": dialect_name(*dialect),
        "action": action_name(*action), "enabled": row.enabled,
    });
    if !name.is_empty() {
        object["name"] = json!(name);
    }
    if let Some(at) = expires_at {
        object["expires_at"] = json!(rfc3339(*at));
    }
    format!("{object}\n")
}
