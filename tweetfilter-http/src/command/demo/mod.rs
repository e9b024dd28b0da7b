//! `demo`: the whole server on an invented stream, in a file that is gone at its end.

mod samples;
mod show;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tweetfilter_core::post::Account;
use tweetfilter_core::{Expression, FilterId, FilterSetBuilder, OwnerId};
use tweetfilter_http::ops::{Counted, Part, Probe, Process, Recorder};
use tweetfilter_http::parts::{
    self, Buffers, Instance, Kind, SourceSettings, Stop, Works, catch_panics, supervise,
};
use tweetfilter_http::{api, page};
use tweetfilter_sql::{AccountIdentity, Database, Embedded, NewFilter, Scope};
use tweetfilter_stream::buffer::Buffer;
use tweetfilter_stream::store::Action;
use tweetfilter_stream::worker::{Options, Worker};

use super::Failure;
use super::filters;
use super::serve::ended_by_signal;
use super::settings::{block_on, failure};
use samples::{PEOPLE, SAMPLES, VISITOR};
use show::{Shown, Watched};

/// Runs the server on an invented, lively stream, and shows what a dozen filters find, until Ctrl-C.
///
/// Five people watch, each with filters of their own and a timeline of their own. A stream as X sent it for them goes
/// through buffer, worker and store in a file that is removed at the end; what is shown, with the parts that
/// matched, is read from that store, and so is the account of it at the end. An address is printed where the same
/// is seen in a browser, signed in as one who sees what all five see.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Ends after so many seconds; without it at Ctrl-C, and after 30 where there is no terminal
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,

    /// Lines of the stream a second
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,

    /// A filter of your own, which sees everything; may be given again
    #[arg(long = "expr", value_name = "E", allow_hyphen_values = true)]
    expressions: Vec<String>,

    /// Where the page listens; `off` for not at all [default: 127.0.0.1:8080, or another port if that is taken]
    #[arg(long, value_name = "ADDRESS|off")]
    listen: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  tweetfilter demo
  tweetfilter demo --expr 'coffee -is:retweet'
  tweetfilter demo --seconds 10 --rate 50 --listen off

Exit: 0 done; 1 a filter is invalid; 2 wrong usage, or it can't run.";

/// Seconds without a terminal.
const UNATTENDED: u64 = 30;
/// The name of the source.
const SOURCE: &str = "site";
/// How long what was read may take to its end.
const DRAIN: Duration = Duration::from_secs(20);
/// What the viewer of the own filters is called, as whom the page is signed in.
const YOU: &str = "You";
/// Where the page listens if nothing is said and nobody else does.
const LISTEN: &str = "127.0.0.1:8080";

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let own = filters::load_files(&[], &arguments.expressions, None, &[])?.compile()?;
    filters::report(&own.refused);
    if !own.refused.is_empty() {
        return Err(Failure::Filters);
    }
    let seconds = arguments.seconds.or((!std::io::stdout().is_terminal()).then_some(UNATTENDED));
    let folder = tempfile::Builder::new().prefix("tweetfilter-demo-").tempdir();
    let folder =
        folder.map_err(|error| Failure::Input(format!("no folder for the demonstration: {error}")))?;
    catch_panics();
    block_on(async {
        let path = folder.path().join("demo.db");
        let database = Database::open(&path.to_string_lossy()).await.map_err(failure)?;
        let (watched, you) = people(&database, &arguments.expressions).await?;
        let (tell, stop) = Stop::new();
        let process = Process::new("demo", None);
        let answering = answer(&process, &database, you, arguments.listen.as_deref(), stop.clone()).await?;
        let buffer = database.buffer().map(Buffers::Embedded);
        let probe = Probe::new(&[], folder.path());
        let recording =
            tokio::spawn(Recorder::new(process.clone(), database.clone(), buffer, probe).run(stop));
        let time = seconds.map(Duration::from_secs);
        let shown = demonstrate(&process, &database, watched, arguments.rate, time).await;
        let _ = tell.send(true);
        let _ = recording.await;
        if let Some(answering) = answering {
            let _ = answering.await;
        }
        database.close().await;
        shown
    })
}

/// Somebody who watches: who they are in the stream, and names and texts of their filters.
struct Watcher<'a> {
    person: &'a str,
    identities: Vec<AccountIdentity>,
    filters: Vec<(&'a str, &'a str)>,
}

/// Serves API and page beside the terminal, and prints an address that signs in.
async fn answer(
    process: &Arc<Process>,
    database: &Database,
    account: i64,
    listen: Option<&str>,
    stop: Stop,
) -> Result<Option<JoinHandle<()>>, Failure> {
    if listen == Some("off") {
        return Ok(None);
    }
    let api = api::Api::new(database.clone(), api::Options::default(), stop.clone());
    process.add(api.part().clone());
    let app = || api::app(&api).merge(page::app());
    let serving = match listen {
        Some(address) => api::listen(&api, app(), address).await,
        None => match api::listen(&api, app(), LISTEN).await {
            Ok(serving) => Ok(serving),
            Err(_) => api::listen(&api, app(), "127.0.0.1:0").await,
        },
    };
    let serving = serving.map_err(failure)?;
    let secret = api::new_secret("tf_").map_err(failure)?;
    database.add_token(account, "demo", &api::digest(&secret), Scope::Admin).await.map_err(failure)?;
    told!("in a browser: http://{}/#token={secret}\n", serving.address().map_err(failure)?);
    Ok(Some(tokio::spawn(async move { serving.run(stop).await })))
}

/// Adds the accounts and their filters, as `account add` and `filter add` do; gives who looks on, too.
async fn people(database: &Database, expressions: &[String]) -> Result<(Watched, i64), Failure> {
    let mut builder = FilterSetBuilder::new();
    let mut filters = BTreeMap::new();
    let identity = |number: usize| {
        let account = Account { id: number.to_string(), ..Account::default() };
        ("x".to_owned(), account)
    };
    let mut watchers: Vec<Watcher<'_>> = Vec::new();
    for (number, person) in (1..).zip(PEOPLE) {
        let own = SAMPLES.iter().filter(|sample| sample.account as usize == number);
        let filters = own.map(|own| (own.name, own.filter)).collect();
        watchers.push(Watcher { person, identities: vec![identity(number)], filters });
    }
    let own = expressions.iter().map(|text| (text.as_str(), text.as_str())).collect();
    let identities = (1..=PEOPLE.len()).map(identity).collect();
    watchers.push(Watcher { person: YOU, identities, filters: own });
    let mut you = 0;
    for Watcher { person, identities, filters: own } in watchers {
        let account = database.add_account(person, &identities).await.map_err(failure)?;
        you = account;
        for (name, text) in own {
            let index = filters.len();
            let parsed = Expression::parse(text).map_err(|error| failure(format!("{text}: {error}")))?;
            let owner = Some(OwnerId(account.cast_unsigned()));
            let added = builder.add_expression(FilterId(index as u64), owner, parsed);
            added.map_err(|error| failure(format!("{text}: {error}")))?;
            let new = NewFilter { name: name.to_owned(), text: text.to_owned(), ..NewFilter::default() };
            let number = database.add_filter(account, &new).await.map_err(failure)?;
            filters.insert(number, Shown { index, person: person.to_owned(), name: name.to_owned() });
        }
    }
    if expressions.is_empty() {
        // Not shown in the terminal, which has those of the others.
        let sample = |&(name, text, action): &(&str, &str, Action)| NewFilter {
            name: name.to_owned(),
            text: text.to_owned(),
            action,
            ..NewFilter::default()
        };
        let samples: Vec<NewFilter> = VISITOR.iter().map(sample).collect();
        database.add_filters(you, &samples).await.map_err(failure)?;
    }
    Ok((Watched { set: builder.build(), filters }, you))
}

/// The stream as X sent it: a line for each viewer.
fn source(rate: u32) -> SourceSettings {
    // Another stream each day that the demonstration is shown.
    let day = std::time::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_secs() / 86_400);
    let parameters = [("seed", day), ("accounts", PEOPLE.len() as u64), ("audience", 2), ("live", 1)];
    SourceSettings {
        rate: Some(f64::from(rate)),
        parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_string())).into(),
        ..SourceSettings::new(Kind::Generated)
    }
}

/// Runs the parts until it is told to end, and shows what comes of it.
///
/// Whatever looks at the store does so beside the parts, as the terminal does here, and ends with `finished`.
async fn demonstrate(
    process: &Arc<Process>,
    database: &Database,
    watched: Watched,
    rate: u32,
    time: Option<Duration>,
) -> Result<(), Failure> {
    let buffer = database.buffer().ok_or_else(|| failure("the demonstration needs a file"))?;
    let (tell_source, source_stop) = Stop::new();
    let (tell_worker, worker_stop) = Stop::new();
    let (finish, finished) = Stop::new();
    let started = Instant::now();
    let reads = tokio::spawn(read(
        process.part(&format!("ingest {SOURCE}")),
        database.clone(),
        buffer.clone(),
        source(rate),
        source_stop,
    ));
    let works = tokio::spawn(work(process.part("work"), database.clone(), buffer.clone(), worker_stop));
    let watches = tokio::spawn(show::watch(database.clone(), watched, finished));

    // Who reads what is shown may have gone, as `head` does.
    tokio::pin!(watches);
    let mut closed = None;
    tokio::select! {
        _ = ended_by_signal() => {}
        () = async { tokio::time::sleep(time.unwrap_or(Duration::MAX)).await } => {}
        watched = &mut watches => closed = Some(watched),
    }
    let time = started.elapsed();
    // In the order of the chain, so that everything that was read comes to its end.
    let _ = tell_source.send(true);
    let _ = reads.await;
    let drained = drained(&buffer).await;
    let _ = tell_worker.send(true);
    let _ = works.await;
    let _ = finish.send(true);
    let watched = match closed {
        Some(watched) => watched,
        None => watches.await,
    };
    let watched = watched.map_err(failure)??;
    show::summary(database, &watched, time, drained).await
}

async fn read(part: Arc<Part>, database: Database, buffer: Embedded, source: SourceSettings, stop: Stop) {
    let buffer = Counted::new(buffer, &part);
    supervise(&part, &database, stop.clone(), || {
        let (buffer, source, stop) = (buffer.clone(), source.clone(), stop.clone());
        Box::pin(async move {
            let instance = Instance::new("demo");
            parts::ingest(buffer, SOURCE, &source, &instance, stop, |_, _| {}).await.map(|_| ())
        })
    })
    .await;
}

async fn work(part: Arc<Part>, database: Database, buffer: Embedded, stop: Stop) {
    supervise(&part, &database, stop.clone(), || {
        let (buffer, store) = (Counted::new(buffer.clone(), &part), Counted::new(database.clone(), &part));
        let works = Works::new(Worker::new("demo", buffer, store, Options::default())).counted_by(&part);
        let stop = stop.clone();
        Box::pin(async move { works.run(false, stop).await.map(|_| ()) })
    })
    .await;
}

/// Waits until the worker has done everything; false if it takes too long.
async fn drained(buffer: &Embedded) -> bool {
    let end = Instant::now() + DRAIN;
    while buffer.stats().await.is_ok_and(|stats| stats.entries > 0) {
        if Instant::now() > end {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    true
}
