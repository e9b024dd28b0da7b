//! Settings of the server: from options, the environment, a file, or by default, in this order.

mod addresses;
mod logs;
mod shown;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{FalseyValueParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, FromArgMatches};
use serde::{Deserialize, Serialize};
use tweetfilter_core::budget::Price;
use tweetfilter_http::api::Options;
use tweetfilter_http::parts::{self, Buffers, HeldUp, Kind, SourceSettings};
use tweetfilter_sql::{Database, DiskReserve};
use tweetfilter_stream::buffer::BufferError;
use tweetfilter_stream::redis_streams;
use tweetfilter_stream::source::net::lookup::{self, Lookup};

use self::shown::Shown;
use super::Failure;
use super::misread::misread;

const FILE: &str = "tweetfilter.toml";

/// What the settings of the server are, and what they do.
///
/// A setting is stated in one place, `keys!` below: what it says in `--help`, its option, its variable, its type and
/// what holds if nobody says otherwise. Its key in the file is the name with hyphens.
macro_rules! keys {
    ($($(#[$attribute:meta])* $name:ident: $type:ty = $default:expr;)*) => {
        /// What somebody stated: the options and variables, or the file.
        #[derive(clap::Args, Clone, Debug, Default, Deserialize)]
        #[command(next_help_heading = "Settings")]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        struct Stated {
            /// The file of settings; without it `tweetfilter.toml`, if it is there. What neither an option nor a variable
            /// says is read from it; a variable that is empty says nothing
            #[arg(long, global = true, value_name = "FILE", env = "TWEETFILTER_CONFIG")]
            #[serde(skip)]
            config: Option<PathBuf>,
            $($(#[$attribute])* $name: Option<$type>,)*
            /// As the option is called.
            #[arg(skip)]
            no_lookup: Option<bool>,
            #[arg(skip)]
            api: Options,
            #[arg(skip)]
            source: BTreeMap<String, SourceSettings>,
        }

        /// What holds, and where each setting is from.
        #[derive(Clone, Debug)]
        pub(crate) struct Settings {
            $(pub(crate) $name: $type,)*
            pub(crate) api: Options,
            pub(crate) sources: BTreeMap<String, SourceSettings>,
            shown: Vec<Shown>,
            /// The keys of `[api]` that the file states, and the file.
            of_api: BTreeSet<String>,
            path: PathBuf,
        }

        impl Settings {
            /// What was said by option or variable goes before what stands in the file.
            fn new(said: &Stated, origins: &Origins, file: Stated, of_api: BTreeSet<String>, path: &Path) -> Self {
                let mut shown = Vec::new();
                $(
                    let origin = origins.of(stringify!($name), file.$name.is_some().then_some(path));
                    let $name = said.$name.clone().or(file.$name).unwrap_or_else(|| $default);
                    shown.push(Shown::new(stringify!($name), &$name, origin));
                )*
                let path = path.to_owned();
                Self { $($name,)* api: file.api, sources: file.source, shown, of_api, path }
            }
        }
    };
}

keys! {
    /// The store: a SQLite file, or mysql://USER@HOST/NAME [default: tweetfilter.db]
    #[arg(long, global = true, value_name = "ADDRESS", env = "TWEETFILTER_DATABASE", hide_env_values = true)]
    database: String = "tweetfilter.db".to_owned();

    /// The buffer: redis://HOST; without it, in the store's file
    #[arg(long, global = true, value_name = "ADDRESS", env = "TWEETFILTER_BUFFER", hide_env_values = true)]
    buffer: String = String::new();

    /// Use a Redis that may lose what it acknowledged (no AOF, or evicting), with a warning
    #[arg(long, global = true, env = "TWEETFILTER_ALLOW_UNSAFE_BUFFER", num_args = 0, default_missing_value = "true",
        value_parser = FalseyValueParser::new())]
    allow_unsafe_buffer: bool = false;

    /// The name of this process, by which it gets back at once what it had before it ended; of two that run at the
    /// same time with one name, the later one takes a source over and the other waits, and a worker goes on under a
    /// name of its own [default: the host's name]
    #[arg(long, global = true, value_name = "NAME", env = "TWEETFILTER_INSTANCE")]
    instance: String = host();

    /// What is stored: all posts for everyone who saw them, or for each account only those that its filters matched
    /// [default: all]
    #[arg(long, global = true, value_name = "all|matched", env = "TWEETFILTER_KEEP")]
    keep: Keep = Keep::All;

    /// Days after which posts are forgotten, and dead letters, gaps and deletes with them; 0 keeps them [default: 30]
    #[arg(long, global = true, value_name = "N", env = "TWEETFILTER_KEEP_DAYS")]
    keep_days: u32 = 30;

    /// What is to stay free on the disk of a SQLite store, as a size or a share of it, at most half of the disk: below
    /// that, the oldest posts are forgotten, and below half of that nothing more is received; 0 switches this off. The
    /// disks of MariaDB and Redis are not looked at [default: 5%, at most 1GiB]
    #[arg(long, global = true, value_name = "SIZE|PERCENT", env = "TWEETFILTER_DISK_RESERVE")]
    disk_reserve: DiskReserve = DiskReserve::Auto;

    /// What the filters of one account may cost a post together, in microseconds; 0 sets no bound [default: 10]
    #[arg(long, global = true, value_name = "MICROSECONDS", env = "TWEETFILTER_OWNER_BUDGET")]
    owner_budget: Budget = Budget(Price::OWNER.nanoseconds() / 1e3);

    /// Where the API and the page listen, such as 127.0.0.1:8080; `off` for not at all [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDRESS|off", env = "TWEETFILTER_LISTEN")]
    listen: String = "127.0.0.1:8080".to_owned();

    /// Where this process's metrics are for Prometheus to scrape, at /metrics, such as 127.0.0.1:9464; `off` for not
    /// at all [default: off]
    #[arg(long, global = true, value_name = "ADDRESS|off", env = "TWEETFILTER_METRICS")]
    metrics: String = "off".to_owned();

    /// Processes of this host whose CPU and memory `status` shows, by name, and which it says do not run if they are not
    /// there; may be given again. The default ones are missed only where they have run
    /// [default: redis-server mariadbd]
    #[arg(long, global = true, value_name = "NAME", env = "TWEETFILTER_WATCH", value_delimiter = ',')]
    watch: Vec<String> = ["redis-server", "mariadbd"].map(str::to_owned).to_vec();

    /// Ask nobody who the handles of filters and the authors of posts are. Filters then find Bluesky's accounts by
    /// their DIDs only
    #[arg(long = "no-lookup", global = true, env = "TWEETFILTER_NO_LOOKUP", num_args = 0,
        default_missing_value = "true", value_parser = FalseyValueParser::new().map(|no| !no))]
    lookup: bool = true;

    /// The AppView that is asked instead of Bluesky's own [default: public.api.bsky.app]
    #[arg(long, global = true, value_name = "URL", env = "TWEETFILTER_LOOKUP_ADDRESS")]
    lookup_address: String = lookup::PUBLIC.to_owned();

    /// Logs for people or for machines [default: human]
    #[arg(long, global = true, value_name = "human|json", env = "TWEETFILTER_LOG_FORMAT")]
    log_format: LogFormat = LogFormat::Human;

    /// What is logged: off, error, warn, info, debug or trace, and of one part of the program TARGET=LEVEL, as in
    /// info,sqlx=debug [default: info]
    #[arg(long, global = true, value_name = "LEVEL", env = "TWEETFILTER_LOG")]
    log: String = "info".to_owned();
}

/// Options that all commands of the server have.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    said: Stated,
    origins: Origins,
}

/// Which settings were said by option or variable, and by which.
#[derive(Clone, Debug)]
struct Origins(BTreeMap<String, String>);

/// Which posts are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Keep {
    All,
    Matched,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Human,
    Json,
}

/// Microseconds, 0 for no bound.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "f64")]
pub(crate) struct Budget(f64);

impl TryFrom<f64> for Budget {
    type Error = &'static str;

    fn try_from(micros: f64) -> Result<Self, Self::Error> {
        let usable = micros.is_finite() && micros >= 0.0;
        usable.then_some(Self(micros)).ok_or("must be a number of microseconds, or 0 for no bound")
    }
}

impl FromStr for Budget {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().unwrap_or(f64::NAN).try_into()
    }
}

impl clap::Args for Common {
    fn augment_args(command: clap::Command) -> clap::Command {
        Stated::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Stated::augment_args_for_update(command)
    }
}

impl FromArgMatches for Common {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { said: Stated::from_arg_matches(matches)?, origins: Origins::new(matches) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.said.update_from_arg_matches(matches)?;
        self.origins = Origins::new(matches);
        Ok(())
    }
}

impl Origins {
    fn new(matches: &ArgMatches) -> Self {
        let all = Stated::augment_args(clap::Command::new("settings"));
        let origin = |argument: &clap::Arg| {
            let name = argument.get_id().as_str();
            let origin = match matches.value_source(name)? {
                ValueSource::CommandLine => format!("option --{}", argument.get_long()?),
                ValueSource::EnvVariable => format!("environment {}", argument.get_env()?.display()),
                _ => return None,
            };
            Some((name.to_owned(), origin))
        };
        Self(all.get_arguments().filter_map(origin).collect())
    }

    /// Where a setting is from that may stand in a file.
    fn of(&self, name: &str, file: Option<&Path>) -> String {
        let said = self.0.get(name).cloned();
        let in_file = || file.map(|path| path.display().to_string());
        said.or_else(in_file).unwrap_or_else(|| "default".to_owned())
    }
}

impl Common {
    /// Finds out what holds.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let default = Path::new(FILE);
        let path = self.said.config.as_deref().or_else(|| default.exists().then_some(default));
        let (file, of_api) = match path {
            None => Default::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| Failure::reading(path.display(), &e))?;
                let mut file: Stated = toml::from_str(&text).map_err(|error| {
                    Failure::Input(format!("{}: {}", path.display(), misread(&error, &text)))
                })?;
                if let Some(no) = file.no_lookup
                    && file.lookup.replace(!no).is_some()
                {
                    let path = path.display();
                    return Err(Failure::Input(format!(
                        "{path}: lookup and no-lookup say the same; leave one of them out"
                    )));
                }
                (file, keys_of(&text, "api"))
            }
        };
        let settings = Settings::new(&self.said, &self.origins, file, of_api, path.unwrap_or(default));
        settings.check_addresses()?;
        settings.check_log()?;
        Ok(settings)
    }
}

impl Settings {
    /// Opens a store that is there already: who only asks for something, or mistyped where it is, makes none.
    pub(crate) async fn open_existing(&self) -> Result<Database, Failure> {
        let is_server = ["mysql://", "mariadb://"].iter().any(|scheme| self.database.starts_with(scheme));
        let path = self.database.strip_prefix("sqlite://").unwrap_or(&self.database);
        if !is_server && !path.contains("://") && !Path::new(path).exists() {
            return Err(Failure::Input(format!(
                "there is no store at {path}; --database says where it is, and `tweetfilter account add NAME` or \
                 `tweetfilter serve` begins one"
            )));
        }
        self.open().await
    }

    /// Where the API and the page listen, if they do.
    pub(crate) fn listen(&self) -> Option<&str> {
        Some(&*self.listen).filter(|address| *address != "off")
    }

    /// Where metrics can be scraped, if anywhere.
    pub(crate) fn metrics(&self) -> Option<&str> {
        Some(&*self.metrics).filter(|address| *address != "off")
    }

    /// Processes that are watched.
    pub(crate) fn watched(&self) -> Vec<String> {
        self.watch.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// Whether somebody said which processes these are.
    pub(crate) fn is_watch_said(&self) -> bool {
        self.is_said("watch")
    }

    /// Whether somebody gave the instance its name.
    pub(crate) fn is_named(&self) -> bool {
        self.is_said("instance")
    }

    fn is_said(&self, key: &str) -> bool {
        self.origin(key) != "default"
    }

    /// Where a setting is from.
    fn origin(&self, key: &str) -> &str {
        self.shown.iter().find(|shown| shown.key == key).map_or("default", |shown| &shown.origin)
    }

    /// How long posts are kept, if not for ever.
    pub(crate) fn keep_time(&self) -> Option<Duration> {
        (self.keep_days > 0).then(|| Duration::from_secs(u64::from(self.keep_days) * 86_400))
    }

    /// What the filters of one account may cost a post together.
    pub(crate) fn owner_budget(&self) -> Price {
        let Budget(micros) = self.owner_budget;
        if micros == 0.0 { Price::MAX } else { Price::from_nanoseconds(micros * 1e3) }
    }

    /// Opens the store.
    pub(crate) async fn open(&self) -> Result<Database, Failure> {
        self.told(Database::open(&self.database).await.map_err(failure)?)
    }

    /// Tells a store what of the settings is for it.
    fn told(&self, database: Database) -> Result<Database, Failure> {
        let told = database.with_owner_budget(self.owner_budget()).with_disk_reserve(self.disk_reserve);
        told.check_disk_reserve().map_err(failure)?;
        Ok(told)
    }

    /// Whether a source of the file is of Bluesky.
    pub(crate) fn bluesky(&self) -> bool {
        self.sources.values().any(|source| source.kind == Kind::Jetstream)
    }

    /// Who is asked who is who, unless nobody is to be.
    pub(crate) fn lookup(&self) -> Result<Option<Lookup>, Failure> {
        self.lookup.then(|| Lookup::at(&self.lookup_address)).transpose().map_err(failure)
    }

    /// The store as it is, for a part that runs on: MariaDB may be away, and is waited for by
    /// [`Settings::store_is_ready`].
    pub(crate) async fn store_of_part(&self) -> Result<Database, Failure> {
        self.told(Database::connect(&self.database).await.map_err(failure)?)
    }

    /// Waits until the tables of the store are up to date. Who only reads sources into a buffer elsewhere does without.
    pub(crate) async fn store_is_ready(&self, database: &Database, needs_it: bool) -> Result<(), Failure> {
        if !needs_it && self.buffer_elsewhere().is_some() {
            return Ok(());
        }
        parts::up_to_date(database).await.map_err(failure)
    }

    /// Opens the buffer for a part that runs on: a server that is away is waited for. Who works takes it for the store.
    pub(crate) async fn buffer_of_part(&self, database: &Database, works: bool) -> Result<Buffers, Failure> {
        let (mut held_up, mut opened) = (HeldUp::default(), None);
        loop {
            let buffer = match opened.take() {
                Some(buffer) => Ok(buffer),
                None => self.open_buffer(database).await,
            };
            opened = buffer.as_ref().ok().cloned();
            let own = match buffer {
                Ok(buffer) if works => buffer.claim_for(database).await.map(|()| buffer),
                buffer => buffer,
            };
            match own {
                Err(reason @ (BufferError::Away(_) | BufferError::Full(_))) => {
                    if let Some(lasted) = held_up.holds() {
                        let for_seconds = lasted.as_secs();
                        tracing::warn!(for_seconds, %reason, "waits for the buffer before it begins");
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                own => return own.map_err(failure),
            }
        }
    }

    /// Opens the buffer beside it, and takes it for the store.
    pub(crate) async fn buffer(&self, database: &Database) -> Result<Buffers, Failure> {
        self.own_buffer(database).await.map_err(failure)
    }

    async fn own_buffer(&self, database: &Database) -> Result<Buffers, BufferError> {
        let buffer = self.open_buffer(database).await?;
        buffer.claim_for(database).await?;
        Ok(buffer)
    }

    /// The address of a buffer that is not in the store's file.
    pub(crate) fn buffer_elsewhere(&self) -> Option<&str> {
        Some(&*self.buffer).filter(|address| !address.is_empty())
    }

    /// Opens the buffer to look at it, or to have a source read into it.
    pub(crate) async fn open_buffer(&self, database: &Database) -> Result<Buffers, BufferError> {
        Buffers::open(self.buffer_elsewhere(), database, self.redis()).await
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
        let sources = self.named(names)?;
        for (name, source) in &sources {
            source.check().map_err(|error| Failure::Input(format!("source {name}: {error}")))?;
        }
        Ok(sources)
    }

    fn named(&self, names: &[String]) -> Result<BTreeMap<String, SourceSettings>, Failure> {
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
}

/// Runs what has to wait.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Input(format!("can't start: {error}")))?;
    let done = runtime.block_on(future);
    // What waits for a server that says nothing would wait for ever.
    runtime.shutdown_background();
    done
}

/// What went wrong with store, buffer or a part.
pub(crate) fn failure(error: impl std::fmt::Display) -> Failure {
    Failure::Input(error.to_string())
}

/// The keys that a file states in a table.
fn keys_of(text: &str, table: &str) -> BTreeSet<String> {
    let file = text.parse::<toml::Table>().unwrap_or_default();
    file.get(table)
        .and_then(toml::Value::as_table)
        .into_iter()
        .flat_map(|table| table.keys().cloned())
        .collect()
}

fn host() -> String {
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "tweetfilter".to_owned() } else { name.to_owned() }
}
