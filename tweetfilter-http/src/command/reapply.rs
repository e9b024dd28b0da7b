//! `reapply`: what was stored is tried on the present filters.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use tweetfilter_core::Expression;
use tweetfilter_core::post::Millis;
use tweetfilter_core::syntax::{Atom, NodeKind};
use tweetfilter_http::parts::Stop;
use tweetfilter_sql::{Database, LookBack, Stepped};
use tweetfilter_stream::store::StoreError;

use super::Failure;
use super::account::account;
use super::bar::bar;
use super::serve::ended_by_signal;
use super::settings::{Common, block_on, failure};
use super::stderr;

/// Looks back: tries what accounts saw, as far as it is stored, on the filters that they have now.
///
/// Verdicts and matches are changed where they differ, in their places in the timeline; what everybody sees is tried
/// too. It goes in small steps beside the server, and can be broken off: the same command goes on where it stood.
/// When filters are changed meanwhile, it begins again by itself.
///
/// `tried` counts what each account saw, and each post that everybody sees; `changed` is what an account saw and filters say
/// something else of now. Of posts that everybody sees, `added` is what an account's filters find only now, and `removed`
/// what they find no longer.
#[derive(clap::Args)]
#[command(after_long_help = "\
Examples:
  tweetfilter reapply ann
  tweetfilter reapply --all --since 2026-11-01
  tweetfilter reapply ann --filter 3 --rate 500")]
pub(crate) struct Arguments {
    /// Whose filters
    #[arg(value_name = "ACCOUNT", required_unless_present = "all")]
    accounts: Vec<String>,

    /// Those of all accounts
    #[arg(long, conflicts_with = "accounts")]
    all: bool,

    /// Only posts that were received at this time or later, as in `since:`
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Millis>,

    /// Only posts that were received before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Millis>,

    /// Only this filter, by its number: what others matched stays as it is
    #[arg(long, value_name = "N")]
    filter: Option<i64>,

    /// At most so many posts a second; without it, half of the time is left to others
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,

    #[command(flatten)]
    common: Common,
}

/// A time in one of the forms of `since:`.
fn time(text: &str) -> Result<Millis, String> {
    let parsed = Expression::parse(&format!("since:{text}"));
    match parsed.as_ref().map(|expression| &expression.root().kind) {
        Ok(NodeKind::Atom(Atom::Time(_, time))) => Ok(time.millis),
        _ => Err("must be a time, such as 2026-11-25 or 2026-11-25T18:30:00Z".to_owned()),
    }
}

/// How long to wait for a store that is away: at first, and at most.
const WAIT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let settings = arguments.common.settings()?;
    // Signals are heeded whether or not anybody reads what is told.
    stderr::write_aside(stderr::dropped).map_err(Failure::thread)?;
    block_on(async {
        let database = settings.open_existing().await?;
        let look = look(&database, arguments).await?;
        let (tell, stop) = Stop::new();
        let signals = async {
            let _ = ended_by_signal().await;
            let _ = tell.send(true);
            std::future::pending::<()>().await;
        };
        let ended = tokio::select! {
            ended = back(&database, look, arguments.rate, stop) => ended,
            () = signals => unreachable!("it waits for ever"),
        };
        database.close().await;
        ended
    })
}

async fn look(database: &Database, arguments: &Arguments) -> Result<LookBack, Failure> {
    let mut accounts = Vec::new();
    for name in &arguments.accounts {
        accounts.push(account(database, name).await?);
    }
    if let Some(number) = arguments.filter {
        let row = database.filter(number).await.map_err(failure)?;
        if row.is_none_or(|row| !arguments.all && !accounts.contains(&row.account)) {
            return Err(Failure::Input(format!("there is no filter {number} of these accounts")));
        }
    }
    let accounts = (!arguments.all).then_some(accounts);
    Ok(LookBack { accounts, since: arguments.since, until: arguments.until, filter: arguments.filter })
}

async fn back(database: &Database, look: LookBack, rate: Option<u32>, mut stop: Stop) -> Result<(), Failure> {
    let bar = bar(Some(1000), "{bar:30} {percent}% {msg} {eta}").unwrap_or_else(ProgressBar::hidden);
    let mut reapply = database.reapply(look).await.map_err(failure)?;
    let (mut sum, mut wait) = (Stepped::default(), WAIT.0);
    while !sum.done && !stop.is_told() {
        let began = Instant::now();
        let stepped = match database.reapply_step(&mut reapply).await {
            Ok(stepped) => stepped,
            Err(error @ (StoreError::Away(_) | StoreError::Retry(_))) => {
                bar.set_message(error.to_string());
                stop.sleep(wait).await;
                wait = (wait * 2).min(WAIT.1);
                continue;
            }
            Err(error) => return Err(failure(error)),
        };
        wait = WAIT.0;
        if stepped.again {
            told!("filters were changed: it begins again");
        }
        sum.tried += stepped.tried;
        sum.changed += stepped.changed;
        sum.added += stepped.added;
        sum.removed += stepped.removed;
        sum.done = stepped.done;
        bar.set_position((stepped.share * 1000.0) as u64);
        bar.set_message(format!("{} tried, {} changed", sum.tried, sum.changed + sum.added + sum.removed));
        if !sum.done {
            let pause = match (stepped.wait, rate) {
                (Some(wait), _) => wait,
                (None, Some(rate)) => Duration::from_secs_f64(stepped.tried as f64 / f64::from(rate))
                    .saturating_sub(began.elapsed()),
                (None, None) => began.elapsed(),
            };
            stop.sleep(pause).await;
        }
    }
    bar.finish_and_clear();
    let Stepped { tried, changed, added, removed, done, .. } = sum;
    let rest = if done { "" } else { "; stopped before the end, the same command goes on" };
    told!("{tried} tried: {changed} changed, {added} added, {removed} removed{rest}");
    Ok(())
}
