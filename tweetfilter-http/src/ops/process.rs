//! A process that runs parts.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::metrics::counter::Counter;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::process::Identity;

use super::figures::ProcessState;
use super::part::Part;
use crate::parts::now;

/// Characters of a name; the store takes no more.
const NAME: usize = 190;

/// A process that runs parts.
#[derive(Debug)]
pub struct Process {
    /// The machine's name.
    pub host: String,
    /// Unique on the machine, and the same after a restart where somebody gave it a name.
    pub name: String,
    /// What was started: `serve`, `ingest`, `work`, `api` or `replay`.
    pub command: String,
    /// Posts that it had the store forget for want of room.
    pub forgotten: Counter,
    started_at: Millis,
    parts: Mutex<Vec<Arc<Part>>>,
}

impl Process {
    /// This process. `named` is the name of the instance, if somebody gave one.
    #[must_use]
    pub fn new(command: &str, named: Option<&str>) -> Arc<Self> {
        let name = match named {
            Some(name) => format!("{command} {name}"),
            None => format!("{command} {}", std::process::id()),
        };
        let host = sysinfo::System::host_name().unwrap_or_else(|_| "this host".to_owned());
        Arc::new(Self {
            host: host.chars().take(NAME).collect(),
            name: name.chars().take(NAME).collect(),
            command: command.to_owned(),
            forgotten: Counter::default(),
            started_at: now(),
            parts: Mutex::default(),
        })
    }

    /// Adds a part of a name.
    pub fn part(&self, name: &str) -> Arc<Part> {
        let part = Part::new(name);
        self.add(part.clone());
        part
    }

    /// Adds a part.
    pub fn add(&self, part: Arc<Part>) {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).push(part);
    }

    /// Its parts, in the order in which they were added.
    #[must_use]
    pub fn parts(&self) -> Vec<Arc<Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn told(&self) -> ProcessState {
        ProcessState {
            pid: std::process::id(),
            identity: Identity::here().clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: self.command.clone(),
            started_at: self.started_at,
            ended: false,
            doubted: Vec::new(),
            parts: self.parts().iter().map(|part| part.told()).collect(),
        }
    }

    pub(super) fn started_at(&self) -> Millis {
        self.started_at
    }
}
