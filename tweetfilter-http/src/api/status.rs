//! How the system is, as far as it concerns those who use it.

use axum::extract::State;
use serde::Serialize;
use tweetfilter_sql::Scope;
use utoipa::ToSchema;

use super::Api;
use super::answer::{Answer, Result, Summary};
use super::caller::Caller;
use crate::parts::now;
use crate::time::rfc3339;

/// Gaps that are shown.
const GAPS: u32 = 50;

/// How the system is.
#[derive(Debug, Serialize, ToSchema)]
pub struct SystemStatus {
    /// The last commit.
    pub commit: i64,
    /// Of accounts, filters and named sets.
    pub revision: u64,
    /// Posts that are kept.
    pub posts: u64,
    /// Entries that wait in the buffer, if that is in the store's file.
    pub waiting: Option<u64>,
    /// How long the oldest of them has waited, in seconds.
    pub oldest_seconds: Option<f64>,
    /// Stretches of time in which messages are missing, newest first.
    pub gaps: Vec<ShownGap>,
    /// What came of each source; only for tokens of scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<SourceState>>,
    /// What no attempt could store; only for tokens of scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<u64>,
    /// Parts that ended without saying so; only for tokens of scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crashes: Option<u64>,
}

/// A stretch of time in which messages of a source are missing.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownGap {
    /// The source; only for tokens of scope `admin`, since its name may say whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// From when.
    pub from: String,
    /// Until when.
    pub to: String,
    /// Why; only for tokens of scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many messages are missing, if that is known.
    pub missing: Option<u64>,
}

/// What came of a source.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceState {
    /// Its name.
    pub name: String,
    /// Lines that were read.
    pub lines: u64,
    /// Posts that were stored.
    pub stored: u64,
    /// Copies of stored posts.
    pub repeated: u64,
    /// Posts that were deleted before they came.
    pub suppressed: u64,
    /// Posts that no filter matched, where only others are kept.
    pub unmatched: u64,
    /// What no attempt could store.
    pub dead: u64,
    /// Who reads it now.
    pub read_by: Option<String>,
}

/// Gaps, what waits, and how far the store is.
#[utoipa::path(get, path = "/status", tag = "health", responses((status = 200, body = Answer<SystemStatus>)))]
pub(super) async fn status(State(api): State<Api>, caller: Caller) -> Result<Answer<SystemStatus>> {
    let database = api.database();
    let status = api.ask(caller.until, database.status()).await?;
    let gaps = api.ask(caller.until, database.gaps(GAPS)).await?;
    let admin = caller.token.scope >= Scope::Admin;
    let gap = |stored: tweetfilter_sql::StoredGap| ShownGap {
        source: admin.then_some(stored.source),
        from: rfc3339(stored.gap.from),
        to: rfc3339(stored.gap.to),
        reason: admin.then_some(stored.gap.reason),
        missing: stored.gap.missing,
    };
    let source = |source: tweetfilter_sql::SourceStatus| SourceState {
        lines: source.counts.lines,
        stored: source.stored,
        repeated: source.repeated,
        suppressed: source.suppressed,
        unmatched: source.unmatched,
        dead: source.dead,
        read_by: source.holder.filter(|(_, until)| *until > now()).map(|(name, _)| name),
        name: source.name,
    };
    let oldest = status.buffer.as_ref().and_then(|stats| stats.oldest);
    let gaps: Vec<_> = gaps.into_iter().map(gap).collect();
    let summary = match gaps.len() {
        0 => Summary::new("No gaps"),
        count => Summary::new(Summary::counted(count, "gap").text),
    };
    let shown = SystemStatus {
        commit: status.commit,
        revision: status.revision,
        posts: status.posts,
        waiting: status.buffer.as_ref().map(|stats| stats.entries),
        oldest_seconds: oldest.map(|oldest| (now() - oldest).max(0) as f64 / 1000.0),
        gaps,
        sources: admin.then(|| status.sources.into_iter().map(source).collect()),
        dead_letters: admin.then_some(status.dead),
        crashes: admin.then_some(status.crashes),
    };
    Ok(Answer::new(summary, shown))
}
