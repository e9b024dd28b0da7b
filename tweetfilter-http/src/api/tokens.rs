//! The tokens of an account: who may act for it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tweetfilter_sql::{Made, Scope};
use utoipa::ToSchema;

use super::answer::{Answer, ApiError, Refused, Result, Summary};
use super::caller::Caller;
use super::extract::{Body, Path};
use super::{Api, digest, secret, words};
use crate::names;
use crate::time::rfc3339;

/// Tokens of an account, at most, that are made here.
const MOST: usize = 100;

/// A token of the account, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnToken {
    /// Its number, by which it is revoked.
    pub id: i64,
    /// What people call it; may be empty.
    pub name: String,
    /// `read`, `write` or `admin`.
    #[schema(value_type = words::Scope)]
    pub scope: Scope,
    /// When it was made.
    pub created_at: String,
    /// When it was used last, give or take five minutes; null if it never was.
    pub used_at: Option<String>,
    /// Whether it is the one that this request was sent with.
    pub current: bool,
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddToken {
    /// What to call it, such as the device or program that uses it.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub name: String,
    /// `read`, `write` or `admin`: at most what the token of this request may do.
    #[schema(value_type = words::Scope)]
    pub scope: Scope,
    /// 64 hexadecimal digits at random, of which the token is made: sent again, as after an answer that was lost, it makes no
    /// second one. They may be those of no feed. Without it the server has some.
    #[serde(default)]
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub secret: Option<String>,
}

/// A token that was made. It is not shown again.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewToken {
    /// Its number, by which it is revoked.
    pub id: i64,
    /// What it may do.
    #[schema(value_type = words::Scope)]
    pub scope: Scope,
    /// The token itself: whoever has it acts for the account.
    pub token: String,
}

/// The account's tokens.
#[utoipa::path(get, path = "/tokens", operation_id = "list_tokens", tag = "account", responses((status = 200, body = Answer<Vec<OwnToken>>)))]
pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Result<Answer<Vec<OwnToken>>> {
    let tokens = api.ask(caller.until, api.database().account_tokens(caller.account())).await?;
    let shown: Vec<_> = tokens
        .into_iter()
        .map(|(token, used_at)| OwnToken {
            current: token.id == caller.token.id,
            id: token.id,
            name: token.name,
            scope: token.scope,
            created_at: rfc3339(token.created_at),
            used_at: used_at.map(rfc3339),
        })
        .collect();
    Ok(Answer::new(Summary::counted(shown.len(), "token"), shown))
}

/// Makes a token of the account, which is shown once. It may do at most what the token of this request may.
///
/// Sent again, it makes another, of which nobody knows if the answer is lost. Who does not want that sends a `secret`.
#[utoipa::path(post, path = "/tokens", operation_id = "add_token", tag = "account", request_body = AddToken,
    responses((status = 201, body = Answer<NewToken>),
        (status = 200, body = Answer<NewToken>, description = "It was made before, by the same `secret`"),
        (status = 403, body = Refused), (status = 422, body = Refused,
            description = "The account has as many tokens as it may (`too_many_tokens`), there is another of this `secret` (`secret_taken`), or what was made with it was revoked (`secret_revoked`)")))]
pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    Body(AddToken { name, scope, secret }): Body<AddToken>,
) -> Result<Response> {
    if scope > caller.token.scope {
        let message = "A token makes none that may do more than itself";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "scope", message));
    }
    names::fits(&name, "a token", names::TOKEN_NAME)
        .map_err(|said| ApiError::bad(format!("`name` does not fit: {said}")))?;
    let token = secret::own_or_new(secret::TOKEN, secret.as_deref())?;
    secret::is_of_no_other(&api, &caller, secret::FEED, secret.as_deref()).await?;
    let digest = digest(&token);
    let kept = api.database().add_token_within(caller.account(), &name, &digest, scope, MOST);
    let (status, id) = match api.ask(caller.until, kept).await? {
        Made::Now(id) => (StatusCode::CREATED, id),
        Made::Before(id) => (StatusCode::OK, id),
        Made::Otherwise => return Err(secret::taken()),
        Made::Revoked => return Err(secret::revoked()),
        Made::TooMany => {
            let message = format!("This account has {MOST} tokens; revoke those that nobody uses");
            return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "too_many_tokens", message));
        }
    };
    let answer =
        Answer::new(Summary::new("Keep the token; it is not shown again"), NewToken { id, scope, token });
    Ok((status, answer).into_response())
}

/// Revokes a token of the account: from now on it opens nothing, and its live streams end. It may be the one that this
/// request is sent with, but none that may do more.
#[utoipa::path(delete, path = "/tokens/{id}", operation_id = "remove_token", tag = "account", params(("id" = i64, Path, description = "Its number")),
    responses((status = 200, body = Answer<i64>), (status = 403, body = Refused),
        (status = 404, body = Refused)))]
pub(super) async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Answer<i64>> {
    let tokens = api.ask(caller.until, api.database().account_tokens(caller.account())).await?;
    let (token, _) = tokens
        .into_iter()
        .find(|(token, _)| token.id == id)
        .ok_or_else(|| ApiError::missing(format_args!("token {id} of this account")))?;
    if token.scope > caller.token.scope {
        let message = "A token revokes none that may do more than itself";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "scope", message));
    }
    if !api.ask(caller.until, api.database().revoke_token(id)).await? {
        return Err(ApiError::missing(format_args!("token {id} of this account")));
    }
    Ok(Answer::new(Summary::new("Revoked"), id))
}
