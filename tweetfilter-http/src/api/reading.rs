//! How far somebody has read, the same on all their devices.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tweetfilter_sql::Reading;
use utoipa::ToSchema;

use super::Api;
use super::answer::{Answer, ApiError, Refused, Result, Summary};
use super::caller::Caller;
use super::extract::{Body, Path};
use super::shapes::{place, read_place};
use crate::time::rfc3339;

/// Places of an account, at most.
const PLACES: usize = 1_000;
/// Characters of a place's name.
const NAME: usize = 100;

/// How far somebody has read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadUpTo {
    /// Which timeline: a name of the reader's choosing, such as `timeline` or `filter-3`.
    pub name: String,
    /// Up to which place of it.
    pub up_to: String,
    /// When that was said.
    pub at: String,
}

/// Up to where somebody has read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpTo {
    /// The `place` of the last post that was read.
    #[schema(pattern = "^[0-9]{1,18}-[0-9]{1,18}$")]
    pub up_to: String,
}

/// How far the account has read, by timeline.
#[utoipa::path(get, path = "/reading", operation_id = "list_reading", tag = "account", responses((status = 200, body = Answer<Vec<ReadUpTo>>)))]
pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Result<Answer<Vec<ReadUpTo>>> {
    let readings = api.ask(caller.until, api.database().readings(caller.account())).await?;
    let shown = |reading: Reading| ReadUpTo {
        name: reading.place,
        up_to: place(reading.up_to),
        at: rfc3339(reading.at),
    };
    let shown: Vec<_> = readings.into_iter().map(shown).collect();
    Ok(Answer::new(Summary::counted(shown.len(), "place"), shown))
}

/// Keeps how far the account has read in a timeline.
#[utoipa::path(put, path = "/reading/{name}", operation_id = "put_reading", tag = "account", request_body = UpTo,
    params(("name" = String, Path, description = "Which timeline")),
    responses((status = 200, body = Answer<String>), (status = 400, body = Refused),
        (status = 422, body = Refused, description = "The account has as many places as it may")))]
pub(super) async fn put(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    Body(UpTo { up_to }): Body<UpTo>,
) -> Result<Answer<String>> {
    let cursor = read_place(&up_to).ok_or_else(|| ApiError::bad("`up_to` must be the `place` of a post"))?;
    if name.is_empty() || name.chars().count() > NAME {
        return Err(ApiError::bad(format!("A name has from 1 to {NAME} characters")));
    }
    let kept = api.database().set_reading(caller.account(), &name, cursor, PLACES);
    if !api.ask(caller.until, kept).await? {
        let message = format!("This account has {PLACES} places already; use their names again");
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "too_many_places", message));
    }
    Ok(Answer::new(Summary::new("Kept"), up_to))
}
