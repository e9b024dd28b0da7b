//! `serve`, `ingest`, `work` and `api`: the parts, together or one by one.

mod ops;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tweetfilter_http::api;
use tweetfilter_http::ops::{Counted, Part, Process};
use tweetfilter_http::page;
use tweetfilter_http::parts::{
    self, Buffers, Instance, Kind, SourceSettings, Stop, Worked, Works, catch_panics, supervise,
};
use tweetfilter_sql::Database;
use tweetfilter_stream::worker::{Options, Worker};

pub(super) use self::ops::Noted;
use self::ops::Ops;
use super::Failure;
use super::running::Running;
use super::settings::{Common, Keep, Settings, block_on, failure};

/// Runs sources, a worker and the API in one process, on one file if nothing else is said.
///
/// What sources give is kept in the buffer, each post is tried on the filters of everyone who saw it, and the
/// results are stored. The page is at the address where it listens, for who has a token. It ends at Ctrl-C or SIGTERM, within 10 seconds, and loses nothing.
///
/// Sources are reached through the proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names, but for those in NO_PROXY.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Serve {
    #[command(flatten)]
    ingest: Ingest,
}

const EXAMPLES: &str = "\
Examples:
  tweetfilter account add ann --identity bluesky:ann.bsky.social
  tweetfilter filter add ann 'snow (oslo OR bergen)'
  tweetfilter serve --source jetstream
      all of Bluesky through everybody's filters, on tweetfilter.db
  tweetfilter token add ann
      in another terminal: signs in at http://127.0.0.1:8080, the page
  tweetfilter timeline ann
      the same in the terminal: what was found
  tweetfilter work --database mysql://tf@db/tf --buffer redis://buffer
      one of several workers of a larger server";

/// Reads sources into the buffer.
///
/// They are reached through the proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names, but for those in NO_PROXY.
#[derive(clap::Args)]
pub(crate) struct Ingest {
    /// A source of the settings, or `jetstream`, `generated`; may be given again. Without it, all of the settings
    #[arg(long, value_name = "NAME")]
    source: Vec<String>,

    #[command(flatten)]
    common: Common,
}

/// Evaluates what is in the buffer, and stores the results.
#[derive(clap::Args)]
pub(crate) struct Work {
    /// End when the buffer is empty. What another worker holds is waited for, for a minute: if that one was killed, it is
    /// done too, and else left to it. What a newer version wrote stays in the buffer for a newer worker, and that is said.
    /// Told to end before (SIGTERM, Ctrl-C) it says so, and ends with 0
    #[arg(long)]
    until_empty: bool,

    #[command(flatten)]
    common: Common,
}

/// Answers programs and people: the API, as JSON over HTTP, and the page, on what is stored.
///
/// Any number may run on one store. `/api/v1/openapi.json` describes all routes, `/health/ready` says whether the store
/// takes writes. Put a server with TLS in front before it is reached from elsewhere.
#[derive(clap::Args)]
#[command(after_long_help = "\
Examples:
  tweetfilter api --listen 127.0.0.1:8080
  TOKEN=$(tweetfilter token add ann)
  curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8080/api/v1/timeline")]
pub(crate) struct Api {
    #[command(flatten)]
    common: Common,
}

pub(crate) fn serve(arguments: &Serve) -> Result<(), Failure> {
    let settings = arguments.ingest.common.settings()?;
    let sources = settings.sources(&arguments.ingest.source)?;
    if sources.is_empty() {
        return Err(Failure::Input(
            "no sources: name one, such as --source jetstream, or state them in tweetfilter.toml".to_owned(),
        ));
    }
    run("serve", &settings, sources, true, settings.listen().is_some())
}

pub(crate) fn ingest(arguments: &Ingest) -> Result<(), Failure> {
    let settings = arguments.common.settings()?;
    let sources = settings.sources(&arguments.source)?;
    if sources.is_empty() {
        return Err(Failure::Input("no sources: name one, or state them in tweetfilter.toml".to_owned()));
    }
    run("ingest", &settings, sources, false, false)
}

pub(crate) fn work(arguments: &Work) -> Result<(), Failure> {
    let settings = arguments.common.settings()?;
    if !arguments.until_empty {
        return run("work", &settings, BTreeMap::new(), true, false);
    }
    settings.log()?;
    block_on(async {
        let database = settings.open().await?;
        let buffer = settings.buffer(&database).await?;
        let (tell, stop) = Stop::new();
        let signal = signals()?;
        tokio::spawn(async move {
            signal.await;
            let _ = tell.send(true);
        });
        let stopped = stop.clone();
        let part = Part::new("work");
        let noted = Noted::begin("work", &[&part], &database, &buffer).await;
        let worked = works(&settings, &database, &buffer, &part).run(true, stop).await;
        noted.end().await;
        told(&worked.map_err(failure)?);
        if stopped.is_told() {
            told!("stopped before the buffer was empty; the same command goes on");
        }
        database.close().await;
        Ok(())
    })
}

pub(crate) fn api(arguments: &Api) -> Result<(), Failure> {
    let settings = arguments.common.settings()?;
    if settings.listen().is_none() {
        return Err(Failure::Input("`listen` is off: name an address, such as 127.0.0.1:8080".to_owned()));
    }
    run("api", &settings, BTreeMap::new(), false, true)
}

pub(super) fn told(worked: &Worked) {
    let Worked { entries, posts, deliveries, matches, suppressed, dead, newer, .. } = worked;
    told!(
        "{entries} entries: {posts} new posts, {deliveries} deliveries, {matches} matches, {suppressed} suppressed, {dead} dead"
    );
    if *newer > 0 {
        told!(
            "{newer} entries of a newer version stay in the buffer: upgrade tweetfilter, and `work` does them; until then each \
             worker leaves them where they are"
        );
    }
}

/// A worker whose store and buffer are counted.
pub(super) type Working = Works<Counted<Buffers>, Counted<Database>>;

pub(super) fn works(settings: &Settings, database: &Database, buffer: &Buffers, part: &Arc<Part>) -> Working {
    let name = match buffer {
        // On Redis the name says whose entries come back, wherever that process was.
        Buffers::Redis(_) if settings.is_named() => settings.instance.clone(),
        _ => name_of_process(settings, std::process::id()),
    };
    let (keep_all, budget) = (settings.keep == Keep::All, settings.owner_budget());
    let options = Options { keep_all, budget, ..Options::default() };
    let (buffer, store) = (Counted::new(buffer.clone(), part), Counted::new(database.clone(), part));
    Works::new(Worker::new(name, buffer, store, options)).counted_by(part)
}

/// What the worker of a process is called that has no other name. On one file all have: the lock of a server says which
/// process is gone, and others of its instance may work beside it.
fn name_of_process(settings: &Settings, process: u32) -> String {
    format!("{}-{process}", settings.instance)
}

/// Files that a server has open beside its connections: the store, sources, the binary itself.
const OTHER_FILES: u64 = 200;

/// How long parts have when they are told to end, and connections to be closed: less than the ten seconds that are
/// promised, together with what watches the parts and ends in between.
const DRAIN: Duration = Duration::from_secs(6);
const CLOSE: Duration = Duration::from_millis(1_000);

/// Runs parts until the process is told to end.
fn run(
    command: &str,
    settings: &Settings,
    sources: BTreeMap<String, SourceSettings>,
    working: bool,
    answering: bool,
) -> Result<(), Failure> {
    settings.log()?;
    catch_panics();
    for (name, source) in &sources {
        parts::check_name(name).map_err(failure)?;
        let usable = source.rate.map(parts::usable_rate).transpose();
        usable.map_err(|error| Failure::Input(format!("source {name}: {error}")))?;
    }
    block_on(async {
        let (tell, mut stop) = Stop::new();
        // Before anything is waited for, and anybody is told that it runs: who tells it to end then is heard.
        let (signal, told) = (signals()?, tell.clone());
        tokio::spawn(async move {
            let signal = signal.await;
            let _ = told.send(true);
            tracing::info!(signal, "ends");
        });
        let Some(database) = stop.unless_told(settings.store_of_part()).await.transpose()? else {
            return Ok(());
        };
        // Until it ends.
        let running = Running::begin(settings, &database, working && !sources.is_empty())?;
        let process = Process::new(command, settings.is_named().then_some(&settings.instance[..]));
        let api = answering.then(|| api::Api::new(database.clone(), settings.api.clone(), stop.clone()));
        if let Some(api) = &api {
            process.add(api.part().clone());
        }
        let bluesky = settings.bluesky() || sources.values().any(|source| source.kind == Kind::Jetstream);
        let named = |(name, source)| (process.part(&format!("ingest {name}")), name, source);
        let sources: Vec<_> = sources.into_iter().map(named).collect();
        let work = working.then(|| process.part("work"));
        let lookup = if working { settings.lookup()? } else { None };
        let lookup = lookup.map(|_| process.part("lookup"));
        let mut ops = Ops::begin(settings, &process).await?;
        let mut tasks = tokio::task::JoinSet::new();
        let mut parts = Parts {
            settings,
            database: database.clone(),
            process,
            api,
            sources,
            work,
            lookup,
            bluesky,
            stop: stop.clone(),
            tasks: &mut tasks,
        };
        parts.begin(&running, &mut ops).await?;
        // Files come to an end.
        let all = async { while tasks.join_next().await.is_some() {} };
        if stop.unless_told(all).await.is_some() {
            tracing::info!("all sources have ended");
        }
        let _ = tell.send(true);
        let drained = tokio::time::timeout(DRAIN, async { while tasks.join_next().await.is_some() {} });
        if drained.await.is_err() {
            tracing::warn!("not everything ended in time; what was leased comes back by itself");
            tasks.abort_all();
        }
        ops.end().await;
        // A server that says nothing does not say that a connection is closed, either.
        let _ = tokio::time::timeout(CLOSE, database.close()).await;
        Ok(())
    })
}

/// The parts that a process runs. Each is there before it begins, so that it can be told of which it waits for what.
struct Parts<'r> {
    settings: &'r Settings,
    database: Database,
    process: Arc<Process>,
    api: Option<api::Api>,
    /// Each with its name.
    sources: Vec<(Arc<Part>, String, SourceSettings)>,
    work: Option<Arc<Part>>,
    lookup: Option<Arc<Part>>,
    /// Whether posts of Bluesky are there to be evaluated.
    bluesky: bool,
    stop: Stop,
    tasks: &'r mut tokio::task::JoinSet<()>,
}

impl Parts<'_> {
    /// Begins them, once there is what they need. Told to end before, it leaves it at that.
    async fn begin(&mut self, running: &Running, ops: &mut Ops) -> Result<(), Failure> {
        // A server that is away is waited for, and who asks meanwhile is told so; a file is there, or never will be.
        let is_file = self.database.buffer().is_some();
        if is_file {
            self.store().await?;
        }
        if self.stop.is_told() {
            return Ok(());
        }
        self.answer(!is_file).await?;
        if !is_file {
            self.store().await?;
        }
        if let Some(api) = self.api.as_ref().filter(|_| !self.stop.is_told()) {
            api.waits_for_store(false);
        }
        let buffer = self.buffer().await?;
        if self.stop.is_told() {
            return Ok(());
        }
        ops.record(self.settings, &self.database, buffer.clone(), &mut self.stop).await;
        let Some(buffer) = buffer else { return Ok(()) };
        for warning in buffer.warnings() {
            tracing::warn!("{warning}");
        }
        // Whoever works beside it on the file goes on with what it holds; the one that had the file locked before is gone.
        if let Buffers::Embedded(embedded) = &buffer
            && let Some(process) = running.killed()
        {
            let name = name_of_process(self.settings, process);
            self.stop.unless_told(embedded.forget_leases(&name)).await.transpose().map_err(failure)?;
        }
        if let Buffers::Embedded(embedded) = &buffer {
            self.stop.unless_told(embedded.recount()).await.transpose().map_err(failure)?;
        }
        if !self.stop.is_told() {
            self.read(&buffer);
            self.evaluate(buffer);
        }
        Ok(())
    }

    /// Waits for the store, if anything needs one.
    async fn store(&mut self) -> Result<(), Failure> {
        let needs_it = self.work.is_some() || self.api.is_some();
        let all = if needs_it { self.process.parts() } else { Vec::new() };
        all.iter().for_each(|part| part.waits_for_store(true));
        let ready = self.settings.store_is_ready(&self.database, needs_it);
        if self.stop.unless_told(ready).await.transpose()?.is_some() {
            all.iter().for_each(|part| part.waits_for_store(false));
        }
        Ok(())
    }

    /// Waits for the buffer, if anything needs one.
    async fn buffer(&mut self) -> Result<Option<Buffers>, Failure> {
        let all: Vec<_> = self.sources.iter().map(|source| &source.0).chain(&self.work).collect();
        if all.is_empty() {
            return Ok(None);
        }
        all.iter().for_each(|part| part.waits_for_buffer(true));
        let opened = self.settings.buffer_of_part(&self.database, self.work.is_some());
        let buffer = self.stop.unless_told(opened).await.transpose()?;
        if buffer.is_some() {
            all.iter().for_each(|part| part.waits_for_buffer(false));
        }
        Ok(buffer)
    }

    /// Has the API listen, if there is one, and say that its store is waited for.
    async fn answer(&mut self, waits: bool) -> Result<(), Failure> {
        let (Some(api), Some(address)) = (&self.api, self.settings.listen()) else { return Ok(()) };
        let wanted = self.settings.api.connections as u64 + OTHER_FILES;
        let allowed = parts::allow_files(wanted);
        if allowed < wanted {
            tracing::warn!(
                allowed,
                "the system allows fewer open files than `connections` of [api] needs; see `ulimit -n`"
            );
        }
        api.waits_for_store(waits);
        let app = api::app(api).merge(page::app());
        let serving = Arc::new(api::listen(api, app, address).await.map_err(failure)?);
        tracing::info!(address = %serving.address().map_err(failure)?, "the API and the page listen");
        if let Some(buffer) = self.settings.buffer_elsewhere() {
            api.buffer_at(buffer.to_owned(), self.settings.redis());
        }
        let (database, stop, part) = (self.database.clone(), self.stop.clone(), api.part().clone());
        self.tasks.spawn(async move {
            supervise(&part, &database, stop.clone(), || {
                let (serving, stop) = (serving.clone(), stop.clone());
                Box::pin(async move {
                    serving.run(stop).await;
                    Ok(())
                })
            })
            .await;
        });
        Ok(())
    }

    /// Reads the sources into the buffer.
    fn read(&mut self, buffer: &Buffers) {
        for (part, name, source) in std::mem::take(&mut self.sources) {
            tokio::spawn(parts::tell_of_nobody(
                part.clone(),
                source.clone(),
                self.database.clone(),
                self.stop.clone(),
            ));
            let (database, buffer, stop) = (self.database.clone(), buffer.clone(), self.stop.clone());
            let instance = Instance::new(&self.settings.instance).asking(&database).told_by(&part);
            let buffer = Counted::new(buffer, &part);
            self.tasks.spawn(async move {
                supervise(&part, &database, stop.clone(), || {
                    let (buffer, name, source) = (buffer.clone(), name.clone(), source.clone());
                    let (instance, stop) = (instance.clone(), stop.clone());
                    Box::pin(async move {
                        let ingested =
                            parts::ingest(buffer, &name, &source, &instance, stop, |_, _| {}).await;
                        ingested.map(|_| ()).map_err(|error| source.explained(error))
                    })
                })
                .await;
            });
        }
    }

    /// Works on what is in the buffer, asks who is who, and forgets what is old, if that is to be done.
    fn evaluate(&mut self, buffer: Buffers) {
        let Some(part) = self.work.clone() else { return };
        let (database, stop, settings) = (self.database.clone(), self.stop.clone(), self.settings.clone());
        self.tasks.spawn(async move {
            supervise(&part, &database, stop.clone(), || {
                let (works, stop) = (works(&settings, &database, &buffer, &part), stop.clone());
                Box::pin(async move { works.run(false, stop).await.map(|_| ()) })
            })
            .await;
        });
        if let Some(part) = self.lookup.clone() {
            let (database, stop, settings) =
                (self.database.clone(), self.stop.clone(), self.settings.clone());
            let bluesky = self.bluesky;
            self.tasks.spawn(async move {
                supervise(&part, &database, stop.clone(), || {
                    let (database, stop, client) = (database.clone(), stop.clone(), settings.lookup());
                    Box::pin(async move {
                        match client {
                            Ok(Some(client)) => parts::lookup(database, client, bluesky, stop).await,
                            // It was there when the process began.
                            _ => Ok(()),
                        }
                    })
                })
                .await;
            });
        }
        let counted = self.process.clone();
        let forgotten = move |posts| {
            counted.forgotten.inc_by(posts);
        };
        let keep_time = self.settings.keep_time();
        self.tasks.spawn(parts::retention(self.database.clone(), keep_time, self.stop.clone(), forgotten));
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub(super) async fn ended_by_signal() -> Result<&'static str, Failure> {
    Ok(signals()?.await)
}

/// The same of one that comes from now on, whenever it is waited for.
fn signals() -> Result<impl Future<Output = &'static str>, Failure> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failure)?;
        let mut term = signal(SignalKind::terminate()).map_err(failure)?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = term.recv() => "SIGTERM",
            }
        })
    }
    #[cfg(not(unix))]
    {
        // Nothing else ends there what waits for it.
        Ok(async {
            match tokio::signal::ctrl_c().await {
                Ok(()) => "Ctrl-C",
                Err(_) => std::future::pending().await,
            }
        })
    }
}
