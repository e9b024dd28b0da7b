//! Searches of stored posts, and previews of filters that are not saved.

use std::time::Duration;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tweetfilter_core::Dialect;
use tweetfilter_sql::{Cursor, TimelinePost};
use tweetfilter_stream::store::Action;
use utoipa::ToSchema;

use super::answer::{Answer, ApiError, Result, Summary};
use super::caller::Caller;
use super::expression::Compiled;
use super::extract::Body;
use super::filters::own;
use super::scan::Scan;
use super::shapes::{ShownPost, place, read_place};
use super::timeline::MOST;
use super::{Api, STORE};
use crate::time::rfc3339;

/// How long a slice of a search takes.
const SLICE: Duration = Duration::from_millis(180);
/// How long a preview takes.
const PREVIEW: Duration = Duration::from_secs(2);
/// Posts that a preview looks at.
const PREVIEWED: usize = 50_000;
/// Posts that a preview shows.
const SAMPLES: usize = 50;

/// What to search for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchFor {
    /// The expression.
    pub text: String,
    /// `native` or `x`.
    #[serde(default)]
    #[schema(value_type = String, example = "native")]
    pub dialect: Dialect,
    /// At most so many posts, up to 200.
    #[serde(default = "twenty")]
    #[schema(default = 20)]
    pub limit: usize,
    /// Go on before this place, which `summary.next` said.
    #[serde(default)]
    pub before: Option<String>,
}

/// A filter that is not saved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewOf {
    /// The expression.
    pub text: String,
    /// `native` or `x`.
    #[serde(default)]
    #[schema(value_type = String, example = "native")]
    pub dialect: Dialect,
    /// What a match would do.
    #[serde(default)]
    #[schema(value_type = String, example = "highlight")]
    pub action: Action,
    /// The saved filter that it would replace.
    #[serde(default)]
    pub filter: Option<i64>,
    /// How many of the newest posts to look at, up to 50,000.
    #[serde(default = "thousand")]
    #[schema(default = 1000)]
    pub posts: usize,
    /// How many samples to show, up to 50.
    #[serde(default = "ten")]
    #[schema(default = 10)]
    pub samples: usize,
}

/// What a filter would have found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preview {
    /// Posts that were looked at: the newest that the account saw.
    pub looked_at: usize,
    /// Posts that it matches.
    pub matched: usize,
    /// Of all that were looked at, from 0 to 1.
    pub share: f64,
    /// Matches a day, at the rate of what was looked at; null where that is too short a time to say.
    pub a_day: Option<f64>,
    /// The time that was looked at, from the oldest to the newest post.
    pub from: Option<String>,
    /// The time that was looked at, up to the newest post.
    pub to: Option<String>,
    /// The time for previews was over before as many posts were looked at as was asked for.
    pub cut_short: bool,
    /// The newest posts that it matches, marked.
    pub samples: Vec<ShownPost>,
    /// Held against the saved filter.
    pub against_saved: Option<Difference>,
}

/// What a filter finds more and less than the saved one.
#[derive(Debug, Serialize, ToSchema)]
pub struct Difference {
    /// Posts that only the new one matches.
    pub adds: usize,
    /// Posts that only the saved one matches.
    pub drops: usize,
    /// The newest that only the new one matches, marked.
    pub added: Vec<ShownPost>,
    /// The newest that only the saved one matches, marked as that one finds them.
    pub dropped: Vec<ShownPost>,
}

fn twenty() -> usize {
    20
}

fn ten() -> usize {
    10
}

fn thousand() -> usize {
    1000
}

/// Searches stored posts that the account saw, newest first, for as long as 200 ms.
///
/// It may end with few posts or none: `summary.searched_back_to` says how far it came, and `summary.next`, sent as
/// `before`, goes on from there. One search or preview runs for a token at a time.
#[utoipa::path(post, path = "/search", tag = "expressions", request_body = SearchFor,
    responses((status = 200, body = Answer<Vec<ShownPost>>), (status = 422, body = Answer<Vec<ShownPost>>),
        (status = 429, body = Answer<Vec<ShownPost>>)))]
pub(super) async fn search(
    State(api): State<Api>,
    caller: Caller,
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
    let compile = || compiled(&api, &caller, &query.text, query.dialect);
    let (marking, searching) = (compile().await?, compile().await?);
    let _right = api.0.uses.search(caller.token.id, api.options())?;
    let mut scan = Scan::begin(&api, &caller, vec![searching], before, SLICE).await?;
    let mut found: Vec<TimelinePost> = Vec::new();
    while !scan.is_done() && !scan.is_late() && found.len() < query.limit {
        let looked = scan.next().await?;
        found.extend(looked.into_iter().filter(|looked| looked.matched[0]).map(|looked| looked.post));
    }
    let cut = found.len() > query.limit;
    found.truncate(query.limit);
    let (next, back_to) = match found.last() {
        Some(last) if cut => (Some(place(last.cursor)), Some(last.received_at)),
        _ if scan.is_done() => (None, scan.searched_back_to().await?),
        _ => (Some(place(Cursor { commit: 0, post: scan.back_to })), scan.searched_back_to().await?),
    };
    let shown = shown(&api, &caller, &mut found, &marking).await?;
    let back_to = back_to.map(rfc3339);
    let text = match (&next, &back_to) {
        (Some(_), Some(time)) => format!("{}, searched back to {time}", found.len()),
        _ => format!("{}, searched to the end", found.len()),
    };
    let summary = Summary { count: Some(found.len()), next, searched_back_to: back_to, ..Summary::new(text) };
    Ok(Answer::new(summary, shown))
}

/// What a filter that is not saved would have found among the newest posts that the account saw.
#[utoipa::path(post, path = "/preview", tag = "expressions", request_body = PreviewOf,
    responses((status = 200, body = Answer<Preview>), (status = 404, body = Answer<Preview>),
        (status = 422, body = Answer<Preview>), (status = 429, body = Answer<Preview>)))]
pub(super) async fn preview(
    State(api): State<Api>,
    caller: Caller,
    Body(query): Body<PreviewOf>,
) -> Result<Answer<Preview>> {
    if query.posts == 0 || query.posts > PREVIEWED || query.samples > SAMPLES {
        let message = format!("`posts` must be from 1 to {PREVIEWED}, and `samples` at most {SAMPLES}");
        return Err(ApiError::bad(message));
    }
    let mut filters = vec![compiled(&api, &caller, &query.text, query.dialect).await?];
    let marking = compiled(&api, &caller, &query.text, query.dialect).await?;
    let mut saved = None;
    if let Some(id) = query.filter {
        let filter = own(&api, &caller, id).await?.0.filter;
        filters.push(compiled(&api, &caller, &filter.text, filter.dialect).await?);
        saved = Some(compiled(&api, &caller, &filter.text, filter.dialect).await?);
    }
    let _right = api.0.uses.search(caller.token.id, api.options())?;
    let mut scan = Scan::begin(&api, &caller, filters, None, PREVIEW).await?;
    let (mut looked_at, mut matched, mut adds, mut drops) = (0, 0, 0, 0);
    let (mut from, mut to) = (None, None);
    let (mut samples, mut added, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
    let keep = |list: &mut Vec<TimelinePost>, post: &TimelinePost| {
        if list.len() < query.samples {
            list.push(post.clone());
        }
    };
    while looked_at < query.posts && !scan.is_done() && !scan.is_late() {
        for looked in scan.next().await?.into_iter().take(query.posts - looked_at) {
            looked_at += 1;
            to = to.max(Some(looked.post.received_at));
            from = Some(from.unwrap_or(looked.post.received_at).min(looked.post.received_at));
            matched += usize::from(looked.matched[0]);
            if looked.matched[0] {
                keep(&mut samples, &looked.post);
            }
            match (looked.matched[0], looked.matched.get(1)) {
                (true, Some(false)) => {
                    adds += 1;
                    keep(&mut added, &looked.post);
                }
                (false, Some(true)) => {
                    drops += 1;
                    keep(&mut dropped, &looked.post);
                }
                _ => {}
            }
        }
    }
    let cut_short = looked_at < query.posts && !scan.is_done();
    let share = if looked_at == 0 { 0.0 } else { matched as f64 / looked_at as f64 };
    let days = from.zip(to).map(|(from, to)| (to - from) as f64 / 86_400_000.0);
    // Below a minute a rate would say more of chance than of the filter.
    let a_day = days.filter(|&days| days > 1.0 / 1440.0).map(|days| matched as f64 / days);
    let against_saved = match &saved {
        Some(saved) => Some(Difference {
            adds,
            drops,
            added: shown(&api, &caller, &mut added, &marking).await?,
            dropped: shown(&api, &caller, &mut dropped, saved).await?,
        }),
        None => None,
    };
    let mut text = format!("{matched} of {looked_at} posts");
    if let Some(a_day) = a_day {
        text.push_str(&format!(", {a_day:.0} a day"));
    }
    if let Some(difference) = &against_saved {
        text.push_str(&format!("; adds {}, drops {}", difference.adds, difference.drops));
    }
    if query.action == Action::Hide {
        text.push_str(&format!("; would hide {:.0} % of your timeline", share * 100.0));
    }
    let preview = Preview {
        looked_at,
        matched,
        share,
        a_day,
        from: from.map(rfc3339),
        to: to.map(rfc3339),
        cut_short,
        samples: shown(&api, &caller, &mut samples, &marking).await?,
        against_saved,
    };
    Ok(Answer::new(Summary { count: Some(matched), ..Summary::new(text) }, preview))
}

/// An expression, ready to run, or what is wrong with it.
pub(super) async fn compiled(api: &Api, caller: &Caller, text: &str, dialect: Dialect) -> Result<Compiled> {
    let surroundings = api.surroundings(caller.until, caller.pulse.revision).await?;
    surroundings.compile(caller.account(), text, dialect).map_err(|found| ApiError::expression(&found, text))
}

/// Posts with verdicts, marked as a filter finds them.
async fn shown(
    api: &Api,
    caller: &Caller,
    posts: &mut [TimelinePost],
    filter: &Compiled,
) -> Result<Vec<ShownPost>> {
    // The search itself may have taken longer than one answer of the store.
    let until = tokio::time::Instant::now() + STORE;
    api.ask(until, api.database().with_verdicts(caller.account(), posts)).await?;
    let show = |post: &TimelinePost| {
        let mut shown = ShownPost::of(post);
        shown.mark(filter.set.explain(0, &post.post).iter());
        shown
    };
    Ok(posts.iter().map(show).collect())
}
