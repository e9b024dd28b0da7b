//! What Prometheus scrapes: the counters as they are now, in its text format 0.0.4.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tweetfilter_stream::buffer::{Buffer, Stats};

use super::counters::Counters;
use super::part::{Part, State};
use super::process::Process;
use crate::parts::{Buffers, now};

/// How long the buffer may take to say how full it is; what does not come in time is left out.
const PATIENCE: Duration = Duration::from_secs(1);

/// The metrics of a process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    process: Arc<Process>,
    buffer: Arc<OnceLock<Buffers>>,
    system: Arc<Mutex<Option<System>>>,
}

impl Metrics {
    /// Of a process.
    #[must_use]
    pub fn new(process: Arc<Process>) -> Self {
        Self { process, buffer: Arc::default(), system: Arc::new(Mutex::new(System::new().ok())) }
    }

    /// The same of its buffer from now on: a process is scraped before it has found that.
    pub fn with_buffer(&self, buffer: Buffers) {
        // It has one.
        let _ = self.buffer.set(buffer);
    }

    /// The one route, `/metrics`.
    pub fn app(self) -> Router {
        Router::new().route("/metrics", get(scraped)).with_state(self)
    }

    /// All of them, as text.
    ///
    /// # Errors
    /// None that anybody knows of: a text takes what is written.
    pub async fn text(&self) -> Result<String, fmt::Error> {
        let stats = match self.buffer.get() {
            Some(buffer) => tokio::time::timeout(PATIENCE, buffer.stats()).await.ok().and_then(Result::ok),
            None => None,
        };
        let own = self.own();
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Scrape { process: self.process.clone(), stats, own }));
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry)?;
        Ok(text)
    }

    /// Seconds of processor, and bytes of memory, that this process has used and uses.
    fn own(&self) -> Option<(f64, u64)> {
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        let system = system.as_mut()?;
        let pid = Pid::from_u32(std::process::id());
        let kind = ProcessRefreshKind::nothing().without_tasks().with_cpu().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, kind);
        let process = system.process(pid)?;
        Some((process.accumulated_cpu_time() as f64 / 1_000.0, process.memory()))
    }
}

async fn scraped(Shared(metrics): Shared<Metrics>) -> Response {
    match metrics.text().await {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// One scrape.
#[derive(Debug)]
struct Scrape {
    process: Arc<Process>,
    stats: Option<Stats>,
    own: Option<(f64, u64)>,
}

/// A counter of parts of a kind: its name, what it counts, and where it stands.
type Counts = (&'static str, &'static str, fn(&Counters) -> &Counter);

const INGEST: [Counts; 6] = [
    ("tweetfilter_lines", "Lines that were read", |c| &c.lines),
    ("tweetfilter_posts", "Lines that carry a post", |c| &c.posts),
    ("tweetfilter_unreadable_lines", "Lines that can't be read", |c| &c.unreadable),
    ("tweetfilter_appended_entries", "Entries that were appended to the buffer", |c| &c.appended),
    ("tweetfilter_gaps", "Stretches of time in which messages are missing", |c| &c.gaps),
    (
        "tweetfilter_missing_messages",
        "Messages that gaps say are missing, where the source tells how many",
        |c| &c.missing,
    ),
];
const WORK: [Counts; 6] = [
    ("tweetfilter_leased_entries", "Entries that were leased", |c| &c.leased),
    ("tweetfilter_redelivered_entries", "Entries that were leased again", |c| &c.redelivered),
    ("tweetfilter_committed_posts", "Posts that are new in the store", |c| &c.committed),
    ("tweetfilter_deliveries", "Deliveries that are new in the store", |c| &c.deliveries),
    ("tweetfilter_matches", "Matches that are new in the store", |c| &c.matches),
    ("tweetfilter_dead_entries", "Entries that went to the dead letters", |c| &c.dead),
];
/// The same of a histogram.
type Times = (&'static str, &'static str, fn(&Counters) -> &Histogram);

const TIMES: [Times; 2] = [
    ("tweetfilter_evaluation_seconds", "How long batches were evaluated", |c| &c.evaluation),
    ("tweetfilter_commit_seconds", "How long commits took", |c| &c.commit),
];

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let parts = self.process.parts();
        let of = |kind: &'static str| {
            let is = move |part: &&Arc<Part>| part.name().split(' ').next() == Some(kind);
            parts.iter().filter(is).collect::<Vec<_>>()
        };
        for (name, help, counter) in INGEST {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for part in of("ingest") {
                let source = part.name().strip_prefix("ingest ").unwrap_or_default();
                counter(&part.counters).encode(family.encode_family(&[("source", source)])?)?;
            }
        }
        for (name, help, counter) in WORK {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for part in of("work") {
                counter(&part.counters).encode(family.encode_family(&[("part", part.name())])?)?;
            }
        }
        // What is old is forgotten where there is a worker.
        if !of("work").is_empty() {
            let (name, help) = ("tweetfilter_forgotten_posts", "Posts that were forgotten for want of room");
            let forgotten = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            self.process.forgotten.encode(forgotten)?;
        }
        for (name, help, histogram) in TIMES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
            for part in of("work") {
                histogram(&part.counters).encode(family.encode_family(&[("part", part.name())])?)?;
            }
        }
        let (name, help) =
            ("tweetfilter_newer_entries", "Entries of a newer version that stay in the buffer");
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for part in of("work") {
            let newer = ConstGauge::new(part.newer() as f64);
            newer.encode(family.encode_family(&[("part", part.name())])?)?;
        }
        for part in of("api") {
            let counters = &part.counters;
            let (name, help) = ("tweetfilter_api_requests", "Requests that were answered");
            counters.answers.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
            let name = "tweetfilter_api_request_duration_seconds";
            let help = "How long requests took, live streams until they began";
            counters.times.encode(encoder.encode_descriptor(name, help, None, MetricType::Histogram)?)?;
            let (name, help) = ("tweetfilter_api_live_streams", "Live streams that are open");
            counters.streams.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        parts_of(&mut encoder, &parts)?;
        if let Some(stats) = &self.stats {
            buffer(&mut encoder, stats)?;
        }
        self.own(&mut encoder)
    }
}

impl Scrape {
    fn own(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = ("tweetfilter_build_info", "The version of the program");
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        let labels = [("version", env!("CARGO_PKG_VERSION")), ("command", &self.process.command[..])];
        ConstGauge::new(1_i64).encode(family.encode_family(&labels)?)?;
        let (name, help) = ("process_start_time_seconds", "When the process began, since 1970");
        let began = self.process.started_at() as f64 / 1_000.0;
        gauge(encoder, name, help, began)?;
        let Some((cpu, memory)) = self.own else { return Ok(()) };
        let (name, help) = ("process_cpu_seconds", "Processor time of the process");
        ConstCounter::new(cpu).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        gauge(encoder, "process_resident_memory_bytes", "Memory of the process", memory as f64)
    }
}

fn parts_of(encoder: &mut DescriptorEncoder<'_>, parts: &[Arc<Part>]) -> fmt::Result {
    let (name, help) = ("tweetfilter_part_restarts", "How often a part was started again since it broke");
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for part in parts {
        let restarts = ConstCounter::new(part.restarts());
        restarts.encode(family.encode_family(&[("part", part.name())])?)?;
    }
    let (name, help) = (
        "tweetfilter_part_up",
        "Whether a part runs, and waits for nothing that is away, a source for no more than a minute",
    );
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for part in parts {
        ConstGauge::new(i64::from(part.is_up())).encode(family.encode_family(&[("part", part.name())])?)?;
    }
    let (name, help) = (
        "tweetfilter_part_waits_since_seconds",
        "Since when a part waits for store, buffer or source, since 1970",
    );
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for part in parts {
        let (server, since) = match part.state() {
            (State::WaitingForStore, since) => ("store", since),
            (State::WaitingForBuffer, since) => ("buffer", since),
            (State::SourceAway, since) => ("source", since),
            _ => continue,
        };
        let labels = [("part", part.name()), ("server", server)];
        ConstGauge::new(since as f64 / 1_000.0).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn buffer(encoder: &mut DescriptorEncoder<'_>, stats: &Stats) -> fmt::Result {
    let age = stats.oldest.map_or(0.0, |oldest| (now() - oldest).max(0) as f64 / 1_000.0);
    for (name, help, value) in [
        ("tweetfilter_buffer_entries", "Entries that wait or are leased", stats.entries as f64),
        ("tweetfilter_buffer_bytes", "Bytes of all entries", stats.bytes as f64),
        ("tweetfilter_buffer_leased_entries", "Entries that are leased", stats.leased as f64),
        ("tweetfilter_buffer_oldest_seconds", "How long the oldest entry has waited", age),
    ] {
        gauge(encoder, name, help, value)?;
    }
    let (name, help) = ("tweetfilter_buffer_lost_entries", "Entries that strangers removed");
    let lost = ConstCounter::new(stats.lost);
    lost.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> fmt::Result {
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}
