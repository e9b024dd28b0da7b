//! What an account saw, with what its filters said of it.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::value::to_raw_value;
use tweetfilter_sql::{Cursor, FilterRow, Page, TimelinePost};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::answer::{Answer, ApiError, Refused, Result, Summary};
use super::caller::Caller;
use super::expression::Compiled;
use super::extract::{Path, Query};
use super::shapes::{ShownPost, place, read_place};
use super::tag::{Made, digest_of};
use super::turns::Work;
use crate::people::unnamed;

/// Posts of a page, at most.
pub(super) const MOST: usize = 200;
/// Numbers of posts that are looked at in one go for what everybody sees.
const STRETCH: i64 = 1_000;

/// Which part of a timeline is wanted.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimelineQuery {
    /// At most so many posts, up to 200.
    #[serde(default = "twenty")]
    #[param(default = 20, minimum = 1, maximum = 200)]
    pub limit: usize,
    /// What comes before this place, which `summary.next` said; without it, the newest.
    #[param(pattern = "^[0-9]{1,18}-[0-9]{1,18}$")]
    pub before: Option<String>,
    /// Only what this filter matched.
    pub filter: Option<i64>,
    /// With what the account's filters hide.
    #[serde(default)]
    pub hidden: bool,
    /// With public posts that none of the account's filters matched.
    #[serde(default)]
    pub public: bool,
    /// Cuts the texts into marked and unmarked segments.
    #[serde(default)]
    pub highlights: bool,
}

fn twenty() -> usize {
    20
}

/// What the account saw, newest first: what its sources delivered to it, and public posts that its filters matched.
///
/// Where nearly all of it is hidden or gone a page may end with few posts or none: as long as there is a `summary.next`,
/// sent as `before`, it goes on from there.
///
/// It answers 304 to the `ETag` of an earlier answer that had the same posts, with the same said of them: what others get or
/// lose meanwhile changes nothing of that. `summary.commit` of the earlier answer may be gone on from as before.
#[utoipa::path(get, path = "/timeline", operation_id = "get_timeline", tag = "posts", params(TimelineQuery),
    responses((status = 200, body = Answer<Vec<ShownPost>>), (status = 304, description = "As it was"),
        (status = 404, body = Refused)))]
pub(super) async fn timeline(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<TimelineQuery>,
) -> Result<Response> {
    if query.limit == 0 || query.limit > MOST {
        return Err(ApiError::bad(format!("`limit` must be from 1 to {MOST}")));
    }
    let before = query.before.as_deref().map(|text| {
        read_place(text)
            .ok_or_else(|| ApiError::bad("`before` must be a place that an answer gave as `next`"))
    });
    let before = before.transpose()?;
    if query.public && query.filter.is_some() {
        return Err(ApiError::bad(
            "`filter` and `public` exclude each other: what a filter matched is a part",
        ));
    }
    // The tag is the same for all requests, so that one that asks for what is not there may have it too.
    if let Some(filter) = query.filter {
        let row = api.ask(caller.until, api.database().filter(filter)).await?;
        let own = row.filter(|row| row.account == caller.account());
        own.ok_or_else(|| ApiError::missing(format_args!("filter {filter}")))?;
    }
    let pulse = caller.pulse;
    let made = Made::of(&[caller.account(), pulse.commit, pulse.revision, pulse.rewritten]);
    if let Some(unchanged) = made.unchanged(&headers) {
        return Ok(unchanged);
    }
    let (posts, next) = if query.public {
        everything(&api, &caller, &query, before).await?
    } else {
        delivered(&api, &caller, &query, before).await?
    };
    let people = api.people(caller.until, unnamed(&posts)).await?;
    let mut shown: Vec<_> = posts.iter().map(|post| ShownPost::of(post, &people)).collect();
    if query.highlights {
        Marker::default().mark(&api, &caller, &posts, &mut shown).await?;
    }
    let data = to_raw_value(&shown).map_err(|_| ApiError::broken())?;
    // All but the commit, which is of others, too.
    let digest = digest_of(&[data.get(), next.as_deref().unwrap_or_default()]);
    let summary = Summary { next, commit: Some(pulse.commit), ..Summary::counted(shown.len(), "post") };
    Ok(made.answer(&headers, digest, &people, Answer::new(summary, data)))
}

/// The place behind all that a commit and those before it delivered.
pub(super) fn newest(commit: i64) -> Cursor {
    Cursor { commit: commit.saturating_add(1), post: 0 }
}

/// Deliveries, in order of their commits.
async fn delivered(
    api: &Api,
    caller: &Caller,
    query: &TimelineQuery,
    before: Option<Cursor>,
) -> Result<(Vec<TimelinePost>, Option<String>)> {
    // Nothing newer than what the answer's tag stands for.
    let newest = newest(caller.pulse.commit);
    let before = Some(before.map_or(newest, |before| before.min(newest)));
    let page = Page { before, limit: query.limit, filter: query.filter, hidden: query.hidden };
    let stretch = api.database().timeline_stretch(caller.account(), &page);
    let stretch = api.ask(caller.until, stretch).await?;
    Ok((stretch.posts, stretch.next.map(place)))
}

/// All that the account saw, in the order in which posts were stored first.
async fn everything(
    api: &Api,
    caller: &Caller,
    query: &TimelineQuery,
    before: Option<Cursor>,
) -> Result<(Vec<TimelinePost>, Option<String>)> {
    let database = api.database();
    let (first, last) = api.ask(caller.until, database.post_numbers()).await?;
    let mut end = before.map_or(last.saturating_add(1), |before| before.post.min(last.saturating_add(1)));
    let mut posts = Vec::new();
    // A page may have to look far where there is little to see: then it ends early, and says where to go on.
    let enough = tokio::time::Instant::now() + std::time::Duration::from_millis(200);
    while end > first && posts.len() < query.limit {
        let start = end.saturating_sub(STRETCH.min(8 * i64::try_from(query.limit).unwrap_or(STRETCH)));
        let mut seen = api.ask(caller.until, database.seen(caller.account(), start..end)).await?;
        api.ask(caller.until, database.with_verdicts(caller.account(), &mut seen)).await?;
        // What was stored since the look whose tag the answer has stands on top.
        let on_top = before.is_none() && posts.is_empty();
        let seen = seen.into_iter().skip_while(|post| on_top && post.cursor.commit > caller.pulse.commit);
        posts.extend(seen.filter(|post| query.hidden || !post.verdict.hidden));
        end = start;
        if tokio::time::Instant::now() > enough {
            break;
        }
    }
    let cut = posts.len() > query.limit;
    posts.truncate(query.limit);
    let next = match posts.last() {
        Some(last) if cut => Some(place(last.cursor)),
        _ if end > first => Some(place(Cursor { commit: 0, post: end })),
        _ => None,
    };
    Ok((posts, next))
}

/// One post that the account saw, with marks.
#[utoipa::path(get, path = "/posts/{number}", operation_id = "get_post", tag = "posts",
    params(("number" = i64, Path, description = "Its number, as a timeline gives it")),
    responses((status = 200, body = Answer<ShownPost>), (status = 404, body = Refused)))]
pub(super) async fn post(
    State(api): State<Api>,
    caller: Caller,
    Path(number): Path<i64>,
) -> Result<Answer<ShownPost>> {
    let seen = seen_post(&api, &caller, number).await?;
    let posts = [seen];
    let people = api.people(caller.until, unnamed(&posts)).await?;
    let mut shown = [ShownPost::of(&posts[0], &people)];
    Marker::default().mark(&api, &caller, &posts, &mut shown).await?;
    let [shown] = shown;
    Ok(Answer::new(Summary::new("A post"), shown))
}

/// A post that the caller saw. One that they did not see is not there.
pub(super) async fn seen_post(api: &Api, caller: &Caller, number: i64) -> Result<TimelinePost> {
    let seen = api.ask(caller.until, api.database().seen_post(caller.account(), number)).await?;
    seen.ok_or_else(|| ApiError::missing(format_args!("post {number} that this account saw")))
}

/// Marks what filters found, and keeps what it compiled for the next posts.
#[derive(Debug, Default)]
pub(super) struct Marker {
    revision: Option<i64>,
    /// Those that were looked for; of one that is gone nothing.
    filters: HashMap<i64, Option<Arc<Compiled>>>,
}

impl Marker {
    /// Marks what the filters that matched found in each post. A filter that is gone since marks nothing.
    pub(super) async fn mark<P: Borrow<TimelinePost>>(
        &mut self,
        api: &Api,
        caller: &Caller,
        posts: &[P],
        shown: &mut [ShownPost],
    ) -> Result<()> {
        let posts: Vec<&TimelinePost> = posts.iter().map(Borrow::borrow).collect();
        let wanted = |id: &i64| posts.iter().any(|post| post.filters.contains(id));
        if posts.iter().any(|post| !post.filters.is_empty()) {
            let surroundings =
                api.surroundings(caller.until, caller.account(), caller.pulse.revision).await?;
            if self.revision != Some(surroundings.revision()) {
                self.revision = Some(surroundings.revision());
                self.filters.clear();
            }
            let missing =
                posts.iter().flat_map(|post| &post.filters).any(|id| !self.filters.contains_key(id));
            if missing {
                let rows = api.ask(caller.until, api.database().account_filters(caller.account())).await?;
                let rows: Vec<_> = rows.into_iter().filter(|row| wanted(&row.id)).collect();
                let compiled = api.aside(Work::Reading, move || {
                    let compile = |row: &FilterRow| {
                        let compiled = surroundings.compile(&row.filter.text, row.filter.dialect);
                        (row.id, compiled.ok().map(Arc::new))
                    };
                    rows.iter().map(compile).collect::<Vec<_>>()
                });
                let sought = posts.iter().flat_map(|post| &post.filters).map(|id| (*id, None));
                self.filters.extend(sought);
                self.filters.extend(compiled.await?);
            }
        }
        let (mut matched, mut asked) = (Vec::new(), Vec::new());
        for (post, shown) in posts.iter().zip(shown) {
            let filters: Vec<_> =
                post.filters.iter().filter_map(|id| self.filters.get(id).cloned().flatten()).collect();
            if filters.is_empty() {
                shown.mark([]);
            } else {
                matched.push(shown);
                asked.push((post.post.clone(), filters));
            }
        }
        for (shown, found) in matched.into_iter().zip(api.explained(caller.account(), asked).await?) {
            shown.mark(&found);
        }
        Ok(())
    }
}
