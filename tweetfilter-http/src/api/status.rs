//! How the system is, as far as it concerns those who use it, and all of it for those who run it.

use std::cmp::Reverse;
use std::time::Duration;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tweetfilter_sql::{CrashEvent, Database, Room, SourceStatus, StoredGap};
use tweetfilter_stream::buffer::BufferError;
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, ApiError, Result, Summary};
use super::caller::Caller;
use super::extract::Query;
use super::{Api, LOOK};
use crate::ops::{self, Look, ShownHost, ShownOutlook, ShownProcess, ShownRoom, Span, Unwell, Waiting};
use crate::parts::now;
use crate::time::rfc3339;

/// Gaps that are shown.
const GAPS: u32 = 50;
/// Crashes that are shown.
const CRASHES: u32 = 20;
/// How long a write may take for whoever has nothing else to wait for.
const PATIENCE: Duration = Duration::from_secs(3);

/// How the system is.
#[derive(Debug, Serialize, ToSchema)]
pub struct SystemStatus {
    /// What is not well, gravest first; empty: all is well. Of filters, those of the account that asks. Parts, hosts and
    /// processes are named for tokens of scope `admin` alone.
    pub unwell: Vec<Unwell>,
    /// The last commit.
    pub commit: i64,
    /// Of accounts, filters and named sets.
    pub revision: u64,
    /// Posts that are kept.
    pub posts: u64,
    /// Entries that wait in the buffer; of one on a server of its own, as of the last second, and where that does not answer as of
    /// the last 15. Null where nobody has counted them for 45.
    pub waiting: Option<u64>,
    /// How long the oldest of them has waited, in seconds.
    pub oldest_seconds: Option<f64>,
    /// Bytes that wait in the buffer.
    pub waiting_bytes: Option<u64>,
    /// Where the buffer is going, if that can be told yet.
    pub buffer: Option<ShownOutlook>,
    /// Why the buffer does not say what it knows, if it is on a server of its own: then gaps, and what was read of
    /// sources, may be missing here. Null if all is said.
    pub buffer_away: Option<String>,
    /// The parts that run, by kind; whose they are and where is told to tokens of scope `admin` alone.
    pub parts: Vec<KindState>,
    /// Stretches of time in which messages are missing, newest first.
    pub gaps: Vec<ShownGap>,
    /// Older gaps that are not kept any more, since there were too many.
    pub gaps_dropped: u64,
    /// Posts that were forgotten early, since the disk was short of room.
    pub forgotten_for_room: u64,
    /// When the newest of these was received.
    pub forgotten_up_to: Option<String>,
    /// The room on the disk of the store's file, if it is one; only for tokens of scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub disk: Option<ShownRoom>,
    /// What came of each source; only for tokens of scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sources: Option<Vec<SourceState>>,
    /// What no attempt could store; only for tokens of scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub dead_letters: Option<u64>,
    /// Parts that ended without saying so; only for tokens of scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub crashes: Option<u64>,
    /// The newest of these; only for tokens of scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub crash_events: Option<Vec<ShownCrash>>,
    /// Processes that run parts; only for tokens of scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub processes: Option<Vec<ShownProcess>>,
    /// Machines that run parts; only for tokens of scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub hosts: Option<Vec<ShownHost>>,
}

/// How the parts of a kind are.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct KindState {
    /// `ingest`, `work`, `api` or `lookup`.
    pub kind: String,
    /// How many of them run.
    pub running: usize,
    /// How many of them wait for store or buffer, are being started again, are refused by their source, or are silent
    /// with nobody in their place.
    pub troubled: usize,
}

/// A part that ended without saying so.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownCrash {
    /// Which part.
    pub part: String,
    /// When it ended, or when that was found out.
    pub at: String,
    /// Why, as far as is known.
    pub reason: String,
    /// Where, if it panicked.
    pub backtrace: String,
}

/// A stretch of time in which messages of a source are missing.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownGap {
    /// The source; only for tokens of scope `admin`, since its name may say whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub source: Option<String>,
    /// From when.
    pub from: String,
    /// Until when.
    pub to: String,
    /// Why; only for tokens of scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// How many messages are missing, if that is known.
    pub missing: Option<u64>,
}

/// What came of a source. Each of its `lines` is blank, `unreadable`, `control` or a post, which is `merged` or one of `entries`; a line
/// may hold several messages, as a page of an API does. `entries` are those that are stored, repeated, suppressed, stale, unmatched or dead, and those
/// that wait.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceState {
    /// Its name.
    pub name: String,
    /// Lines that were read.
    pub lines: u64,
    /// Messages that gaps say are missing, where the source tells how many, as X does of posts that it holds back.
    pub missing: u64,
    /// Lines that can't be read.
    pub unreadable: u64,
    /// Messages that are no post, such as deletes.
    pub control: u64,
    /// Copies of posts that were read together, as for several viewers.
    pub merged: u64,
    /// Posts in them, those that were read together counted once.
    pub entries: u64,
    /// Posts that were stored.
    pub stored: u64,
    /// Copies of stored posts.
    pub repeated: u64,
    /// Posts that were deleted before they came.
    pub suppressed: u64,
    /// Versions of posts that a newer one replaced, or had replaced when they came.
    pub stale: u64,
    /// Posts that no filter matched, where only others are kept.
    pub unmatched: u64,
    /// What no attempt could store.
    pub dead: u64,
    /// Who reads it now.
    pub read_by: Option<String>,
}

/// What the store says of all of it.
struct Known {
    status: tweetfilter_sql::Status,
    gaps: Vec<StoredGap>,
    overview: ops::Overview,
    crashes: Vec<CrashEvent>,
    room: Option<Room>,
    /// Filters of the caller's that can't be used.
    unused: usize,
}

impl Known {
    async fn read(api: &Api, caller: &Caller) -> Result<Self> {
        let (database, until) = (api.database(), caller.until);
        let status = api.ask(until, database.status()).await?;
        let mut gaps = api.ask(until, database.gaps(GAPS)).await?;
        gaps.sort_by_key(|stored| Reverse(stored.gap.to));
        let overview = api.ask(until, ops::overview(database, now())).await?;
        let crashes = match caller.is_admin() {
            true => api.ask(until, database.crashes(CRASHES)).await?,
            false => Vec::new(),
        };
        let room = api.ask(until, database.room()).await?;
        let filters = api.ask(until, database.account_filters(caller.account())).await?;
        let unused = api.left_out(caller, &filters).await?.len();
        Ok(Self { status, gaps, overview, crashes, room, unused })
    }
}

/// What is not well, gaps, what waits, and how far the store is. A token of scope `admin` is told all of parts, hosts, sources
/// and crashes.
#[utoipa::path(get, path = "/status", operation_id = "get_status", tag = "health", responses((status = 200, body = Answer<SystemStatus>)))]
pub(super) async fn status(State(api): State<Api>, caller: Caller) -> Result<Answer<SystemStatus>> {
    let (mut known, probed) =
        tokio::try_join!(Known::read(&api, &caller), async { Ok::<_, ApiError>(api.probe().await) })?;
    let (admin, is_elsewhere) = (caller.is_admin(), api.0.buffer.is_elsewhere());
    // Last of all, so that one that does not answer takes no time from the store.
    let until = caller.until.max(Instant::now() + LOOK);
    let mut unfit = Vec::new();
    let buffer_away = match api.elsewhere(until).await {
        Ok(elsewhere) => {
            unfit = elsewhere.unfit().to_vec();
            if is_elsewhere {
                // Once more: what the buffer let go of meanwhile is here by now. It may have answered at the last moment.
                let until = until.max(Instant::now() + LOOK);
                let both = elsewhere.with_store(api.database(), GAPS);
                (known.status, known.gaps) = api.ask(until, both).await?;
            }
            match api.counted(until.max(Instant::now() + LOOK)).await {
                Ok(Some((at, stats))) => known.overview.counted(at, &stats),
                // What was noted before stands.
                Ok(None) | Err(BufferError::Away(_)) => {}
                Err(error) => {
                    let reason = error.to_string();
                    if !unfit.contains(&reason) {
                        unfit.push(reason);
                    }
                }
            }
            None
        }
        Err(reason) if admin => Some(reason),
        Err(_) => Some("it does not answer".to_owned()),
    };
    let embedded = known.status.buffer.clone().filter(|_| !is_elsewhere);
    if let Some(stats) = &embedded {
        known.overview.counted(now(), stats);
    }
    let buffer = known.overview.buffer.as_ref();
    let look = Look {
        now: now(),
        overview: &known.overview,
        status: &known.status,
        room: known.room,
        store: probed.err().as_ref().map(takes_no_writes),
        buffer: buffer_away.as_deref(),
        unfit: &unfit,
        waiting: buffer.map(|buffer| Waiting { entries: buffer.entries, age: buffer.age }),
        unused: known.unused,
        names: admin,
    };
    let unwell = look.unwell();
    let gaps = match known.gaps.len() {
        0 if buffer_away.is_some() => "No gaps that the store knows; the buffer does not answer".to_owned(),
        0 if !unfit.is_empty() => "No gaps, but not all of the buffer can be read".to_owned(),
        0 => "No gaps".to_owned(),
        count => Summary::counted(count, "gap").text,
    };
    let summary = Summary::new(said(&unwell, &gaps));
    Ok(Answer::new(summary, SystemStatus { unwell, buffer_away, ..shown(known, admin) }))
}

/// What is not well first, the gravest in its own words, and what else there is to say behind it.
fn said(unwell: &[Unwell], gaps: &str) -> String {
    let Some((gravest, others)) = unwell.split_first() else { return gaps.to_owned() };
    let others = match others.len() {
        0 => String::new(),
        1 => " (and 1 thing more is not well)".to_owned(),
        count => format!(" (and {count} things more are not well)"),
    };
    format!("{}{others}. {gaps}", gravest.message.trim_end_matches('.'))
}

/// Tries whether a store takes a write, for those who have no API to ask: why it does not, as `/status` says it.
pub async fn try_write(database: &Database) -> Option<Unwell> {
    let tried = match tokio::time::timeout(PATIENCE, database.probe()).await {
        Ok(tried) => tried.map_err(ApiError::from),
        Err(_) => Err(ApiError::busy("it answers, but a write takes too long")),
    };
    tried.err().as_ref().map(takes_no_writes)
}

/// Why the store took no write.
fn takes_no_writes(error: &ApiError) -> Unwell {
    let body = error.body();
    let code = if body.code == "store_busy" { "store_busy" } else { "store_takes_no_writes" };
    Unwell { code, message: body.message.clone() }
}

/// All that the store says, as it is shown to somebody.
fn shown(known: Known, admin: bool) -> SystemStatus {
    let Known { status, gaps, overview, crashes, room, .. } = known;
    let buffer = overview.buffer.as_ref();
    SystemStatus {
        unwell: Vec::new(),
        commit: status.commit,
        revision: status.revision,
        posts: status.posts,
        waiting: buffer.map(|buffer| buffer.entries),
        waiting_bytes: buffer.map(|buffer| buffer.bytes),
        oldest_seconds: buffer.and_then(|buffer| buffer.age).map(|age| age as f64 / 1000.0),
        buffer: overview.outlook.map(ShownOutlook::of),
        buffer_away: None,
        parts: kinds(&overview),
        gaps: gaps.into_iter().map(|stored| ShownGap::of(stored, admin)).collect(),
        gaps_dropped: status.gaps_dropped,
        forgotten_for_room: status.forgotten_for_room,
        forgotten_up_to: status.forgotten_up_to.map(rfc3339),
        disk: room.filter(|_| admin).map(ShownRoom::of),
        dead_letters: admin.then_some(status.dead),
        crashes: admin.then_some(status.crashes),
        crash_events: admin.then(|| crashes.into_iter().map(ShownCrash::of).collect()),
        sources: admin.then(|| status.sources.into_iter().map(SourceState::of).collect()),
        processes: admin.then(|| overview.processes.iter().map(ShownProcess::of).collect()),
        hosts: admin.then(|| overview.hosts.iter().map(ShownHost::of).collect()),
    }
}

impl ShownGap {
    fn of(StoredGap { source, gap }: StoredGap, admin: bool) -> Self {
        Self {
            source: admin.then_some(source),
            from: rfc3339(gap.from),
            to: rfc3339(gap.to),
            reason: admin.then_some(gap.reason),
            missing: gap.missing,
        }
    }
}

impl SourceState {
    fn of(source: SourceStatus) -> Self {
        Self {
            lines: source.counts.lines,
            missing: source.counts.missing,
            unreadable: source.counts.undecodable.values().sum(),
            control: source.counts.control,
            merged: source.counts.merged,
            entries: source.counts.entries,
            stored: source.stored,
            repeated: source.repeated,
            suppressed: source.suppressed,
            stale: source.stale,
            unmatched: source.unmatched,
            dead: source.dead,
            read_by: source.holder.filter(|(_, until)| *until > now()).map(|(name, _)| name),
            name: source.name,
        }
    }
}

impl ShownCrash {
    fn of(crash: CrashEvent) -> Self {
        Self { part: crash.part, at: rfc3339(crash.at), reason: crash.reason, backtrace: crash.backtrace }
    }
}

/// The parts by kind, without those that came to their end, or that others do in their place.
fn kinds(overview: &ops::Overview) -> Vec<KindState> {
    let mut kinds: Vec<KindState> = Vec::new();
    for process in &overview.processes {
        for part in &process.parts {
            if part.replaced || process.state_of(part) == Some(ops::State::Ended) {
                continue;
            }
            let kind = part.kind();
            let place = kinds.iter().position(|known| known.kind == kind).unwrap_or_else(|| {
                kinds.push(KindState { kind: kind.to_owned(), running: 0, troubled: 0 });
                kinds.len() - 1
            });
            match process.is_troubled(part) {
                true => kinds[place].troubled += 1,
                false => kinds[place].running += 1,
            }
        }
    }
    kinds
}

/// How far back.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// Hours, at most 168; a longer time has points at greater distances.
    #[serde(default = "one")]
    #[param(default = 1.0, exclusive_minimum = 0.0, maximum = 168.0)]
    pub hours: f64,
}

fn one() -> f64 {
    1.0
}

/// How it was over time.
#[derive(Debug, Serialize, ToSchema)]
pub struct History {
    /// The moment of the first point.
    pub from: String,
    /// The moment of the last point.
    pub to: String,
    /// Seconds between two points.
    pub step_seconds: i64,
    /// What was noted.
    pub series: Vec<ShownSeries>,
}

/// How something was over time.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownSeries {
    /// `lines`, `posts`, `matches`, `requests`, `waiting`, `oldest`; of hosts, processes and parts also `cpu`, `memory`,
    /// `load`, `disk`, `received`, `sent`, `lag`.
    pub name: &'static str,
    /// `a second`, `entries`, `seconds`, `percent`, `bytes`, `bytes a second` or `processes`.
    pub unit: &'static str,
    /// Of which machine; empty: of all.
    pub host: String,
    /// Of which process, part or watched name; empty: of the machine, or of all.
    pub of: String,
    /// A value for each moment; null where nothing was noted.
    pub points: Vec<Option<f64>>,
}

/// Samples of the last hours. A token of scope `admin` gets those of each machine, process and part, others what all
/// do together.
#[utoipa::path(get, path = "/status/history", operation_id = "get_history", tag = "health", params(HistoryQuery),
    responses((status = 200, body = Answer<History>)))]
pub(super) async fn history(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<HistoryQuery>,
) -> Result<Answer<History>> {
    if !(query.hours > 0.0 && query.hours <= 168.0) {
        return Err(ApiError::bad("`hours` must be more than 0 and at most 168"));
    }
    let span = Span::last(Duration::from_secs_f64(query.hours * 3600.0), now());
    let series = api.ask(caller.until, ops::history(api.database(), span, caller.is_admin())).await?;
    let shown = |series: ops::Series| ShownSeries {
        name: series.name,
        unit: series.unit,
        host: series.host,
        of: series.of,
        points: series.points,
    };
    let series: Vec<_> = series.into_iter().map(shown).collect();
    let summary = Summary { count: Some(series.len()), ..Summary::new(format!("{} series", series.len())) };
    let (from, to) = (rfc3339(span.from), rfc3339(span.to));
    Ok(Answer::new(summary, History { from, to, step_seconds: span.step / 1000, series }))
}
