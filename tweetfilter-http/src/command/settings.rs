//! Settings of the server: from options, the environment, a file, or by default, in this order.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tweetfilter_core::budget::Price;
use tweetfilter_http::api::Options;
use tweetfilter_http::parts::{Buffers, Kind, SourceSettings};
use tweetfilter_sql::Database;
use tweetfilter_stream::buffer::BufferError;
use tweetfilter_stream::redis_streams;
use tweetfilter_stream::source::net::lookup::{self, Lookup};
use tweetfilter_stream::store::StoreError;

use super::Failure;

/// Where a setting stands if nobody says otherwise.
pub(crate) const DATABASE: &str = "tweetfilter.db";
const LISTEN: &str = "127.0.0.1:8080";
const FILE: &str = "tweetfilter.toml";
const WATCH: [&str; 2] = ["redis-server", "mariadbd"];

/// Options that all commands of the server have.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Common {
    /// The file of settings; without it `tweetfilter.toml`, if it is there
    #[arg(long, global = true, value_name = "FILE", env = "TWEETFILTER_CONFIG")]
    config: Option<PathBuf>,

    /// The store: a SQLite file, or mysql://USER@HOST/NAME [default: tweetfilter.db]
    #[arg(long, global = true, value_name = "ADDRESS", env = "TWEETFILTER_DATABASE", hide_env_values = true)]
    database: Option<String>,

    /// The buffer: redis://HOST; without it, in the store's file
    #[arg(long, global = true, value_name = "ADDRESS", env = "TWEETFILTER_BUFFER", hide_env_values = true)]
    buffer: Option<String>,

    /// Use a Redis that may lose what it acknowledged (no AOF, or evicting), with a warning
    #[arg(long, global = true, env = "TWEETFILTER_ALLOW_UNSAFE_BUFFER")]
    allow_unsafe_buffer: bool,

    /// The name of this process, by which it gets back at once what it had before it ended; no two that run at the
    /// same time may share it [default: the host's name]
    #[arg(long, global = true, value_name = "NAME", env = "TWEETFILTER_INSTANCE")]
    instance: Option<String>,

    /// What is stored: all posts, or only those that a filter matched [default: all]
    #[arg(long, global = true, value_name = "all|matched", env = "TWEETFILTER_KEEP")]
    keep: Option<Keep>,

    /// Days after which posts are forgotten; 0 keeps them [default: 30]
    #[arg(long, global = true, value_name = "N", env = "TWEETFILTER_KEEP_DAYS")]
    keep_days: Option<u32>,

    /// What the filters of one account may cost a post together, in microseconds; 0 sets no bound [default: 10]
    #[arg(long, global = true, value_name = "MICROSECONDS", env = "TWEETFILTER_OWNER_BUDGET", value_parser = budget)]
    owner_budget: Option<f64>,
    /// Where the API and the page listen, such as 127.0.0.1:8080; `off` for not at all [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDRESS|off", env = "TWEETFILTER_LISTEN")]
    listen: Option<String>,

    /// Where this process's metrics are for Prometheus to scrape, at /metrics, such as 127.0.0.1:9464; `off` for not
    /// at all [default: off]
    #[arg(long, global = true, value_name = "ADDRESS|off", env = "TWEETFILTER_METRICS")]
    metrics: Option<String>,

    /// Processes of this host whose CPU and memory `status` shows, by name; may be given again
    /// [default: redis-server mariadbd]
    #[arg(long, global = true, value_name = "NAME", env = "TWEETFILTER_WATCH", value_delimiter = ',')]
    watch: Option<Vec<String>>,

    /// Ask nobody who the handles of filters and the authors of posts are. Filters then find Bluesky's accounts by
    /// their DIDs only
    #[arg(long, global = true, env = "TWEETFILTER_NO_LOOKUP")]
    no_lookup: bool,

    /// The AppView that is asked instead of Bluesky's own [default: https://public.api.bsky.app]
    #[arg(long, global = true, value_name = "URL", env = "TWEETFILTER_LOOKUP_ADDRESS")]
    lookup_address: Option<String>,

    /// Logs for people or for machines [default: human]
    #[arg(long, global = true, value_name = "human|json", env = "TWEETFILTER_LOG_FORMAT")]
    log_format: Option<LogFormat>,

    /// What is logged: error, warn, info, debug, or a filter such as info,sqlx=debug [default: info]
    #[arg(long, global = true, value_name = "LEVEL", env = "TWEETFILTER_LOG")]
    log: Option<String>,
}

/// Which posts are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Keep {
    #[default]
    All,
    Matched,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    #[default]
    Human,
    Json,
}

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    database: Option<String>,
    buffer: Option<String>,
    allow_unsafe_buffer: Option<bool>,
    instance: Option<String>,
    keep: Option<Keep>,
    keep_days: Option<u32>,
    owner_budget: Option<f64>,
    listen: Option<String>,
    metrics: Option<String>,
    watch: Option<Vec<String>>,
    lookup: Option<bool>,
    lookup_address: Option<String>,
    log_format: Option<LogFormat>,
    log: Option<String>,
    #[serde(default)]
    api: Options,
    #[serde(default)]
    source: BTreeMap<String, SourceSettings>,
}

/// What holds, and where each setting is from.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) database: String,
    pub(crate) buffer: Option<String>,
    pub(crate) allow_unsafe_buffer: bool,
    pub(crate) instance: String,
    /// Whether somebody gave the instance its name.
    pub(crate) named: bool,
    pub(crate) keep: Keep,
    pub(crate) keep_days: u32,
    pub(crate) owner_budget: Price,
    /// Where the API and the page listen, if they do.
    pub(crate) listen: Option<String>,
    /// Where metrics can be scraped, if anywhere.
    pub(crate) metrics: Option<String>,
    /// Processes that are watched.
    pub(crate) watch: Vec<String>,
    pub(crate) api: Options,
    lookup: bool,
    lookup_address: String,
    pub(crate) log_format: LogFormat,
    pub(crate) log: String,
    pub(crate) sources: BTreeMap<String, SourceSettings>,
    /// Name, value as shown, origin.
    shown: Vec<(&'static str, String, String)>,
}

impl Common {
    /// Finds out what holds.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let default = Path::new(FILE);
        let path = self.config.as_deref().or_else(|| default.exists().then_some(default));
        let file = match path {
            None => File::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| Failure::reading(path.display(), &e))?;
                toml::from_str(&text).map_err(|error| {
                    Failure::Input(format!("{}: {}", path.display(), error.to_string().trim_end()))
                })?
            }
        };
        let mut shown = Vec::new();
        let from_file = path.map_or_else(String::new, |path| path.display().to_string());
        let mut origin = |name: &'static str, variable: &str, said: bool, in_file: bool, value: String| {
            let origin = match (said, std::env::var_os(variable).is_some(), in_file) {
                // An option wins over the variable; which of the two it was shows in whether it is set.
                (true, true, _) => format!("environment {variable}, or the option"),
                (true, false, _) => "option".to_owned(),
                (false, _, true) => from_file.clone(),
                (false, _, false) => "default".to_owned(),
            };
            shown.push((name, value, origin));
        };
        let database = self.database.clone().or_else(|| file.database.clone());
        let database = database.unwrap_or_else(|| DATABASE.to_owned());
        origin(
            "database",
            "TWEETFILTER_DATABASE",
            self.database.is_some(),
            file.database.is_some(),
            without_password(&database),
        );
        let buffer = self.buffer.clone().or_else(|| file.buffer.clone());
        let buffer_shown = buffer.as_deref().map_or("in the database".to_owned(), without_password);
        origin("buffer", "TWEETFILTER_BUFFER", self.buffer.is_some(), file.buffer.is_some(), buffer_shown);
        let allow_unsafe_buffer = self.allow_unsafe_buffer || file.allow_unsafe_buffer.unwrap_or(false);
        origin(
            "allow-unsafe-buffer",
            "TWEETFILTER_ALLOW_UNSAFE_BUFFER",
            self.allow_unsafe_buffer,
            file.allow_unsafe_buffer.is_some(),
            allow_unsafe_buffer.to_string(),
        );
        let instance = self.instance.clone().or_else(|| file.instance.clone()).unwrap_or_else(host);
        origin(
            "instance",
            "TWEETFILTER_INSTANCE",
            self.instance.is_some(),
            file.instance.is_some(),
            instance.clone(),
        );
        let keep = self.keep.or(file.keep).unwrap_or_default();
        let word = format!("{keep:?}").to_lowercase();
        origin("keep", "TWEETFILTER_KEEP", self.keep.is_some(), file.keep.is_some(), word);
        let keep_days = self.keep_days.or(file.keep_days).unwrap_or(30);
        origin(
            "keep-days",
            "TWEETFILTER_KEEP_DAYS",
            self.keep_days.is_some(),
            file.keep_days.is_some(),
            keep_days.to_string(),
        );
        let micros = self.owner_budget.or(file.owner_budget).unwrap_or(Price::OWNER.nanoseconds() / 1e3);
        let micros =
            budget(&micros.to_string()).map_err(|why| Failure::Input(format!("owner-budget {why}")))?;
        origin(
            "owner-budget",
            "TWEETFILTER_OWNER_BUDGET",
            self.owner_budget.is_some(),
            file.owner_budget.is_some(),
            micros.to_string(),
        );
        let owner_budget = if micros == 0.0 { Price::MAX } else { Price::from_nanoseconds(micros * 1e3) };
        let listen = self.listen.clone().or_else(|| file.listen.clone());
        let listen = listen.unwrap_or_else(|| LISTEN.to_owned());
        origin("listen", "TWEETFILTER_LISTEN", self.listen.is_some(), file.listen.is_some(), listen.clone());
        let metrics =
            self.metrics.clone().or_else(|| file.metrics.clone()).unwrap_or_else(|| "off".to_owned());
        let in_file = file.metrics.is_some();
        origin("metrics", "TWEETFILTER_METRICS", self.metrics.is_some(), in_file, metrics.clone());
        let watch = self.watch.clone().or_else(|| file.watch.clone());
        let mut watch = watch.unwrap_or_else(|| WATCH.map(str::to_owned).to_vec());
        watch.retain(|name| !name.is_empty());
        let (in_file, names) = (file.watch.is_some(), watch.join(" "));
        origin("watch", "TWEETFILTER_WATCH", self.watch.is_some(), in_file, names);
        let lookup = !self.no_lookup && file.lookup.unwrap_or(true);
        origin("lookup", "TWEETFILTER_NO_LOOKUP", self.no_lookup, file.lookup.is_some(), lookup.to_string());
        let lookup_address = self.lookup_address.clone().or_else(|| file.lookup_address.clone());
        let lookup_address = lookup_address.unwrap_or_else(|| lookup::PUBLIC.to_owned());
        origin(
            "lookup-address",
            "TWEETFILTER_LOOKUP_ADDRESS",
            self.lookup_address.is_some(),
            file.lookup_address.is_some(),
            lookup_address.clone(),
        );
        let log_format = self.log_format.or(file.log_format).unwrap_or_default();
        let word = format!("{log_format:?}").to_lowercase();
        origin(
            "log-format",
            "TWEETFILTER_LOG_FORMAT",
            self.log_format.is_some(),
            file.log_format.is_some(),
            word,
        );
        let log = self.log.clone().or_else(|| file.log.clone()).unwrap_or_else(|| "info".to_owned());
        origin("log", "TWEETFILTER_LOG", self.log.is_some(), file.log.is_some(), log.clone());
        Ok(Settings {
            database,
            buffer,
            allow_unsafe_buffer,
            instance,
            named: self.instance.is_some() || file.instance.is_some(),
            keep,
            keep_days,
            owner_budget,
            listen: (listen != "off").then_some(listen),
            metrics: (metrics != "off").then_some(metrics),
            watch,
            api: file.api,
            lookup,
            lookup_address,
            log_format,
            log,
            sources: file.source,
            shown,
        })
    }
}

impl Settings {
    /// What holds, for people.
    pub(crate) fn show(&self) -> String {
        let lines = self.shown.iter().map(|(name, value, origin)| format!("{name} = {value}  # {origin}\n"));
        let sources = self.sources.iter().map(|(name, source)| {
            let text = toml::to_string(source).unwrap_or_default();
            format!("\n[source.{name}]\n{text}")
        });
        let api = format!("\n[api]\n{}", toml::to_string(&self.api).unwrap_or_default());
        lines.chain(std::iter::once(api)).chain(sources).collect()
    }

    /// Opens the store.
    pub(crate) async fn open(&self) -> Result<Database, Failure> {
        let database = Database::open(&self.database).await.map_err(failure)?;
        Ok(database.with_owner_budget(self.owner_budget))
    }

    /// Whether a source of the file is of Bluesky.
    pub(crate) fn bluesky(&self) -> bool {
        self.sources.values().any(|source| source.kind == Kind::Jetstream)
    }

    /// Who is asked who is who, unless nobody is to be.
    pub(crate) fn lookup(&self) -> Result<Option<Lookup>, Failure> {
        self.lookup.then(|| Lookup::at(&self.lookup_address)).transpose().map_err(failure)
    }

    /// Opens the store for a part that runs on: a server that is away is waited for. Who only reads sources into a
    /// buffer elsewhere does without it.
    pub(crate) async fn store_of_part(&self, needs_it: bool) -> Result<Database, Failure> {
        if !needs_it && self.buffer.is_some() {
            return Database::connect(&self.database).await.map_err(failure);
        }
        // A file that can't be opened is no server that comes back.
        let waits = self.database.contains("://") && !self.database.starts_with("sqlite");
        let mut told = false;
        loop {
            match Database::open(&self.database).await {
                Err(reason @ (StoreError::Away(_) | StoreError::Retry(_))) if waits => {
                    wait_for("store", &reason, &mut told).await;
                }
                opened => return opened.map_err(failure),
            }
        }
    }

    /// Opens the buffer for a part that runs on: a server that is away is waited for.
    pub(crate) async fn buffer_of_part(&self, database: &Database) -> Result<Buffers, Failure> {
        let mut told = false;
        loop {
            match self.open_buffer(database).await {
                Err(reason @ BufferError::Away(_)) => wait_for("buffer", &reason, &mut told).await,
                opened => return opened.map_err(failure),
            }
        }
    }

    /// Opens the buffer beside it.
    pub(crate) async fn buffer(&self, database: &Database) -> Result<Buffers, Failure> {
        self.open_buffer(database).await.map_err(failure)
    }

    /// The same, with the error as it is.
    pub(crate) async fn open_buffer(&self, database: &Database) -> Result<Buffers, BufferError> {
        Buffers::open(self.buffer.as_deref(), database, self.redis()).await
    }

    /// How a Redis is used.
    pub(crate) fn redis(&self) -> redis_streams::Options {
        redis_streams::Options { allow_unsafe: self.allow_unsafe_buffer, ..redis_streams::Options::default() }
    }

    /// The folder whose disk is filled: that of the store's file, or else the one where the process works.
    pub(crate) fn folder(&self) -> PathBuf {
        let path = self.database.strip_prefix("sqlite://").unwrap_or(&self.database);
        let folder = Path::new(path).parent().filter(|folder| folder.is_dir());
        folder.map_or_else(|| PathBuf::from("."), Path::to_owned)
    }

    /// The sources of these names; all of the file, if none is named. What the file does not know may be the name
    /// of a kind that needs no settings.
    pub(crate) fn sources(&self, names: &[String]) -> Result<BTreeMap<String, SourceSettings>, Failure> {
        if names.is_empty() {
            return Ok(self.sources.clone());
        }
        let of = |name: &String| {
            let known = self.sources.get(name).cloned();
            let source = known.or_else(|| match name.as_str() {
                "jetstream" => Some(SourceSettings::new(Kind::Jetstream)),
                "generated" => Some(SourceSettings::new(Kind::Generated)),
                _ => None,
            });
            let unknown = || {
                let known: Vec<_> =
                    self.sources.keys().map(String::as_str).chain(["jetstream", "generated"]).collect();
                Failure::Input(format!("there is no source {name}; there are {}", known.join(", ")))
            };
            Ok((name.clone(), source.ok_or_else(unknown)?))
        };
        names.iter().map(of).collect()
    }

    /// Starts logging to stderr.
    pub(crate) fn log(&self) -> Result<(), Failure> {
        let filter = tracing_subscriber::EnvFilter::try_new(&self.log)
            .map_err(|error| Failure::Input(format!("log {:?}: {error}", self.log)))?;
        let builder =
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
        let builder = builder.with_ansi(std::io::stderr().is_terminal());
        match self.log_format {
            LogFormat::Human => builder.init(),
            LogFormat::Json => builder.json().init(),
        }
        Ok(())
    }
}

/// Microseconds.
fn budget(text: &str) -> Result<f64, String> {
    let micros = text.parse::<f64>().ok().filter(|micros| micros.is_finite() && *micros >= 0.0);
    micros.ok_or_else(|| "must be a number of microseconds, or 0 for no bound".to_owned())
}

async fn wait_for(what: &str, reason: &(dyn std::error::Error + Sync), told: &mut bool) {
    if !std::mem::replace(told, true) {
        tracing::warn!(%reason, "waits for the {what} before it begins");
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
}

/// Runs what has to wait.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::Input(format!("can't start: {error}")))?.block_on(future)
}

/// What went wrong with store, buffer or a part.
pub(crate) fn failure(error: impl std::fmt::Display) -> Failure {
    Failure::Input(error.to_string())
}

/// An address without the password in it.
fn without_password(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((before, host))) => {
            let user = before.split_once("://").map_or("", |(_, user)| user);
            let user = user.split_once(':').map_or(user, |(user, _)| user);
            format!("{scheme}://{user}@{host}")
        }
        _ => address.to_owned(),
    }
}

fn host() -> String {
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "tweetfilter".to_owned() } else { name.to_owned() }
}
