//! Named sets: lists of terms that the filters of all accounts may name as `{name}`.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tweetfilter_core::Limits;
use tweetfilter_core::syntax::NamedSets;
use utoipa::ToSchema;

use super::Api;
use super::answer::{Answer, ApiError, Result, Summary};
use super::caller::Caller;
use super::extract::{Body, Path};

/// A named set.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetName {
    /// Filters write it in braces.
    pub name: String,
    /// How many terms it has.
    pub terms: usize,
}

/// The terms of a set.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Each a word, a phrase, or whatever an operator takes.
    pub terms: Vec<String>,
}

/// The named sets. All accounts share them.
#[utoipa::path(get, path = "/sets", tag = "sets", responses((status = 200, body = Answer<Vec<SetName>>)))]
pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Result<Answer<Vec<SetName>>> {
    let sets = api.ask(caller.until, api.database().named_sets()).await?;
    let named = |(name, terms): (String, String)| SetName { name, terms: lines(&terms).count() };
    let shown: Vec<_> = sets.into_iter().map(named).collect();
    Ok(Answer::new(Summary::counted(shown.len(), "set"), shown))
}

/// The terms of a set.
#[utoipa::path(get, path = "/sets/{name}", tag = "sets", params(("name" = String, Path, description = "Its name")),
    responses((status = 200, body = Answer<Terms>), (status = 404, body = Answer<Terms>)))]
pub(super) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Answer<Terms>> {
    let sets = api.ask(caller.until, api.database().named_sets()).await?;
    let found = sets.into_iter().find(|(known, _)| *known == name);
    let (_, terms) = found.ok_or_else(|| ApiError::missing(format_args!("set {name}")))?;
    let terms: Vec<_> = lines(&terms).map(str::to_owned).collect();
    Ok(Answer::new(Summary::counted(terms.len(), "term"), Terms { terms }))
}

/// Keeps a set; one of this name is replaced, for all filters that name it.
#[utoipa::path(put, path = "/sets/{name}", tag = "sets", request_body = Terms,
    params(("name" = String, Path, description = "Its name")),
    responses((status = 200, body = Answer<Terms>), (status = 422, body = Answer<Terms>)))]
pub(super) async fn put(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    Body(set): Body<Terms>,
) -> Result<Answer<Terms>> {
    if let Some(term) = set.terms.iter().find(|term| term.contains(['\n', '\r'])) {
        return Err(ApiError::bad(format!("A term is one line; this one has several: {term:?}")));
    }
    let text = set.terms.join("\n");
    let checked = NamedSets::default().insert(&name, &text, &Limits::default());
    checked.map_err(|found| ApiError::expression(&found, &text))?;
    api.ask(caller.until, api.database().set_named(&name, &text)).await?;
    Ok(Answer::new(Summary::counted(set.terms.len(), "term"), set))
}

/// Removes a set. Filters that name it are refused by the workers until it is there again.
#[utoipa::path(delete, path = "/sets/{name}", tag = "sets", params(("name" = String, Path, description = "Its name")),
    responses((status = 200, body = Answer<String>), (status = 404, body = Answer<String>)))]
pub(super) async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Answer<String>> {
    if !api.ask(caller.until, api.database().remove_named(&name)).await? {
        return Err(ApiError::missing(format_args!("set {name}")));
    }
    Ok(Answer::new(Summary::new("Removed"), name))
}

fn lines(terms: &str) -> impl Iterator<Item = &str> {
    terms.lines().filter(|line| !line.trim().is_empty())
}
