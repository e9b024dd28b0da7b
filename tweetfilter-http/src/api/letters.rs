//! Dead letters: what no attempt could store, for whoever runs the server.

use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::{Instant, timeout_at};
use tweetfilter_core::post::Millis;
use tweetfilter_sql::{Database, PUT_BACK};
use tweetfilter_stream::buffer::{Buffer, BufferError, Stats};
use tweetfilter_stream::redis_streams;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::answer::{Answer, ApiError, Refused, Result, Summary};
use super::caller::Caller;
use super::extract::{Body, Query};
use crate::ops::Elsewhere;
use crate::parts::{Buffers, now};
use crate::time::rfc3339;

/// Dead letters of an answer, and at most as many are put back at once.
const PAGE: u32 = 100;
/// How long the source is claimed under which they are put back.
const LEASE: Duration = Duration::from_secs(2);
/// How long it holds what was counted of a buffer on a server of its own: that goes through its streams, and many may ask.
const HOLDS: Duration = Duration::from_secs(1);

/// The way to the buffer. The API needs it for this and for what `/status` says, and opens it when it does.
#[derive(Debug)]
pub(super) struct Way {
    embedded: Option<Buffers>,
    elsewhere: OnceLock<(String, redis_streams::Options)>,
    opened: OnceCell<Buffers>,
    counted: Mutex<Option<(Instant, Counted)>>,
}

/// What was in the buffer, and when.
type Counted = (Millis, Stats);

impl Way {
    pub(super) fn new(database: &Database) -> Self {
        let embedded = database.buffer().map(Buffers::Embedded);
        Self { embedded, elsewhere: OnceLock::new(), opened: OnceCell::new(), counted: Mutex::default() }
    }

    pub(super) fn at(&self, address: String, options: redis_streams::Options) {
        // Whoever says it twice says the same.
        let _ = self.elsewhere.set((address, options));
    }

    /// Whether the buffer is not the one in the store's file.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.elsewhere.get().is_some() || self.embedded.is_none()
    }

    async fn buffer(&self, database: &Database) -> Result<Buffers, BufferError> {
        let open = || async {
            match (self.elsewhere.get(), &self.embedded) {
                (Some((address, options)), _) => {
                    Buffers::open(Some(address), database, options.clone()).await
                }
                (None, Some(embedded)) => Ok(embedded.clone()),
                (None, None) => {
                    let message = "this API was not told where the buffer is: --buffer redis://HOST";
                    Err(BufferError::Unfit(message.to_owned()))
                }
            }
        };
        self.opened.get_or_try_init(open).await.cloned()
    }
}

impl Api {
    /// What a buffer on a server of its own knows beside the store, or why it says nothing.
    pub(super) async fn elsewhere(&self, until: Instant) -> std::result::Result<Elsewhere, String> {
        let way = &self.0.buffer;
        if !way.is_elsewhere() {
            return Ok(Elsewhere::default());
        }
        let asked = async {
            let buffer = way.buffer(self.database()).await?;
            Elsewhere::of(&buffer, self.database()).await
        };
        match timeout_at(until, asked).await {
            Ok(known) => known.map_err(|error| error.to_string()),
            Err(_) => Err("it does not answer in time".to_owned()),
        }
    }

    /// What is in a buffer on a server of its own, as of the last second; `None` if there is none, or it does not say so in time.
    pub(super) async fn counted(&self, until: Instant) -> std::result::Result<Option<Counted>, BufferError> {
        let way = &self.0.buffer;
        if !way.is_elsewhere() {
            return Ok(None);
        }
        let asked = async {
            let mut counted = way.counted.lock().await;
            if let Some((at, known)) = &*counted
                && at.elapsed() < HOLDS
            {
                return Ok(known.clone());
            }
            let known = (now(), way.buffer(self.database()).await?.stats().await?);
            *counted = Some((Instant::now(), known.clone()));
            Ok(known)
        };
        timeout_at(until, asked).await.map_or(Ok(None), |known| known.map(Some))
    }
}

/// Which ones.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LettersQuery {
    /// Begin behind the one of this number.
    #[serde(default)]
    pub after: i64,
}

/// An entry that no attempt could store. What is in it is not shown: it may be anybody's.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownLetter {
    /// Its number.
    pub id: i64,
    /// The source that it came from, if that could be read.
    pub source: String,
    /// When it was given up.
    pub at: String,
    /// What was wrong.
    pub reason: String,
    /// Its bytes; 0 if its post was deleted since.
    pub bytes: u64,
}

/// Which ones to try again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Their numbers, at most 100.
    pub ids: Vec<i64>,
}

/// What was put back.
#[derive(Debug, Serialize, ToSchema)]
pub struct Retried {
    /// How many were put back into the buffer. One whose post was deleted since is taken off the list alone.
    pub put_back: usize,
}

/// What no attempt could store, oldest first; needs scope `admin`. `next` of the summary is the `after` of what follows.
#[utoipa::path(get, path = "/dead-letters", operation_id = "list_dead_letters", tag = "health", params(LettersQuery),
    responses((status = 200, body = Answer<Vec<ShownLetter>>)))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<LettersQuery>,
) -> Result<Answer<Vec<ShownLetter>>> {
    let letters = api.ask(caller.until, api.database().dead_letter_outlines(query.after, PAGE)).await?;
    let shown: Vec<_> = letters
        .into_iter()
        .map(|letter| ShownLetter {
            id: letter.id,
            source: letter.source,
            at: rfc3339(letter.at),
            reason: letter.reason,
            bytes: letter.bytes,
        })
        .collect();
    let next = shown.last().filter(|_| shown.len() == PAGE as usize).map(|last| last.id.to_string());
    Ok(Answer::new(Summary { next, ..Summary::counted(shown.len(), "dead letter") }, shown))
}

/// Puts dead letters back into the buffer, to be tried again; needs scope `admin`.
#[utoipa::path(post, path = "/dead-letters/retry", operation_id = "retry_dead_letters", tag = "health", request_body = Retry,
    responses((status = 200, body = Answer<Retried>), (status = 409, body = Refused,
            description = "Somebody else puts dead letters back just now (`retry_running`)"),
        (status = 503, body = Refused,
            description = "The store or the buffer (`buffer_away`) is away; `Retry-After` says when to come back")))]
pub(super) async fn retry(
    State(api): State<Api>,
    caller: Caller,
    Body(Retry { ids }): Body<Retry>,
) -> Result<Answer<Retried>> {
    if ids.len() > PAGE as usize {
        return Err(ApiError::bad(format!("at most {PAGE} at once")));
    }
    let database = api.database();
    let put_back = async {
        let buffer = api.0.buffer.buffer(database).await?;
        buffer.claim_for(database).await?;
        let instance = format!("api {}", std::process::id());
        let claim = buffer.claim(PUT_BACK, &instance, LEASE).await?;
        database.retry_dead_letters(&ids, &buffer, PUT_BACK, claim.fence).await
    };
    let put_back = match timeout_at(caller.until, put_back).await {
        Ok(put_back) => put_back.map_err(refused)?,
        Err(_) => return Err(late(&api).await),
    };
    let retried = Retried { put_back };
    Ok(Answer::new(Summary::new(format!("{put_back} put back")), retried))
}

/// Who did not answer in time: a buffer on a server of its own, if the store does answer.
async fn late(api: &Api) -> ApiError {
    if api.0.buffer.is_elsewhere() && api.store_answers().await {
        return buffer_away("The buffer does not answer in time. Look at the list before you try again");
    }
    api.late().await
}

fn buffer_away(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "buffer_away", message).after(2)
}

fn refused(error: BufferError) -> ApiError {
    match error {
        BufferError::Taken { free_in, .. } => {
            let message = "Somebody else puts dead letters back just now; try again in a moment";
            ApiError::new(StatusCode::CONFLICT, "retry_running", message).after(free_in.as_secs() + 1)
        }
        BufferError::Fenced { .. } => {
            let message = "Somebody else puts dead letters back just now; look at the list again";
            ApiError::new(StatusCode::CONFLICT, "retry_running", message).after(1)
        }
        error => buffer_away(error.to_string()),
    }
}
