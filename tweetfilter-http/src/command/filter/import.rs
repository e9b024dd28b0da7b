//! `filter import`: what a file says of the filters of an account.

use std::io::Write;

use tweetfilter_http::import::{FilterFile, FilterLine, Format, read_filters};
use tweetfilter_http::incoming::{Incoming, State, against, summary};
use tweetfilter_http::names::{FILTER_NAME, fits};
use tweetfilter_http::parts::now;
use tweetfilter_sql::{Basis, Database, FilterRow, NewFilter, Save, Saved};
use tweetfilter_stream::store::Action;

use super::super::Failure;
use super::super::account::account;
use super::super::filters::{read_text, unreadable, within};
use super::super::render::{self, Origin};
use super::super::settings::failure;
use super::super::terminal::{Style, one_line};
use super::super::time::rfc3339;
use super::{Checker, action, refused};

/// Takes in the filters of a file: adds what is new, changes what differs, leaves alone what is the same
///
/// The file is NDJSON, X's /rules JSON, Mastodon's filters, or one expression a line. A line means the filter of which
/// all is so that it says, or else the one that has its name, where that is the name of no other; of that only what the
/// line says is changed: X's form, say, knows neither actions nor expiries, and leaves them as they are; another text
/// that comes in it is of dialect x. The ids of a file mean none, since they number the filters of that file.
///
/// All filters of the file come in as the account's. Where it names owners, as `filter export` does, `--owner` takes
/// those of one alone; without it it is said how many are another's.
///
/// Each filter is printed on a line: what became of it (added, changed, or same), its number, its name, its expression,
/// and all that was changed. One whose end has passed comes in switched off, which its line says. They are kept
/// together, or none of them.
///
/// What one of Mastodon's filters does there and not here its line says too. One that holds in no timeline there, only in
/// profiles say, comes in switched off; one that only blurs media does not hide, but does --action.
#[derive(clap::Args)]
pub(super) struct Import {
    /// Whose they are to be, by name
    pub(super) account: String,
    /// The file; `-` reads standard input
    file: String,
    /// What a match of a new filter does, where the file does not say [default: highlight]
    #[arg(long, value_name = "show|hide|highlight|notify", value_parser = action)]
    action: Option<Action>,
    /// Take only the filters whose owner the file says is this one
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Leave invalid filters out, and such as the format of the file does not allow, instead of importing nothing
    #[arg(long)]
    keep_going: bool,
    /// Print what would come in (new) and what would differ (differs), and change nothing
    ///
    /// Filters that would cost too much together are refused as they would be without it.
    #[arg(long)]
    dry_run: bool,
}

/// Does it; what is to be printed, and the filters that were saved.
pub(super) async fn import(
    database: &Database,
    import: &Import,
) -> Result<(String, Vec<NewFilter>), Failure> {
    let (file, account) = (&import.file, account(database, &import.account).await?);
    let text = read_text(file)?;
    let mut read = read_filters(&text).map_err(|malformed| Failure::Input(format!("{file}: {malformed}")))?;
    if let Some(said) = owners(&mut read, import) {
        told!("{said}");
    }
    for _ in 0..TRIES {
        let rows = database.account_filters(account).await.map_err(failure)?;
        if let Some(done) = once(database, import, account, &read, &rows).await? {
            return Ok(done);
        }
    }
    Err(Failure::Input(format!(
        "somebody changes the filters of {} all the while; nothing was imported, try again",
        one_line(&import.account)
    )))
}

/// Leaves the filters of the owner that is asked for; what is to be said of those of others.
fn owners(read: &mut FilterFile, import: &Import) -> Option<String> {
    let all = read.filters.len();
    if let Some(owner) = &import.owner {
        let left = read.keep_owner(owner);
        return (left > 0).then(|| {
            format!("tweetfilter: {left} of {all} filters are not of owner {}, and left out", one_line(owner))
        });
    }
    let account = import.account.as_str();
    let others = read.other_owners(account);
    let first = others.first()?;
    Some(format!(
        "tweetfilter: {} of {all} filters are of another owner, such as {}, and come in as {}'s; --owner NAME \
         takes those of one alone",
        others.len(),
        one_line(first),
        one_line(account)
    ))
}

/// How often it is begun anew since the account's filters were changed meanwhile.
const TRIES: usize = 5;

/// Does it once; nothing if the account's filters were changed meanwhile.
async fn once(
    database: &Database,
    import: &Import,
    account: i64,
    read: &FilterFile,
    rows: &[FilterRow],
) -> Result<Option<(String, Vec<NewFilter>)>, Failure> {
    let file = &import.file;
    let mut coming = against(read, rows, import.action.unwrap_or_default(), now());
    let all = coming.len();
    let mut checker = Checker::of(database, account).await?;
    let mut lines = read.filters.iter();
    coming.retain(|one| {
        let origin = lines.next().map(|line| origin(file, read.format, line));
        origin.is_some_and(|origin| {
            is_read(one, &origin) && is_named(one, file) && checker.check(&one.filter, &origin).is_ok()
        })
    });
    let invalid = all - coming.len();
    let nothing = invalid > 0 && !import.keep_going;
    if nothing {
        let would = if import.dry_run { "would be" } else { "was" };
        told!(
            "tweetfilter: {invalid} of {all} filters invalid, nothing {would} imported; --keep-going leaves them out"
        );
    }
    if nothing && !import.dry_run {
        return Err(Failure::Filters);
    }
    if import.dry_run && !nothing {
        let saves: Vec<_> = coming.iter().filter_map(Incoming::save).collect();
        database.filters_fit(account, &saves).await.map_err(refused)?;
    } else if !import.dry_run && !keep(database, account, Basis::of(rows), &mut coming).await? {
        return Ok(None);
    }
    told!("{}", summary(coming.iter().map(|one| one.state), invalid, !import.dry_run));
    let out: String = coming.iter().map(|one| shown(one, import.dry_run)).collect();
    if nothing {
        std::io::stdout().write_all(out.as_bytes()).map_err(|error| Failure::writing(&error))?;
        return Err(Failure::Filters);
    }
    coming.retain(|one| one.state != State::Same && !import.dry_run);
    Ok(Some((out, coming.into_iter().map(|one| one.filter).collect())))
}

/// Says it if a filter is not as the format of its file asks.
fn is_read(one: &Incoming, origin: &Origin) -> bool {
    let Some(fault) = &one.fault else { return true };
    let found = [unreadable(fault)];
    tell!("{}", render::diagnostics(&found, &one.filter.text, origin, Style::stderr()));
    false
}

/// Says it if the name of a filter that would be kept is too long.
fn is_named(one: &Incoming, file: &str) -> bool {
    let named = fits(&one.filter.name, "a filter", FILTER_NAME);
    match named {
        Err(said) if one.state != State::Same => {
            told!("{file}:{}: {said}", one.line);
            false
        }
        _ => true,
    }
}

/// Where a filter of a file stands.
fn origin(file: &str, format: Format, line: &FilterLine) -> Origin {
    let within = (format != Format::Plain).then(|| within(line));
    Origin { name: file.to_owned(), line: line.line, within }
}

/// Keeps what is new or differs, all of it or nothing. False if the account's filters are others by now.
async fn keep(
    database: &Database,
    account: i64,
    basis: Basis,
    coming: &mut [Incoming],
) -> Result<bool, Failure> {
    let saves = coming.iter().enumerate().filter_map(|(n, one)| Some((n, one.save()?)));
    let (places, saves): (Vec<usize>, Vec<Save<'_>>) = saves.unzip();
    if saves.is_empty() {
        return Ok(true);
    }
    let saved = database.save_filters_on(account, &saves, usize::MAX, Some(basis));
    let ids = match saved.await.map_err(refused)? {
        Saved::Done(ids) => ids,
        Saved::Others | Saved::Missing(_) | Saved::Meanwhile(..) => return Ok(false),
        Saved::TooMany(held) => {
            return Err(Failure::Input(format!(
                "there are {held} filters already, and no more fit; nothing was imported"
            )));
        }
    };
    for (place, id) in places.into_iter().zip(ids) {
        coming[place].id = Some(id);
    }
    Ok(true)
}

/// A filter as it came in, or would: one line.
fn shown(one: &Incoming, dry_run: bool) -> String {
    let state = match one.state {
        State::New if !dry_run => "added",
        State::Differs if !dry_run => "changed",
        state => state.name(),
    };
    let number = one.id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let NewFilter { name, text, .. } = &one.filter;
    let mut line = format!("{state}\t{number}\t{}\t{}", one_line(name), one_line(text));
    let changes = one
        .changes
        .iter()
        .map(|change| format!("{}: {} -> {}", change.field, one_line(&change.from), one_line(&change.to)));
    let ended = one.ended.map(|at| format!("off: ended at {}", rfc3339(at)));
    let differs = one.differences.iter().map(|differs| one_line(&differs.message));
    let changes: Vec<_> = changes.chain(ended).chain(differs).collect();
    if !changes.is_empty() {
        line.push('\t');
        line.push_str(&changes.join("; "));
    }
    line.push('\n');
    line
}
