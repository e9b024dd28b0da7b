//! How everything is, as JSON for programs: what `status --json` and the API give.

use serde::Serialize;
use tweetfilter_core::post::Millis;
use tweetfilter_sql::Room;
use utoipa::ToSchema;

use super::figures::Usage;
use super::outlook::Outlook;
use super::overview::{HostNow, PartNow, ProcessNow, Rates};
use crate::time::rfc3339;

/// A process that runs parts.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ShownProcess {
    /// The machine's name.
    pub host: String,
    /// Unique on the machine.
    pub name: String,
    /// `running`, `ended`, or `silent`: it should have said something since it was `seen`.
    pub state: &'static str,
    /// When it was last heard of.
    pub seen: String,
    /// `serve`, `ingest`, `work`, `api` or `replay`.
    pub command: String,
    /// Its number on the machine.
    pub pid: u32,
    /// The version of the program.
    pub version: String,
    /// When it began.
    pub started_at: String,
    /// Percent of one processor.
    pub cpu_percent: Option<f32>,
    /// Bytes in memory.
    pub memory_bytes: Option<u64>,
    /// Its parts.
    pub parts: Vec<ShownPart>,
}

/// A part.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ShownPart {
    /// Its name: `work`, `api`, `lookup`, or `ingest` with the name of the source.
    pub name: String,
    /// `running`, `waiting_for_store`, `waiting_for_buffer`, `source_away`, `standing_by`, `restarting`, `refused`,
    /// `ended` or `silent`.
    pub state: &'static str,
    /// Since when.
    pub since: String,
    /// When it was started last.
    pub started_at: String,
    /// How often it was started again.
    pub restarts: u64,
    /// Of a part that waits for store or buffer, or whose source is without a connection, what was said of that last.
    pub waits: Option<String>,
    /// Of a part that is refused, why, and what is to be done about it.
    pub refused: Option<String>,
    /// When that is tried again.
    pub again_at: Option<String>,
    /// What it does a second, over the last minute.
    pub rates: Option<ShownRates>,
    /// Live streams that are open.
    pub streams: u64,
    /// Seconds from receiving to storing a post, if any was stored lately.
    pub lag_seconds: Option<f64>,
}

/// What a part does a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct ShownRates {
    /// Lines that it reads.
    pub lines: f64,
    /// Those of them that can't be read.
    pub unreadable: f64,
    /// Entries that it appends to the buffer.
    pub entries: f64,
    /// Posts that it stores.
    pub posts: f64,
    /// Matches that it stores.
    pub matches: f64,
    /// Requests that it answers.
    pub requests: f64,
}

/// A machine that runs parts.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ShownHost {
    /// Its name.
    pub name: String,
    /// When this was so.
    pub at: String,
    /// Percent of all processors.
    pub cpu_percent: f32,
    /// Processors.
    pub cpus: u32,
    /// Processes that run or wait to, on average over a minute.
    pub load: f32,
    /// Bytes of memory in use.
    pub memory_bytes: u64,
    /// Bytes of memory.
    pub memory_total_bytes: u64,
    /// Bytes in use of the disk that the store, or else the working folder, is on.
    pub disk_bytes: u64,
    /// Bytes of that disk.
    pub disk_total_bytes: u64,
    /// Bytes a second from the network.
    pub received_bytes_per_second: u64,
    /// Bytes a second to the network.
    pub sent_bytes_per_second: u64,
    /// Processes that are watched.
    pub watched: Vec<ShownWatched>,
}

/// Processes of a name that is watched.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ShownWatched {
    /// The name.
    pub name: String,
    /// How many there are; 0: none runs.
    pub count: u32,
    /// Percent of one processor.
    pub cpu_percent: f32,
    /// Bytes in memory.
    pub memory_bytes: u64,
}

/// Where the buffer is going.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ShownOutlook {
    /// `steady`, `drains`, `grows` (there is room, nobody knows how much) or `full`.
    pub outlook: &'static str,
    /// At the rate of the last minute it is empty (`drains`) or `full` after so many seconds; after 0, it is.
    pub seconds: Option<f64>,
}

/// The room on the disk that the store's file is on, in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShownRoom {
    /// `ok`, `short` (the oldest posts are forgotten) or `full` (nothing is received).
    pub state: &'static str,
    /// Free on the disk.
    pub free_bytes: u64,
    /// Free within the file.
    pub reusable_bytes: u64,
    /// What is to stay free of both.
    pub reserve_bytes: u64,
}

impl ShownRoom {
    /// As it was found.
    #[must_use]
    pub fn of(room: Room) -> Self {
        let state = match (room.is_full(), room.is_short()) {
            (true, _) => "full",
            (false, true) => "short",
            (false, false) => "ok",
        };
        let Room { free: free_bytes, reusable: reusable_bytes, reserve: reserve_bytes } = room;
        Self { state, free_bytes, reusable_bytes, reserve_bytes }
    }
}

impl ShownProcess {
    /// As it was found.
    #[must_use]
    pub fn of(process: &ProcessNow) -> Self {
        let state = match (process.state.ended, process.silent) {
            (true, _) => "ended",
            (false, true) => "silent",
            (false, false) => "running",
        };
        Self {
            host: process.host.clone(),
            name: process.name.clone(),
            state,
            seen: rfc3339(process.seen),
            command: process.state.command.clone(),
            pid: process.state.pid,
            version: process.state.version.clone(),
            started_at: rfc3339(process.state.started_at),
            cpu_percent: process.usage.map(|usage| usage.cpu),
            memory_bytes: process.usage.map(|usage| usage.memory),
            parts: process.parts.iter().map(|part| ShownPart::of(process, part)).collect(),
        }
    }
}

impl ShownPart {
    /// As it was found.
    #[must_use]
    pub fn of(process: &ProcessNow, part: &PartNow) -> Self {
        let state = process.state_of(part);
        // Of a silent process it is known until when it was heard.
        let since = if state == Some(part.told.state) { part.told.since } else { process.seen };
        let refusal = part.told.refusal.as_ref().filter(|_| state == Some(super::State::Refused));
        let tried = part.told.again_at.filter(|_| state == Some(super::State::SourceAway));
        Self {
            name: part.told.name.clone(),
            state: state.map_or("silent", super::State::code),
            since: rfc3339(since),
            started_at: rfc3339(part.told.started_at),
            restarts: part.told.restarts,
            waits: part.told.waits.clone().filter(|_| state == Some(part.told.state)),
            refused: refusal.map(|refusal| refusal.reason.clone()),
            again_at: refusal.map(|refusal| refusal.again_at).or(tried).map(rfc3339),
            rates: part.rates.map(ShownRates::of),
            streams: part.streams,
            lag_seconds: part.lag.map(|lag: Millis| lag as f64 / 1_000.0),
        }
    }
}

impl ShownRates {
    fn of(rates: Rates) -> Self {
        let short = |rate: f64| (rate * 100.0).round() / 100.0;
        Self {
            lines: short(rates.lines),
            unreadable: short(rates.unreadable),
            entries: short(rates.appended),
            posts: short(rates.committed),
            matches: short(rates.matches),
            requests: short(rates.requests),
        }
    }
}

impl ShownHost {
    /// As it was found.
    #[must_use]
    pub fn of(host: &HostNow) -> Self {
        let figures = &host.figures;
        let watched = |(name, usage): (&String, &Usage)| ShownWatched {
            name: name.clone(),
            count: usage.count.max(1),
            cpu_percent: usage.cpu,
            memory_bytes: usage.memory,
        };
        let missing =
            |name: &String| ShownWatched { name: name.clone(), count: 0, cpu_percent: 0.0, memory_bytes: 0 };
        Self {
            name: host.name.clone(),
            at: rfc3339(host.at),
            cpu_percent: figures.cpu,
            cpus: figures.cpus,
            load: figures.load,
            memory_bytes: figures.memory,
            memory_total_bytes: figures.memory_total,
            disk_bytes: figures.disk,
            disk_total_bytes: figures.disk_total,
            received_bytes_per_second: figures.received,
            sent_bytes_per_second: figures.sent,
            watched: figures.watched.iter().map(watched).chain(figures.missing.iter().map(missing)).collect(),
        }
    }
}

impl ShownOutlook {
    /// As it was found.
    #[must_use]
    pub fn of(outlook: Outlook) -> Self {
        let (outlook, seconds) = outlook.named();
        Self { outlook, seconds: seconds.map(f64::round) }
    }
}
