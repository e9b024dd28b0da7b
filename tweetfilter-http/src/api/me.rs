//! Who the token is for.

use axum::extract::State;
use serde::Serialize;
use tweetfilter_core::Limits;
use tweetfilter_sql::Scope;
use utoipa::ToSchema;

use super::Api;
use super::answer::{Answer, Result, Summary};
use super::caller::Caller;
use super::words;
use crate::time::rfc3339;

/// The account that a token acts for, and what it may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The account's number.
    pub account: i64,
    /// Its name.
    pub name: String,
    /// Who it is on networks: what `me` stands for in its filters.
    pub identities: Vec<KnownAs>,
    /// The token that was sent.
    pub token: ShownToken,
    /// What this server allows.
    pub limits: Allowed,
    /// The last commit: what comes after it is new.
    pub commit: i64,
    /// Of accounts, filters and named sets: raised by each change.
    pub revision: i64,
    /// Of reading positions, feeds and tokens, of all accounts; `/live` says when it rises for this one.
    pub change: i64,
    /// Of what was decided anew or forgotten of stored posts; `/live` says when it rises.
    pub results: i64,
}

/// Who an account is on a network.
#[derive(Debug, Serialize, ToSchema)]
pub struct KnownAs {
    /// The network.
    pub network: String,
    /// The id there; may be empty.
    pub id: String,
    /// The handle there; may be empty.
    pub handle: String,
}

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownToken {
    /// Its number.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// `read`, `write` or `admin`.
    #[schema(value_type = words::Scope)]
    pub scope: Scope,
    /// When it was made.
    pub created_at: String,
}

/// What this server allows a token.
#[derive(Debug, Serialize, ToSchema)]
pub struct Allowed {
    /// Requests a second, on average.
    pub requests_a_second: f64,
    /// Filters of an account.
    pub filters: usize,
    /// Named sets of an account.
    pub sets: usize,
    /// Bytes that these may have together.
    pub set_bytes: usize,
    /// Live streams at once.
    pub streams: usize,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Bytes of an expression, as UTF-8.
    pub expression_bytes: usize,
}

/// The account that the token acts for.
#[utoipa::path(get, path = "/me", operation_id = "get_me", tag = "account", responses((status = 200, body = Answer<Me>)))]
pub(super) async fn me(State(api): State<Api>, caller: Caller) -> Result<Answer<Me>> {
    let database = api.database();
    let accounts = api.ask(caller.until, database.accounts()).await?;
    let pulse = caller.pulse;
    let known = accounts.into_iter().find(|account| account.id == caller.account());
    let known_as = |(network, account): (String, tweetfilter_core::post::Account)| KnownAs {
        network,
        id: account.id,
        handle: account.handle,
    };
    let identities = known.into_iter().flat_map(|account| account.identities).map(known_as).collect();
    let token = caller.token;
    let options = api.options();
    let summary = Summary::new(format!("You are {}", token.account_name));
    let me = Me {
        account: token.account,
        name: token.account_name,
        identities,
        token: ShownToken {
            id: token.id,
            name: token.name,
            scope: token.scope,
            created_at: rfc3339(token.created_at),
        },
        limits: Allowed {
            requests_a_second: options.rate,
            filters: options.filters,
            sets: options.sets,
            set_bytes: options.set_bytes,
            streams: options.streams,
            body_bytes: options.body_bytes,
            expression_bytes: Limits::default().expression_bytes,
        },
        commit: pulse.commit,
        revision: pulse.revision,
        change: pulse.own,
        results: pulse.rewritten,
    };
    Ok(Answer::new(summary, me))
}
