//! Whether the process runs, and whether it can serve.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::answer::{Answer, Result, Summary};
use super::{Api, STORE};

/// How it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `live` or `ready`.
    pub state: &'static str,
}

/// The process runs. It says nothing about the store.
#[utoipa::path(get, path = "/health/live", tag = "health", security(()),
    responses((status = 200, body = Answer<Health>)))]
pub(super) async fn live() -> Answer<Health> {
    Answer::new(Summary::new("The process runs"), Health { state: "live" })
}

/// The store takes writes.
#[utoipa::path(get, path = "/health/ready", tag = "health", security(()),
    responses((status = 200, body = Answer<Health>), (status = 503, body = Answer<Health>)))]
pub(super) async fn ready(State(api): State<Api>) -> Result<Response> {
    api.ask(Instant::now() + STORE, api.database().probe()).await?;
    let answer = Answer::new(Summary::new("The store takes writes"), Health { state: "ready" });
    Ok(([(header::CACHE_CONTROL, "no-store")], answer).into_response())
}
