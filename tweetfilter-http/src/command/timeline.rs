//! `timeline` and `tail`: what accounts see.

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use serde_json::json;
use tweetfilter_http::people::{People, unnamed};
use tweetfilter_sql::{Database, Page, Tail as Stretch, TimelinePost};
use tweetfilter_stream::store::StoreError;

use super::Failure;
use super::account::account;
use super::highlight;
use super::settings::{Common, block_on, failure};
use super::terminal::{Color, Style, fit, one_line, output_is_closed, pad};
use super::time::rfc3339;

/// Shows what an account saw, newest first, with what its filters said.
#[derive(clap::Args)]
#[command(after_long_help = "\
Examples:
  tweetfilter timeline ann
  tweetfilter timeline ann --filter 3 --limit 10 --json")]
pub(crate) struct Timeline {
    /// Whose, by name
    account: String,

    /// Only what this filter matched, by its number
    #[arg(long, value_name = "N")]
    filter: Option<i64>,

    /// At most so many posts
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,

    /// With what filters hide
    #[arg(long)]
    hidden: bool,

    /// One JSON object a line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    common: Common,
}

/// Shows what is stored as it comes, until Ctrl-C.
#[derive(clap::Args)]
#[command(after_long_help = "\
Examples:
  tweetfilter tail --account ann
  tweetfilter tail --json | jq .post.text")]
pub(crate) struct Tail {
    /// Only what this account sees
    #[arg(long, value_name = "NAME")]
    account: Option<String>,

    /// Only what this filter matched, by its number
    #[arg(long, value_name = "N")]
    filter: Option<i64>,

    /// Begin behind this commit, instead of with what is new
    #[arg(long, value_name = "N")]
    after: Option<i64>,

    /// One JSON object a line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    common: Common,
}

/// How often is looked for what is new.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) fn timeline(arguments: &Timeline) -> Result<(), Failure> {
    let settings = arguments.common.settings()?;
    let out = block_on(async {
        let database = settings.open_existing().await?;
        let id = account(&database, &arguments.account).await?;
        let page =
            Page { before: None, limit: arguments.limit, filter: arguments.filter, hidden: arguments.hidden };
        let posts = database.timeline(id, &page).await.map_err(failure)?;
        // What a filter matched stays when it is removed.
        if let (Some(number), true) = (arguments.filter, posts.is_empty()) {
            known(&database, id, &arguments.account, number).await?;
        }
        let shown = Shown::of(&database, arguments.json, &posts).await.map_err(failure)?;
        database.close().await;
        Ok(posts.iter().map(|post| shown.line(post, false)).collect::<String>())
    })?;
    std::io::stdout().write_all(out.as_bytes()).map_err(|error| Failure::writing(&error))
}

pub(crate) fn tail(arguments: &Tail) -> Result<(), Failure> {
    let settings = arguments.common.settings()?;
    block_on(async {
        let database = settings.open_existing().await?;
        let id = match &arguments.account {
            Some(name) => Some(account(&database, name).await?),
            None => None,
        };
        if let Some(number) = arguments.filter {
            can_match(&database, id.zip(arguments.account.as_deref()), number).await?;
        }
        let mut after = match arguments.after {
            Some(after) => after,
            None => database.status().await.map_err(failure)?.commit,
        };
        let mut away = false;
        loop {
            let (tail, shown) = match next(&database, id, after, arguments.json).await {
                Ok(found) => found,
                // A server that restarts comes back, and nothing is missed: it goes on behind what was shown.
                Err(reason @ (StoreError::Away(_) | StoreError::Retry(_))) => {
                    if !std::mem::replace(&mut away, true) {
                        told!("tweetfilter: waits for the store: {reason}");
                    }
                    pause().await?;
                    continue;
                }
                Err(error) => return Err(failure(error)),
            };
            if std::mem::take(&mut away) {
                told!("tweetfilter: the store is back");
            }
            if !tail.posts.is_empty() {
                let wanted =
                    |post: &&TimelinePost| arguments.filter.is_none_or(|f| post.filters.contains(&f));
                let out: String =
                    tail.posts.iter().filter(wanted).map(|post| shown.line(post, id.is_none())).collect();
                let mut stdout = std::io::stdout();
                stdout
                    .write_all(out.as_bytes())
                    .and_then(|()| stdout.flush())
                    .map_err(|error| Failure::writing(&error))?;
            }
            if tail.up_to == after {
                pause().await?;
            }
            after = tail.up_to;
        }
    })
}

/// Waits until it is time to look again; an error if nobody reads any more what would be shown.
async fn pause() -> Result<(), Failure> {
    tokio::time::sleep(LOOK).await;
    if output_is_closed() { Err(Failure::Closed) } else { Ok(()) }
}

/// What is behind a commit, and how it is shown.
async fn next(
    database: &Database,
    account: Option<i64>,
    after: i64,
    json: bool,
) -> Result<(Stretch, Shown), StoreError> {
    let tail = database.tail(account, after, 1000).await?;
    let shown = Shown::of(database, json, &tail.posts).await?;
    Ok((tail, shown))
}

/// Whether an account has a filter of this number.
async fn known(database: &Database, account: i64, name: &str, number: i64) -> Result<(), Failure> {
    let filter = database.filter(number).await.map_err(failure)?;
    match filter.filter(|filter| filter.account == account) {
        Some(_) => Ok(()),
        None => Err(Failure::Input(format!(
            "{name} has no filter {number}, and nothing that one matched; `tweetfilter filter list {name}` shows them"
        ))),
    }
}

/// Whether there is a filter of this number, or at least something that it matched before it was removed: else nothing would
/// ever be shown.
async fn can_match(database: &Database, of: Option<(i64, &str)>, number: i64) -> Result<(), Failure> {
    if let Some((id, name)) = of {
        let page = Page { before: None, limit: 1, filter: Some(number), hidden: true };
        return match database.timeline(id, &page).await.map_err(failure)?.is_empty() {
            true => known(database, id, name, number).await,
            false => Ok(()),
        };
    }
    match database.filter(number).await.map_err(failure)? {
        Some(_) => Ok(()),
        None => Err(Failure::Input(format!(
            "there is no filter {number}; `tweetfilter filter list ACCOUNT` shows those that there are. What one matched that was removed is shown \
             with --account, which says whose it was"
        ))),
    }
}

/// How posts are shown.
struct Shown {
    json: bool,
    style: Style,
    accounts: HashMap<i64, String>,
    /// What filters are called.
    filters: HashMap<i64, String>,
    people: People,
}

impl Shown {
    async fn of(database: &Database, json: bool, posts: &[TimelinePost]) -> Result<Self, StoreError> {
        let (mut accounts, mut filters) = (HashMap::new(), HashMap::new());
        // `tail` looks five times a second: what nothing is shown of is not asked for.
        let all = if posts.is_empty() { Vec::new() } else { database.accounts().await? };
        for account in all {
            for row in database.account_filters(account.id).await? {
                let name = if row.filter.name.is_empty() { row.filter.text } else { row.filter.name };
                filters.insert(row.id, name);
            }
            accounts.insert(account.id, account.name);
        }
        let people = People::of(database, unnamed(posts)).await?;
        Ok(Self { json, style: Style::stdout(), accounts, filters, people })
    }

    fn line(&self, seen: &TimelinePost, with_account: bool) -> String {
        let account = self.accounts.get(&seen.account).cloned().unwrap_or_default();
        let (handle, name) = self.people.called(&seen.network, &seen.post.author);
        if self.json {
            let object = json!({
                "account": account,
                "commit": seen.cursor.commit,
                "network": seen.network,
                "id": seen.native_id,
                "author": { "id": seen.post.author.account.id, "handle": handle, "name": name },
                "received_at": rfc3339(seen.received_at),
                "source": seen.source,
                "hidden": seen.verdict.hidden,
                "highlighted": seen.verdict.highlighted,
                "notify": seen.verdict.notify,
                "filters": seen.filters,
                "post": seen.post,
            });
            return format!("{object}\n");
        }
        let style = self.style;
        let called = |id: &i64| self.filters.get(id).cloned().unwrap_or_else(|| id.to_string());
        let names: Vec<String> = seen.filters.iter().map(called).collect();
        let handle = format!("@{}", handle.unwrap_or(&seen.post.author.account.id));
        let by = name.map_or(handle.clone(), |name| format!("{handle} {name}"));
        let mark = match (seen.verdict.hidden, seen.verdict.notify, seen.verdict.highlighted) {
            (true, ..) => "-",
            (_, true, _) => "!",
            (_, _, true) => "*",
            _ => " ",
        };
        let who = if with_account { format!("{} ", pad(&one_line(&account), 8)) } else { String::new() };
        let left = style.width().saturating_sub(68).max(30);
        format!(
            "{who}{mark} {} {} {} {}\n",
            style.paint(Color::Dim, &rfc3339(seen.received_at / 1000 * 1000)),
            style.paint(Color::Name, &pad(&fit(&one_line(&by), 24), 24)),
            highlight::of_post(&seen.post, &[], left, style),
            style.paint(Color::Dim, &one_line(&names.join(", "))),
        )
    }
}
