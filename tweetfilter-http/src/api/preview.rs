//! What a filter that is not saved would have found, told as it is found.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tweetfilter_core::Dialect;
use tweetfilter_core::post::Millis;
use tweetfilter_sql::TimelinePost;
use tweetfilter_stream::store::Action;
use utoipa::ToSchema;

use super::Api;
use super::answer::{Answer, ApiError, Refused, Result, Summary};
use super::caller::Caller;
use super::expression::Compiled;
use super::extract::Body;
use super::filters::own;
use super::handles::UnknownHandles;
use super::limits::Right;
use super::order::Order;
use super::scan::{Bits, Scan, SeenPost};
use super::search::{compiled, shown};
use super::shapes::ShownPost;
use super::unused::Unused;
use super::words;
use crate::time::rfc3339;

/// Posts that a preview looks at.
const PREVIEWED: usize = 50_000;
/// Posts that a preview shows.
const SAMPLES: usize = 50;
/// How often what was found so far is told.
const TOLD: Duration = Duration::from_millis(150);

/// Bits of what a post matches: the filter itself, and the saved one that it would replace.
const NEW: Bits = 1;
const SAVED: Bits = 2;

/// A filter that is not saved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewOf {
    /// The expression.
    #[schema(min_length = 1)]
    pub text: String,
    /// `native` or `x`.
    #[serde(default)]
    #[schema(value_type = words::Dialect)]
    pub dialect: Dialect,
    /// What a match would do.
    #[serde(default)]
    #[schema(value_type = words::Action)]
    pub action: Action,
    /// The saved filter that it would replace.
    #[serde(default)]
    pub filter: Option<i64>,
    /// How many of the newest posts to look at, up to 50,000.
    #[serde(default = "thousand")]
    #[schema(default = 1000, minimum = 1, maximum = 50000)]
    pub posts: usize,
    /// How many samples to show, up to 50.
    #[serde(default = "ten")]
    #[schema(default = 10, maximum = 50)]
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
    /// Of a filter that hides: what it would take out of the account's timeline.
    pub would_hide: Option<WouldHide>,
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
    /// Why the saved filter is not held against it: it can't be used itself.
    pub saved_unused: Option<Unused>,
    /// Handles in the expression that stand for nobody. Null where there are none, or Bluesky plays no part on this server.
    pub unknown_handles: Option<UnknownHandles>,
}

/// What a filter would take out of a timeline, among the account's other filters: in the place of the one that it replaces,
/// or else behind all. It hides nothing that an earlier one shows, and nothing that is hidden already. Of public posts only
/// those stand there that a filter of the account matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct WouldHide {
    /// Posts that it would hide.
    pub posts: usize,
    /// Posts that the timeline shows now, among those that were looked at.
    pub of: usize,
    /// The former of the latter, from 0 to 1.
    pub share: f64,
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

fn ten() -> usize {
    10
}

fn thousand() -> usize {
    1000
}

/// What a filter that is not saved would have found among the newest posts that the account saw.
///
/// It looks for two seconds at most: `cut_short` says that there was more to look at. One search or preview runs for an
/// account at a time, and two for all; whoever comes meanwhile waits a second for the turn, and is then refused before
/// anything is read.
///
/// With `Accept: text/event-stream` it is told as it is found: each event `preview` is an answer with what was found so
/// far, the first after a fraction of the time; the last event is `done`, with the whole, or `error`.
#[utoipa::path(post, path = "/preview", operation_id = "preview_filter", tag = "expressions", request_body = PreviewOf,
    responses((status = 200, content((Answer<Preview> = "application/json"), (String = "text/event-stream"))),
        (status = 404, body = Refused), (status = 422, body = Refused),
        (status = 429, body = Refused)))]
pub(super) async fn preview(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Body(query): Body<PreviewOf>,
) -> Result<Response> {
    let mut looking = Looking::begin(api, caller, query).await?;
    if wants_events(&headers) {
        let headers = [("cache-control", "no-store"), ("x-accel-buffering", "no")];
        return Ok((headers, Sse::new(events(looking))).into_response());
    }
    while looking.goes_on() {
        looking.step().await?;
    }
    Ok(looking.answer().await?.into_response())
}

/// Whether events are asked for by name.
fn wants_events(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    let mut kinds = values.flat_map(|value| value.split(','));
    kinds.any(|kind| kind.split(';').next().unwrap_or_default().trim() == "text/event-stream")
}

fn events(looking: Looking) -> impl Stream<Item = std::result::Result<Event, Infallible>> {
    stream::unfold(Some(looking), |looking| async move {
        let mut looking = looking?;
        let (name, data) = match looking.go_on().await {
            Ok(answer) if looking.goes_on() => ("preview", serde_json::to_string(&answer)),
            Ok(answer) => ("done", serde_json::to_string(&answer)),
            Err(error) => ("error", serde_json::to_string(&error.into_answer())),
        };
        let event = Event::default().event(name).data(data.unwrap_or_default());
        Some((Ok(event), Some(looking).filter(|_| name == "preview")))
    })
}

/// A preview under way.
struct Looking {
    api: Api,
    caller: Caller,
    query: PreviewOf,
    /// The filter, and the saved one: they mark what they find.
    marking: Arc<Compiled>,
    saved: Option<Arc<Compiled>>,
    saved_unused: Option<Unused>,
    unknown_handles: Option<UnknownHandles>,
    scan: Scan,
    told: Option<Instant>,
    looked_at: usize,
    matched: usize,
    would_hide: Option<WouldHide>,
    adds: usize,
    drops: usize,
    from: Option<Millis>,
    to: Option<Millis>,
    samples: Vec<TimelinePost>,
    added: Vec<TimelinePost>,
    dropped: Vec<TimelinePost>,
    _right: Right,
}

impl Looking {
    async fn begin(api: Api, mut caller: Caller, query: PreviewOf) -> Result<Self> {
        if query.posts == 0 || query.posts > PREVIEWED || query.samples > SAMPLES {
            let message = format!("`posts` must be from 1 to {PREVIEWED}, and `samples` at most {SAMPLES}");
            return Err(ApiError::bad(message));
        }
        // First: reading an expression, with lists that it names, may cost as much as looking for it.
        let right = api.0.uses.search(caller.account()).await?;
        caller.renew(&api);
        let marking = Arc::new(compiled(&api, &mut caller, &query.text, query.dialect).await?);
        let mut filters = vec![marking.clone()];
        let unknown_handles = UnknownHandles::of(&api, &mut caller, &marking).await?;
        let (mut saved, mut saved_unused) = (None, None);
        if let Some(id) = query.filter {
            let filter = own(&api, &caller, id).await?.filter;
            match compiled(&api, &mut caller, &filter.text, filter.dialect).await {
                Ok(read) => {
                    let read = Arc::new(read);
                    filters.push(read.clone());
                    saved = Some(read);
                }
                // What was asked is another text, and may be what mends it.
                Err(error) if error.is_of_filter() => saved_unused = Some(Unused::of(&error)),
                Err(error) => return Err(error),
            }
        }
        let order = match query.action {
            Action::Hide => Some(order(&api, &mut caller, &query).await?),
            Action::Show | Action::Highlight | Action::Notify => None,
        };
        let would_hide = order.is_some().then(WouldHide::default);
        let time = api.options().preview;
        let scan = Scan::begin(&api, &caller, filters, query.samples, None, time, order).await?;
        Ok(Self {
            api,
            caller,
            query,
            marking,
            saved,
            saved_unused,
            unknown_handles,
            scan,
            told: None,
            looked_at: 0,
            matched: 0,
            would_hide,
            adds: 0,
            drops: 0,
            from: None,
            to: None,
            samples: Vec::new(),
            added: Vec::new(),
            dropped: Vec::new(),
            _right: right,
        })
    }

    fn goes_on(&self) -> bool {
        self.looked_at < self.query.posts && !self.scan.is_done() && !self.scan.is_late()
    }

    /// Looks until there is something to tell.
    async fn go_on(&mut self) -> Result<Answer<Preview>> {
        while self.goes_on() {
            self.step().await?;
            // What was found first is told at once.
            let first = self.told.is_none() && self.matched > 0;
            if first || self.told.is_some_and(|told| told.elapsed() >= TOLD) {
                break;
            }
        }
        self.told = Some(Instant::now());
        self.answer().await
    }

    /// Looks at a stretch of posts.
    async fn step(&mut self) -> Result<()> {
        let mut stretch = self.scan.next().await?;
        stretch.seen.truncate(self.query.posts - self.looked_at);
        self.looked_at += stretch.seen.len();
        for &SeenPost { received_at, bits, would_hide } in &stretch.seen {
            self.to = self.to.max(Some(received_at));
            self.from = Some(self.from.unwrap_or(received_at).min(received_at));
            self.matched += usize::from(bits & NEW != 0);
            if let Some((all, is_hidden)) = self.would_hide.as_mut().zip(would_hide) {
                all.of += 1;
                all.posts += usize::from(is_hidden);
            }
            if self.saved.is_some() {
                self.adds += usize::from(bits == NEW);
                self.drops += usize::from(bits == SAVED);
            }
        }
        let samples = self.query.samples;
        let keep = |list: &mut Vec<TimelinePost>, post: &TimelinePost| {
            if list.len() < samples {
                list.push(post.clone());
            }
        };
        for (place, post) in &stretch.kept {
            let Some(SeenPost { bits, .. }) = stretch.seen.get(*place) else { break };
            if bits & NEW != 0 {
                keep(&mut self.samples, post);
            }
            match *bits {
                NEW if self.saved.is_some() => keep(&mut self.added, post),
                SAVED => keep(&mut self.dropped, post),
                _ => {}
            }
        }
        Ok(())
    }

    /// What was found so far.
    async fn answer(&mut self) -> Result<Answer<Preview>> {
        let (api, caller, matched, looked_at) = (&self.api, &self.caller, self.matched, self.looked_at);
        let share = share(matched, looked_at);
        let would_hide =
            self.would_hide.map(|one| WouldHide { share: self::share(one.posts, one.of), ..one });
        let days = self.from.zip(self.to).map(|(from, to)| (to - from) as f64 / 86_400_000.0);
        // Below a minute a rate would say more of chance than of the filter.
        let a_day = days.filter(|&days| days > 1.0 / 1440.0).map(|days| matched as f64 / days);
        let against_saved = match &self.saved {
            Some(saved) => Some(Difference {
                adds: self.adds,
                drops: self.drops,
                added: shown(api, caller, &mut self.added, &self.marking).await?,
                dropped: shown(api, caller, &mut self.dropped, saved).await?,
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
        if let Some(unused) = &self.saved_unused {
            text.push_str(&format!("; the saved filter can't be compared: {}", unused.message));
        }
        let unknown_handles = self.unknown_handles.clone();
        if let Some(unknown) = &unknown_handles {
            text.push_str(&format!("; {}", unknown.said()));
        }
        match would_hide {
            Some(WouldHide { of: 0, .. }) => text.push_str("; none of these posts is seen in your timeline"),
            Some(WouldHide { posts, of, share }) => text.push_str(&format!(
                "; would hide {:.0} % of your timeline, {posts} of {of} posts",
                share * 100.0
            )),
            None => {}
        }
        let preview = Preview {
            looked_at,
            matched,
            share,
            would_hide,
            a_day,
            from: self.from.map(rfc3339),
            to: self.to.map(rfc3339),
            cut_short: looked_at < self.query.posts && !self.scan.is_done(),
            samples: shown(api, caller, &mut self.samples, &self.marking).await?,
            against_saved,
            saved_unused: self.saved_unused.clone(),
            unknown_handles,
        };
        Ok(Answer::new(Summary { count: Some(matched), ..Summary::new(text) }, preview))
    }
}

/// Where the filter would stand among those that the account has.
async fn order(api: &Api, caller: &mut Caller, query: &PreviewOf) -> Result<Order> {
    let rows = api.ask(caller.until, api.database().account_filters(caller.account())).await?;
    let left_out = api.left_out(caller, &rows).await?;
    // All filters may have been read for that.
    caller.renew(api);
    Ok(Order::of(&rows, &left_out, query.filter, query.action))
}

fn share(some: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { some as f64 / all as f64 }
}
