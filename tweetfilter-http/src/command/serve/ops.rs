//! What watches the parts of a process: what Prometheus scrapes, and what is noted in the store.

use std::sync::Arc;
use std::time::Duration;

use tweetfilter_http::api;
use tweetfilter_http::ops::{Metrics, Part, Probe, Process, Recorder};
use tweetfilter_http::parts::{Buffers, Stop};
use tweetfilter_sql::Database;

use super::super::Failure;
use super::super::settings::{Settings, failure};

/// How long it has to end.
const WATCH: Duration = Duration::from_millis(2_000);

/// What watches the parts. It begins first, ends last, and holds nobody up.
pub(super) struct Ops {
    process: Arc<Process>,
    metrics: Metrics,
    tell: tokio::sync::watch::Sender<bool>,
    stop: Stop,
    tasks: tokio::task::JoinSet<()>,
    /// Once there is a store.
    recorder: Option<tokio::task::AbortHandle>,
}

/// A process that does something and ends: what it does is noted in the store meanwhile, so that nobody takes it for undone.
pub(in super::super) struct Noted {
    tell: tokio::sync::watch::Sender<bool>,
    recording: tokio::task::JoinHandle<()>,
}

impl Noted {
    /// Notes it from now on. None has the place of another one, so each has a name of its own.
    pub(in super::super) async fn begin(
        command: &str,
        parts: &[&Arc<Part>],
        database: &Database,
        buffer: &Buffers,
    ) -> Self {
        let process = Process::new(command, None);
        parts.iter().for_each(|part| process.add(Arc::clone(part)));
        let mut recorder = Recorder::new(process, database.clone(), Some(buffer.clone()), None);
        recorder.begin().await;
        let (tell, stop) = Stop::new();
        Self { tell, recording: tokio::spawn(recorder.run(stop)) }
    }

    /// Notes that it has ended.
    pub(in super::super) async fn end(self) {
        let _ = self.tell.send(true);
        let _ = tokio::time::timeout(WATCH, self.recording).await;
    }
}

impl Ops {
    /// Has the process answer Prometheus, if it is to: also while it waits for what it needs to begin.
    pub(super) async fn begin(settings: &Settings, process: &Arc<Process>) -> Result<Self, Failure> {
        let (tell, stop) = Stop::new();
        let mut tasks = tokio::task::JoinSet::new();
        let metrics = Metrics::new(process.clone());
        if let Some(address) = settings.metrics() {
            let options = api::Options { connections: 64, ..api::Options::default() };
            let app = metrics.clone().app();
            let serving = api::listen_as("metrics", options, app, address).await.map_err(failure)?;
            tracing::info!(address = %serving.address().map_err(failure)?, "metrics are at /metrics");
            let stop = stop.clone();
            tasks.spawn(async move { serving.run(stop).await });
        }
        Ok(Self { process: process.clone(), metrics, tell, stop, tasks, recorder: None })
    }

    /// Notes in the store how the process is, from now on. A file answers, and takes at once that this process runs, unless
    /// that is told to end meanwhile; a server may be away, and those that need none begin without it.
    pub(super) async fn record(
        &mut self,
        settings: &Settings,
        database: &Database,
        buffer: Option<Buffers>,
        ends: &mut Stop,
    ) {
        let elsewhere = settings.buffer_elsewhere();
        let buffer =
            buffer.or_else(|| database.buffer().filter(|_| elsewhere.is_none()).map(Buffers::Embedded));
        if let Some(buffer) = &buffer {
            self.metrics.with_buffer(buffer.clone());
        }
        let probe = Probe::new(&settings.watched(), &settings.folder());
        let probe = probe.map(|probe| if settings.is_watch_said() { probe } else { probe.of_what_ran() });
        let is_open = buffer.is_some();
        let mut recorder = Recorder::new(self.process.clone(), database.clone(), buffer, probe);
        if let Some(address) = elsewhere.filter(|_| !is_open) {
            recorder = recorder.looking_at(address.to_owned(), settings.redis());
        }
        if database.buffer().is_some() {
            ends.unless_told(recorder.begin()).await;
        }
        // Also of a process that ends already: what it was about to state may be in the store.
        self.recorder = Some(self.tasks.spawn(recorder.run(self.stop.clone())));
    }

    pub(super) async fn end(mut self) {
        let _ = self.tell.send(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(WATCH, ended).await;
        if self.recorder.is_some_and(|recorder| !recorder.is_finished()) {
            // It says so itself where it comes to it.
            tracing::warn!(
                "there was no time to note that this process ends; if the store knows of it, the next one that runs the \
                 same will report it as one that ended without saying so"
            );
        }
    }
}
