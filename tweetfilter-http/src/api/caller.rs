//! Who asks: every route behind [`super::PREFIX`] is behind this too.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use tweetfilter_sql::{Pulse, Scope, Token};

use super::answer::{ApiError, Result};
use super::{Api, PREFIX, extract, secret};

/// Whom a request acts for, and until when the store may answer it.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) token: Token,
    pub(super) until: Instant,
    /// What had changed when the request came: what is newer is read again by whoever goes on from here.
    pub(super) pulse: Pulse,
}

impl Caller {
    pub(super) fn account(&self) -> i64 {
        self.token.account
    }

    /// Whether they run the server.
    pub(super) fn is_admin(&self) -> bool {
        self.token.scope >= Scope::Admin
    }

    /// Gives the store all of its time again, after something else that took a while.
    pub(super) fn renew(&mut self, api: &Api) {
        self.until = api.until();
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        // Absent only on a route that stands outside of `authorize`.
        parts.extensions.get::<Self>().cloned().ok_or_else(no_token)
    }
}

/// A body that takes longer than this came from afar.
const SLOW: Duration = Duration::from_millis(100);

/// Lets a request pass whose token may do what it asks for.
pub(super) async fn authorize(State(api): State<Api>, request: Request, next: Next) -> Response {
    match arrive(&api, request).await {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// A request whose token may do what it asks for, with all of its body.
async fn arrive(api: &Api, request: Request) -> Result<Request> {
    let secret = bearer(&request).map(str::to_owned);
    let needed = needed(request.method(), request.uri().path());
    let mut caller = admit(api, secret.clone(), needed, true).await?;
    let (mut parts, mut body) = request.into_parts();
    if !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        let begun = Instant::now();
        body = extract::bytes(body, api).await?.into();
        // The store's time begins when all is there; a token may have been revoked while it came.
        caller = match begun.elapsed() > SLOW {
            true => admit(api, secret, needed, false).await?,
            false => Caller { until: api.until(), ..caller },
        };
    }
    parts.extensions.insert(caller);
    Ok(Request::from_parts(parts, body))
}

/// Finds out who asks. What is looked at a second time is no second request.
async fn admit(api: &Api, secret: Option<String>, needed: Scope, counts: bool) -> Result<Caller> {
    let until = api.until();
    let secret = secret.ok_or_else(no_token)?;
    let (token, pulse) = api.token(until, secret::digest(&secret), counts).await?.ok_or_else(|| {
        let message = "This token is unknown or was revoked; `tweetfilter token add ACCOUNT` makes a new one";
        ApiError::new(StatusCode::UNAUTHORIZED, "unknown_token", message)
    })?;
    if token.scope < needed {
        let name = format!("{needed:?}").to_lowercase();
        let message = format!(
            "This token may not do that; make one that may: `tweetfilter token add {} --scope {name}`",
            token.account_name
        );
        return Err(ApiError::new(StatusCode::FORBIDDEN, "scope", message));
    }
    if api.0.uses.note(token.id, api.options()) {
        tokio::spawn(note_uses(api.clone()));
    }
    Ok(Caller { token, until, pulse })
}

/// How long is waited for others whose use is to be noted: many come at once when a server begins, and each write of its own
/// would hold up the commits of workers.
const OTHERS: Duration = Duration::from_millis(100);

/// Notes which tokens are used, until nothing is to be noted. Nobody waits for that, and a store that takes no writes is told
/// of elsewhere.
async fn note_uses(api: Api) {
    loop {
        tokio::time::sleep(OTHERS).await;
        let tokens = api.0.uses.take_noted();
        if tokens.is_empty() {
            return;
        }
        let _ = tokio::time::timeout(api.options().store_time, api.database().tokens_used(&tokens)).await;
    }
}

/// Tokens that were asked for, by their digests.
pub(super) type Tokens = HashMap<String, (Token, Pulse)>;

/// Tokens that are remembered.
const TOKENS: usize = 10_000;

impl Api {
    /// The token of a digest, and what has changed up to now. What is remembered of it holds as long as the store
    /// says that no token was revoked and no account changed since; a token that is unknown is asked for each time.
    ///
    /// The request is counted before anything is waited for, where it is known whose it is, and else by whoever finds that
    /// out, also for a client that has gone away: who hangs up again and again asks as much as others.
    async fn token(
        &self,
        until: Instant,
        digest: String,
        mut counts: bool,
    ) -> Result<Option<(Token, Pulse)>> {
        let known = self.tokens().get(&digest).cloned();
        if let Some((token, then)) = known {
            if counts {
                self.0.uses.take(token.id, self.options())?;
                counts = false;
            }
            let now = self.ask(until, self.0.pulse.now()).await?;
            if (then.tokens, then.revision) == (now.tokens, now.revision) {
                return Ok(Some((token, now)));
            }
        }
        let api = self.clone();
        let found = tokio::spawn(async move { api.look_up(until, digest, counts).await });
        found.await.unwrap_or_else(|_| Err(ApiError::broken()))
    }

    async fn look_up(&self, until: Instant, digest: String, counts: bool) -> Result<Option<(Token, Pulse)>> {
        let found = self.ask(until, self.database().token(&digest)).await?;
        {
            let mut tokens = self.tokens();
            if tokens.len() >= TOKENS {
                tokens.clear();
            }
            match &found {
                Some(found) => tokens.insert(digest, found.clone()),
                None => tokens.remove(&digest),
            };
        }
        if let Some((token, _)) = found.as_ref().filter(|_| counts) {
            self.0.uses.take(token.id, self.options())?;
        }
        Ok(found)
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn no_token() -> ApiError {
    let message = "Send a token: `Authorization: Bearer …`; `tweetfilter token add ACCOUNT` makes one";
    ApiError::new(StatusCode::UNAUTHORIZED, "no_token", message)
}

/// What a token must be allowed to for a request.
pub(super) fn needed(method: &Method, path: &str) -> Scope {
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    // They take an expression, and change nothing.
    let only_asks = matches!(path, "/check" | "/explain" | "/preview" | "/search");
    match *method {
        // Of all accounts.
        _ if path.starts_with("/dead-letters") => Scope::Admin,
        Method::GET | Method::HEAD | Method::OPTIONS => Scope::Read,
        Method::POST if only_asks => Scope::Read,
        // What people have read is theirs, and nobody's loss.
        Method::PUT if path.starts_with("/reading/") => Scope::Read,
        _ => Scope::Write,
    }
}
