//! Searches of stored posts.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use tweetfilter_core::Dialect;
use tweetfilter_core::explain::Explanation;
use tweetfilter_sql::{Cursor, TimelinePost};
use utoipa::ToSchema;

use super::Api;
use super::answer::{Answer, ApiError, Refused, Result, Summary};
use super::caller::Caller;
use super::expression::Compiled;
use super::extract::Body;
use super::handles::UnknownHandles;
use super::scan::Scan;
use super::shapes::{ShownPost, place, read_place};
use super::timeline::MOST;
use super::turns::Work;
use super::words;
use crate::people::unnamed;
use crate::time::rfc3339;

/// What to search for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchFor {
    /// The expression.
    #[schema(min_length = 1)]
    pub text: String,
    /// `native` or `x`.
    #[serde(default)]
    #[schema(value_type = words::Dialect)]
    pub dialect: Dialect,
    /// At most so many posts, up to 200.
    #[serde(default = "twenty")]
    #[schema(default = 20, minimum = 1, maximum = 200)]
    pub limit: usize,
    /// Go on before this place, which `summary.next` said.
    #[serde(default)]
    #[schema(pattern = "^[0-9]{1,18}-[0-9]{1,18}$")]
    pub before: Option<String>,
}

fn twenty() -> usize {
    20
}

/// Searches stored posts that the account saw, newest first, for as long as 200 ms.
///
/// It may end with few posts or none: `summary.searched_back_to` says how far it came, and `summary.next`, sent as
/// `before`, goes on from there. `summary.unknown_handles` says which handles of Bluesky stand for nobody in it, since it is
/// not known whose they are, or nobody has them; the last slice says what is so now, give or take five seconds. One search or
/// preview runs for an account at a time, and two for all; whoever comes meanwhile waits a second for the turn, and is then
/// refused before anything is read.
#[utoipa::path(post, path = "/search", operation_id = "search_posts", tag = "expressions", request_body = SearchFor,
    responses((status = 200, body = Answer<Vec<ShownPost>>), (status = 422, body = Refused),
        (status = 429, body = Refused)))]
pub(super) async fn search(
    State(api): State<Api>,
    mut caller: Caller,
    Body(query): Body<SearchFor>,
) -> Result<Answer<Vec<ShownPost>>> {
    if query.limit == 0 || query.limit > MOST {
        return Err(ApiError::bad(format!("`limit` must be from 1 to {MOST}")));
    }
    let before = query.before.as_deref().map(|text| {
        read_place(text)
            .ok_or_else(|| ApiError::bad("`before` must be a place that an answer gave as `next`"))
    });
    let before = before.transpose()?.map(|place| place.post);
    // First: reading an expression, with lists that it names, may cost as much as the search.
    let _right = api.0.uses.search(caller.account()).await?;
    caller.renew(&api);
    let filter = Arc::new(compiled(&api, &mut caller, &query.text, query.dialect).await?);
    let unknown_handles = UnknownHandles::of_slice(&api, &mut caller, &filter, before.is_none()).await?;
    let keep = query.limit + 1;
    let slice = api.options().slice;
    let mut scan = Scan::begin(&api, &caller, vec![filter.clone()], keep, before, slice, None).await?;
    let mut found: Vec<TimelinePost> = Vec::new();
    // However late it is, it comes a little further.
    while !scan.is_done() && found.len() < query.limit {
        let stretch = scan.next().await?;
        found.extend(stretch.kept.into_iter().map(|(_, post)| post));
        if scan.is_late() {
            break;
        }
    }
    let cut = found.len() > query.limit;
    found.truncate(query.limit);
    let (next, back_to) = match found.last() {
        Some(last) if cut => (Some(place(last.cursor)), Some(last.received_at)),
        _ if scan.is_done() => (None, scan.searched_back_to().await?),
        _ => (Some(place(Cursor { commit: 0, post: scan.back_to })), scan.searched_back_to().await?),
    };
    let shown = shown(&api, &caller, &mut found, &filter).await?;
    let back_to = back_to.map(rfc3339);
    let mut text = match (&next, &back_to) {
        (Some(_), Some(time)) => format!("{}, searched back to {time}", found.len()),
        _ => format!("{}, searched to the end", found.len()),
    };
    if let Some(unknown) = &unknown_handles {
        text.push_str(&format!("; {}", unknown.said()));
    }
    let count = Some(found.len());
    let summary = Summary { count, next, searched_back_to: back_to, unknown_handles, ..Summary::new(text) };
    Ok(Answer::new(summary, shown))
}

/// An expression, ready to run, or what is wrong with it.
pub(super) async fn compiled(
    api: &Api,
    caller: &mut Caller,
    text: &str,
    dialect: Dialect,
) -> Result<Compiled> {
    let surroundings = api.surroundings(caller.until, caller.account(), caller.pulse.revision).await?;
    let text = text.to_owned();
    let compiled = api.aside(Work::Reading, move || {
        surroundings.compile(&text, dialect).map_err(|found| ApiError::expression(&found, &text))
    });
    let compiled = compiled.await?;
    caller.renew(api);
    compiled
}

/// Posts with verdicts, marked as a filter finds them.
pub(super) async fn shown(
    api: &Api,
    caller: &Caller,
    posts: &mut [TimelinePost],
    filter: &Arc<Compiled>,
) -> Result<Vec<ShownPost>> {
    // The search itself may have taken longer than one answer of the store.
    let until = api.until();
    api.ask(until, api.database().with_verdicts(caller.account(), posts)).await?;
    let people = api.people(until, unnamed(&*posts)).await?;
    let asked = posts.iter().map(|post| (post.post.clone(), vec![filter.clone()])).collect();
    let show = |(post, found): (&TimelinePost, Vec<Explanation>)| {
        let mut shown = ShownPost::of(post, &people);
        shown.mark(&found);
        shown
    };
    let found = api.explained(caller.account(), asked).await?;
    Ok(posts.iter().zip(found).map(show).collect())
}
