//! What samples say, as JSON in the store. A field that is missing is 0; one that is not known is passed over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tweetfilter_core::post::Millis;
use tweetfilter_stream::buffer::Stats;
use tweetfilter_stream::process::Identity;

use super::part::State;

/// What something uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Percent of one processor, on average since the sample before.
    pub cpu: f32,
    /// Bytes in memory.
    pub memory: u64,
    /// How many processes these are.
    #[serde(skip_serializing_if = "is_one")]
    pub count: u32,
}

/// How a host is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostFigures {
    /// Percent of all processors, on average since the sample before.
    pub cpu: f32,
    /// Processors.
    pub cpus: u32,
    /// Processes that run or wait to, on average over a minute.
    pub load: f32,
    /// Bytes of memory that are in use.
    pub memory: u64,
    /// Bytes of memory.
    pub memory_total: u64,
    /// Bytes in use of the disk that the store, or else the working folder, is on.
    pub disk: u64,
    /// Bytes of that disk.
    pub disk_total: u64,
    /// Bytes a second from the network.
    pub received: u64,
    /// Bytes a second to the network.
    pub sent: u64,
    /// Processes that were to be watched and are there, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub watched: BTreeMap<String, Usage>,
    /// Those that are not there, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// What a process did since it began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessFigures {
    /// When it began: counts of another beginning are not to be compared.
    pub began: Millis,
    /// What it uses.
    #[serde(flatten)]
    pub usage: Usage,
    /// By part.
    pub parts: BTreeMap<String, PartFigures>,
}

/// What a part did since its process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartFigures {
    /// Lines that were read.
    #[serde(skip_serializing_if = "is_zero")]
    pub lines: u64,
    /// Those of them that can't be read.
    #[serde(skip_serializing_if = "is_zero")]
    pub unreadable: u64,
    /// Entries that were appended to the buffer.
    #[serde(skip_serializing_if = "is_zero")]
    pub appended: u64,
    /// Entries that were leased.
    #[serde(skip_serializing_if = "is_zero")]
    pub leased: u64,
    /// Posts that are new in the store.
    #[serde(skip_serializing_if = "is_zero")]
    pub committed: u64,
    /// Matches that are new in the store.
    #[serde(skip_serializing_if = "is_zero")]
    pub matches: u64,
    /// Entries that went to the dead letters.
    #[serde(skip_serializing_if = "is_zero")]
    pub dead: u64,
    /// Requests that were answered.
    #[serde(skip_serializing_if = "is_zero")]
    pub requests: u64,
    /// Live streams that are open now.
    #[serde(skip_serializing_if = "is_zero")]
    pub streams: u64,
    /// How many milliseconds before it was stored the oldest post of the last commit was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag: Option<Millis>,
}

/// How full the buffer is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BufferFigures {
    /// Entries that wait or are leased.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those of them that are leased.
    pub leased: u64,
    /// Entries that were leased more than once, ever.
    pub redelivered: u64,
    /// Entries that strangers removed, ever.
    pub lost: u64,
    /// For how many milliseconds the oldest has waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<Millis>,
    /// Bytes that there is room for still, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<u64>,
}

impl BufferFigures {
    /// As it was counted at a time; how much room there is that does not say.
    #[must_use]
    pub(super) fn of(stats: &Stats, now: Millis) -> Self {
        Self {
            entries: stats.entries,
            bytes: stats.bytes,
            leased: stats.leased,
            redelivered: stats.redelivered,
            lost: stats.lost,
            age: stats.oldest.map(|oldest| (now - oldest).max(0)),
            room: None,
        }
    }
}

/// How a process is that runs parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessState {
    /// Its number on its host.
    pub pid: u32,
    /// By what it is told apart from all others, of its number and its name too.
    pub identity: Identity,
    /// The version of the program.
    pub version: String,
    /// `serve`, `ingest`, `work`, `api` or `replay`.
    pub command: String,
    /// When it began.
    pub started_at: Millis,
    /// Whether it said that it ends.
    pub ended: bool,
    /// Runs before it under its name that perhaps ended without saying so, as long as that is not found out: how a crash
    /// event would put it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubted: Vec<String>,
    /// Its parts.
    pub parts: Vec<PartState>,
}

/// How a part is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartState {
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: State,
    /// Since when.
    pub since: Millis,
    /// When it was started last.
    pub started_at: Millis,
    /// How often it was started again.
    pub restarts: u64,
    /// Of what it waits for, what was said last, if it waits for store or buffer, or is without a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
    /// When a source is tried again that is without a connection, if it waits for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again_at: Option<Millis>,
    /// Why it is refused, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// The account that its source is for, while there is none of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nobody: Option<String>,
    /// Entries of a newer version that it leaves in the buffer.
    #[serde(skip_serializing_if = "is_zero")]
    pub newer: u64,
}

/// Why a part can't do its work until somebody does something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Refusal {
    /// What was said, and what is to be done about it.
    pub reason: String,
    /// When it is tried again.
    pub again_at: Millis,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn is_one(count: &u32) -> bool {
    *count <= 1
}
