//! Whether the process runs, and whether it can serve.

use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::Api;
use super::answer::{Answer, Refused, Result, Summary};

/// How long it holds what a probe found: whoever asks more often, and anybody may, adds no write.
const HOLDS: Duration = Duration::from_secs(1);

/// When the store was probed last, and what came of it.
pub(super) type Probed = tokio::sync::Mutex<Option<(Instant, Result<()>)>>;

impl Api {
    /// Tries whether the store takes a write, unless that was tried a moment ago.
    pub(super) async fn probe(&self) -> Result<()> {
        let mut probed = self.0.probed.lock().await;
        if let Some((at, found)) = &*probed
            && at.elapsed() < HOLDS
        {
            return found.clone();
        }
        let found = self.ask(self.until(), self.database().probe()).await;
        *probed = Some((Instant::now(), found.clone()));
        found
    }
}

/// How it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `live` or `ready`.
    pub state: &'static str,
}

/// The process runs. It says nothing about the store.
#[utoipa::path(get, path = "/health/live", operation_id = "health_live", tag = "health", security(()),
    responses((status = 200, body = Answer<Health>)))]
pub(super) async fn live() -> Answer<Health> {
    Answer::new(Summary::new("The process runs"), Health { state: "live" })
}

/// The store takes writes.
#[utoipa::path(get, path = "/health/ready", operation_id = "health_ready", tag = "health", security(()),
    responses((status = 200, body = Answer<Health>), (status = 503, body = Refused)))]
pub(super) async fn ready(State(api): State<Api>) -> Result<Response> {
    api.probe().await?;
    let answer = Answer::new(Summary::new("The store takes writes"), Health { state: "ready" });
    Ok(([(header::CACHE_CONTROL, "no-store")], answer).into_response())
}
