//! Named sets: lists of terms that filters may name as `{name}`. An account has its own; those for all accounts, which
//! whoever runs the server makes, are read here and not changed.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tweetfilter_core::Limits;
use tweetfilter_core::syntax::lint::set_names;
use tweetfilter_core::syntax::{Expression, NamedSets};
use tweetfilter_sql::{Changed, FilterRow, NewFilter, SetKept, SetQuota};
use utoipa::ToSchema;

use super::Api;
use super::answer::{Answer, ApiError, Refused, Result, Summary};
use super::caller::Caller;
use super::extract::{Body, Path};
use super::tag::{IfMatch, Tag, must_be_new};
use super::turns::Work;
use crate::parts::now;

/// A named set.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetName {
    /// Filters write it in braces.
    pub name: String,
    /// How many terms it has.
    pub terms: usize,
    /// Whether it is for all accounts, and so not to be changed here.
    pub shared: bool,
}

/// The terms of a set.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Each a word, a phrase, or whatever an operator takes.
    pub terms: Vec<String>,
}

/// The named sets that the account's filters know: its own, and those for all that it has none of this name for.
#[utoipa::path(get, path = "/sets", operation_id = "list_sets", tag = "sets",
    responses((status = 200, body = Answer<Vec<SetName>>), (status = 304, description = "As it was")))]
pub(super) async fn list(State(api): State<Api>, caller: Caller, headers: HeaderMap) -> Result<Response> {
    let tag = tag(&caller);
    if tag.is_known(&headers) {
        return Ok(tag.unchanged());
    }
    let named = |(name, (terms, shared)): (String, (String, bool))| SetName {
        name,
        terms: lines(&terms).count(),
        shared,
    };
    let shown: Vec<_> = known(&api, &caller).await?.into_iter().map(named).collect();
    Ok(tag.put(Answer::new(Summary::counted(shown.len(), "set"), shown)))
}

/// All named sets change with the revision, and are told to an account.
fn tag(caller: &Caller) -> Tag {
    Tag::of(&[caller.account(), caller.pulse.revision])
}

/// A set, as of when it was kept last, if there is one of this name.
async fn tag_of(api: &Api, caller: &Caller, name: &str) -> Result<Option<(u64, Tag)>> {
    let revision = api.ask(caller.until, api.database().set_revision(caller.account(), name)).await?;
    Ok(revision.map(|revision| (revision, of_revision(revision))))
}

fn of_revision(revision: u64) -> Tag {
    Tag::exact(&[revision])
}

/// The terms of a set.
#[utoipa::path(get, path = "/sets/{name}", operation_id = "get_set", tag = "sets", params(("name" = String, Path, description = "Its name")),
    responses((status = 200, body = Answer<Terms>), (status = 304, description = "As it was"),
        (status = 404, body = Refused)))]
pub(super) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let missing = || ApiError::missing(format_args!("set {name}"));
    let (_, tag) = tag_of(&api, &caller, &name).await?.ok_or_else(missing)?;
    if tag.is_known(&headers) {
        return Ok(tag.unchanged());
    }
    let (terms, _) = known(&api, &caller).await?.remove(&name).ok_or_else(missing)?;
    let terms: Vec<_> = lines(&terms).map(str::to_owned).collect();
    Ok(tag.put(Answer::new(Summary::counted(terms.len(), "term"), Terms { terms })))
}

/// Terms by name, and whether the set is for all.
async fn known(api: &Api, caller: &Caller) -> Result<BTreeMap<String, (String, bool)>> {
    let mut known = BTreeMap::new();
    for (account, shared) in [(None, true), (Some(caller.account()), false)] {
        for (name, terms) in api.ask(caller.until, api.database().named_sets(account)).await? {
            known.insert(name, (terms, shared));
        }
    }
    Ok(known)
}

/// Keeps a set of the account, without blank terms; one of this name is replaced, for all of its filters that name it. How many sets it may
/// have, and how large they may be together, `/me` says.
///
/// With `If-None-Match: *` it is kept only if it is new, and nothing is replaced: of those who make one of a name at the same
/// moment, one does. A set for all accounts counts as there, too. With `If-Match`, its `ETag`, it is kept only if nobody has
/// changed it meanwhile. The answer has the `ETag` of what is kept.
#[utoipa::path(put, path = "/sets/{name}", operation_id = "put_set", tag = "sets", request_body = Terms,
    params(("name" = String, Path, description = "Its name"),
        ("If-None-Match" = Option<String>, Header, pattern = r"^\*$", description = "`*` keeps it only if there is none of this name"),
        ("If-Match" = Option<String>, Header, description = "Its `ETag`, several with commas between them, or `*`: if there is one of this name")),
    responses((status = 200, body = Answer<Terms>,
            headers(("ETag" = String, description = "Of what is kept: say it in `If-Match` to change no other"))), (status = 422, body = Refused),
        (status = 412, body = Refused,
            description = "`If-None-Match: *` was sent, and there is a set of this name (`set_exists`), or `If-Match`, and it is another, or gone (`changed_meanwhile`)")))]
pub(super) async fn put(
    State(api): State<Api>,
    mut caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    Body(mut set): Body<Terms>,
) -> Result<Response> {
    let must_be_new = must_be_new(&headers)?;
    let replaced = replaced(&api, &caller, &name, &headers).await?;
    if let Some(term) = set.terms.iter().find(|term| term.contains(['\n', '\r'])) {
        return Err(ApiError::bad(format!("A term is one line; this one has several: {term:?}")));
    }
    // As of blank lines of a file.
    set.terms.retain(|term| !term.trim().is_empty());
    let (named, text) = (name.clone(), set.terms.join("\n"));
    let checking = api.alone(caller.account(), Work::Lists, move || {
        let checked = NamedSets::default().insert(&named, &text, &Limits::default());
        checked.map_err(|found| ApiError::expression(&found, &text)).map(|()| text)
    });
    let text = checking.await??;
    let quota = SetQuota { sets: api.options().sets, bytes: api.options().set_bytes };
    let (account, database) = (caller.account(), api.database());
    let kept = async {
        match replaced {
            _ if must_be_new => database.add_own(account, &name, &text, quota).await,
            Some(known) => database.replace_own(account, &name, &text, quota, known).await,
            None => database.set_own(account, &name, &text, quota).await,
        }
    };
    let (code, message) = match api.keep(&mut caller, Duration::ZERO, kept).await? {
        SetKept::Done(revision) => {
            let answer = Answer::new(Summary::counted(set.terms.len(), "term"), set);
            return Ok(of_revision(revision).put(answer));
        }
        SetKept::Exists => return Err(exists(&name)),
        SetKept::Meanwhile => return Err(changed_meanwhile(&name)),
        SetKept::TooMany(held) => {
            let message = format!("This account has {held} named sets, as many as it may; remove some first");
            ("too_many_sets", message)
        }
        SetKept::TooLarge(bytes) => {
            let message = format!(
                "The named sets of this account would have {bytes} bytes together, and may have {}; \
                 shorten this one, or remove others",
                quota.bytes
            );
            ("sets_too_large", message)
        }
    };
    Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, message))
}

fn exists(name: &str) -> ApiError {
    let message = format!(
        "There is a set of the name {name} already, and it stays as it is. Take another name, or replace it: send the \
         same without `If-None-Match`"
    );
    ApiError::new(StatusCode::PRECONDITION_FAILED, "set_exists", message)
}

/// The revision that a set must still be of to be replaced or removed, where tags in `If-Match` say so; an error if it is of
/// none of them.
async fn replaced(api: &Api, caller: &Caller, name: &str, headers: &HeaderMap) -> Result<Option<u64>> {
    let known = IfMatch::of(headers)?;
    if known == IfMatch::Unsaid {
        return Ok(None);
    }
    let now = tag_of(api, caller, name).await?;
    if !known.permits(now.as_ref().map(|(_, tag)| tag)) {
        return Err(changed_meanwhile(name));
    }
    Ok(now.map(|(revision, _)| revision).filter(|_| known.names_tags()))
}

fn changed_meanwhile(name: &str) -> ApiError {
    let message = format!(
        "The set {name} is another than that of this tag, or gone: somebody has changed it. Get it, and try again"
    );
    ApiError::new(StatusCode::PRECONDITION_FAILED, "changed_meanwhile", message)
}

/// Removes a set of the account. Filters that name it mean the one for all of that name, or are refused by the workers
/// until there is one again. With `If-Match`, its `ETag`, only if nobody has changed it meanwhile.
#[utoipa::path(delete, path = "/sets/{name}", operation_id = "remove_set", tag = "sets",
    params(("name" = String, Path, description = "Its name"),
        ("If-Match" = Option<String>, Header, description = "Its `ETag`, several with commas between them, or `*`")),
    responses((status = 200, body = Answer<String>), (status = 404, body = Refused), (status = 412, body = Refused)))]
pub(super) async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Answer<String>> {
    let missing = || ApiError::missing(format_args!("set {name}"));
    tag_of(&api, &caller, &name).await?.ok_or_else(missing)?;
    let known = replaced(&api, &caller, &name, &headers).await?;
    let users = users(&api, &caller, &name).await?;
    let removed = api.database().remove_own(caller.account(), &name, known);
    let removed = api.ask(caller.until, removed).await?;
    match removed {
        Changed::Done => {
            let shared = api.ask(caller.until, api.database().named_sets(None)).await;
            let is_shared = shared.is_ok_and(|shared| shared.iter().any(|(known, _)| *known == name));
            Ok(Answer::new(Summary::new(removal(users, is_shared)), name))
        }
        Changed::Missing => Err(missing()),
        Changed::Meanwhile(_) => Err(changed_meanwhile(&name)),
    }
}

/// How many of the account's filters that are used name a set.
async fn users(api: &Api, caller: &Caller, name: &str) -> Result<usize> {
    let rows = api.ask(caller.until, api.database().account_filters(caller.account())).await?;
    let (name, now) = (name.to_owned(), now());
    // What has ended is switched off before long.
    let is_used = move |row: &FilterRow| row.enabled && row.filter.expires_at.is_none_or(|at| at > now);
    let count = move || rows.iter().filter(|row| is_used(row) && names(&row.filter, &name)).count();
    api.alone(caller.account(), Work::Lists, count).await
}

fn names(filter: &NewFilter, set: &str) -> bool {
    // Most say no such word, and need not be read.
    filter.text.contains('{')
        && filter.text.to_lowercase().contains(set)
        && Expression::parse_with(&filter.text, filter.dialect, &Limits::default())
            .is_ok_and(|expression| set_names(&expression).contains(set))
}

/// What a removal means for those who name the set.
fn removal(users: usize, is_shared: bool) -> String {
    let (filters, mean, are) =
        if users == 1 { ("filter names", "means", "is") } else { ("filters name", "mean", "are") };
    match users {
        0 => "Removed".to_owned(),
        _ if is_shared => {
            format!("Removed; {users} {filters} it and {mean} the set for all of this name now")
        }
        _ => format!("Removed; {users} {filters} it and {are} not used until it is there again"),
    }
}

fn lines(terms: &str) -> impl Iterator<Item = &str> {
    terms.lines().filter(|line| !line.trim().is_empty())
}
