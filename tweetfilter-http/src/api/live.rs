//! Results as they are stored, as a stream that can be taken up again at any commit and misses nothing.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;
use tweetfilter_sql::{TimelinePost, Withdrawn};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::answer::{ApiError, Result};
use super::caller::Caller;
use super::extract::Query;
use super::filters::own;
use super::limits::Right;
use super::nameless::Nameless;
use super::pulse::{Seen, Watch};
use super::shapes::ShownPost;
use super::timeline::Marker;
use super::withdrawn::OfNetwork;
use crate::parts::Stop;
use crate::people::{People, unnamed, unnamed_authors};

/// Commits that are read at once.
const COMMITS: u32 = 16;
/// How often is told of commits in which there was nothing for the account.
const QUIET: Duration = Duration::from_secs(1);
/// How long nothing has to be decided anew or forgotten before that is told, and how often it is told at least.
const RESTS: Duration = Duration::from_millis(400);
const OFTEN: Duration = Duration::from_secs(10);
/// How often a comment shows that the stream is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// Where a stream begins, and what is wanted of it.
#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LiveQuery {
    /// Begin behind this commit; without it, with what is new. The header `Last-Event-ID` says the same.
    pub after: Option<i64>,
    /// Only what this filter matched.
    pub filter: Option<i64>,
    /// With what the account's filters hide.
    #[serde(default)]
    pub hidden: bool,
    /// Cuts the texts into marked and unmarked segments.
    #[serde(default)]
    pub highlights: bool,
}

/// What a stream is at.
struct Live {
    api: Api,
    caller: Caller,
    query: LiveQuery,
    stop: Stop,
    watch: Watch,
    /// The last commit that was sent in full.
    after: i64,
    /// When it was told of a commit.
    told: Instant,
    revision: Option<i64>,
    tokens: Option<i64>,
    /// The last change of what the account keeps that was told.
    own: i64,
    rewritten: Rewritten,
    nameless: Nameless,
    away: bool,
    marker: Marker,
    ready: std::collections::VecDeque<Event>,
    ended: bool,
    _right: Right,
    _open: Open,
}

/// Changes of what was stored before. A look back makes one after the other: they are told when it rests, or now and
/// then.
struct Rewritten {
    /// The last that was told, and when.
    told: (i64, Instant),
    /// The last that was seen, and when.
    seen: (i64, Instant),
}

impl Rewritten {
    fn new(told: i64) -> Self {
        Self { told: (told, Instant::now()), seen: (told, Instant::now()) }
    }

    /// When the last change is to be told, if it was not.
    fn due(&mut self, now: i64) -> Option<Instant> {
        if now != self.seen.0 {
            self.seen = (now, Instant::now());
        }
        (now != self.told.0).then(|| (self.seen.1 + RESTS).min(self.told.1 + OFTEN))
    }
}

/// Counts a stream as long as it is open.
struct Open(Api);

impl Open {
    fn new(api: &Api) -> Self {
        api.part().counters.streams.inc();
        Self(api.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.part().counters.streams.dec();
    }
}

/// What the account sees from now on, as server-sent events.
///
/// `post` is a post as `/timeline` gives it. `removed` has numbers of `posts` that were deleted, withheld or edited and
/// `authors`, by network and id, of whom nothing may be shown any more, nor what carries something by them: let go of
/// what was got before its `commit`. An edited post comes again as `post`, behind it, to whoever still sees it. `changed`
/// has numbers of posts that lost a part, such as a quoted post: ask for them again. `commit` comes when all is sent that there was. An event with an `id` says
/// that everything up to the commit of this number was sent: take the stream up behind it (`Last-Event-ID` or
/// `after`), and nothing is missed; what came after it may come again. `filters` says that filters or named sets changed, `account` that reading
/// positions, feeds or tokens did, `results` that what was stored before was decided anew, forgotten, or is shown again: ask for timelines
/// again. The first event is a `commit` with the numbers of the last of these changes, `revision`, `change` and
/// `results`: where one is another than was told last, ask again too. `authors` says who people are, by `network` and `id`,
/// whom posts gave by id alone when they were sent: with `handle` and `name`, or null. `missed` says that commits `after` one and
/// `before` another are not kept any more, and what they brought is not told: ask for timelines again. `away` and `back` that the store is away or back, `end` that
/// the stream ends, with an error as every answer has it.
#[utoipa::path(get, path = "/live", operation_id = "follow_live", tag = "posts", params(LiveQuery,
        ("Last-Event-ID" = Option<i64>, Header, description = "The `id` of the last event: begin behind it")),
    responses((status = 200, description = "Events", content_type = "text/event-stream", body = String),
        (status = 404, description = "No such filter"),
        (status = 429, description = "Too many streams of this token, or it asks too often")))]
pub(super) async fn live(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<LiveQuery>,
) -> Result<Response> {
    if let Some(filter) = query.filter {
        own(&api, &caller, filter).await?;
    }
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
    let last = last.map(|id| id.parse().map_err(|_| ApiError::bad("`Last-Event-ID` must be a commit")));
    let pulse = caller.pulse;
    let after = last.transpose()?.or(query.after).unwrap_or(pulse.commit);
    let right = api.0.uses.stream(caller.token.id, api.options())?;
    let mut live = Live {
        stop: api.0.stop.clone(),
        watch: api.0.pulse.watch(caller.account()),
        _open: Open::new(&api),
        api,
        caller,
        query,
        // A number that was never given would wait for ever.
        after: after.clamp(0, pulse.commit),
        told: Instant::now(),
        revision: Some(pulse.revision),
        tokens: Some(pulse.tokens),
        own: pulse.own,
        rewritten: Rewritten::new(pulse.rewritten),
        nameless: Nameless::default(),
        away: false,
        marker: Marker::default(),
        ready: std::collections::VecDeque::new(),
        ended: false,
        _right: right,
    };
    // By these numbers a client knows what it missed since it was here last, beside what the commits say.
    let begin = json!({
        "commit": live.after, "revision": pulse.revision, "change": pulse.own, "results": pulse.rewritten,
    });
    live.push("commit", &begin, Some(live.after));
    let events = Sse::new(events(live)).keep_alive(KeepAlive::new().interval(ALIVE));
    let headers = [("cache-control", "no-store"), ("x-accel-buffering", "no")];
    Ok((headers, events).into_response())
}

fn events(live: Live) -> impl Stream<Item = std::result::Result<Event, Infallible>> {
    stream::unfold(live, |mut live| async move {
        loop {
            if let Some(event) = live.ready.pop_front() {
                return Some((Ok(event), live));
            }
            if live.ended {
                return None;
            }
            live.go_on().await;
        }
    })
}

impl Live {
    fn push(&mut self, name: &str, data: &impl Serialize, id: Option<i64>) {
        let data = serde_json::to_string(data).unwrap_or_default();
        let mut event = Event::default().event(name).data(data);
        if let Some(id) = id {
            event = event.id(id.to_string());
        }
        self.ready.push_back(event);
    }

    fn push_withdrawn(&mut self, taken: &Withdrawn) {
        let commit = taken.commit;
        if !taken.removed.is_empty() || !taken.authors.is_empty() {
            let authors = OfNetwork::all(&taken.authors);
            let data = json!({"commit": commit, "posts": taken.removed, "authors": authors});
            self.push("removed", &data, None);
        }
        if !taken.changed.is_empty() {
            self.push("changed", &json!({"commit": commit, "posts": taken.changed}), None);
        }
    }

    fn end(&mut self, error: &ApiError) {
        self.push("end", &json!({"error": error.body()}), None);
        self.ended = true;
    }

    /// Waits for something new, and makes events of it.
    async fn go_on(&mut self) {
        let seen = self.watch.seen.borrow_and_update().clone();
        let Some(seen) = seen else { return self.wait().await };
        if seen.away {
            if !std::mem::replace(&mut self.away, true) {
                self.push("away", &json!({"error": ApiError::away("it does not answer").body()}), None);
                return;
            }
            return self.wait().await;
        }
        if std::mem::take(&mut self.away) {
            self.push("back", &json!({"commit": seen.pulse.commit}), None);
        }
        if self.tokens != Some(seen.pulse.tokens) {
            match self.is_revoked(&seen).await {
                Ok(false) => self.tokens = Some(seen.pulse.tokens),
                Ok(true) => {
                    let message = "This token was revoked";
                    let status = axum::http::StatusCode::UNAUTHORIZED;
                    return self.end(&ApiError::new(status, "unknown_token", message));
                }
                // Whether it is still good is not known, so nothing is sent until it is.
                Err(_) => return self.wait().await,
            }
        }
        if self.revision != Some(seen.pulse.revision) {
            self.revision = Some(seen.pulse.revision);
            self.caller.pulse = seen.pulse;
            self.push("filters", &json!({"revision": seen.pulse.revision}), None);
        }
        let own = self.api.0.pulse.own(self.caller.account());
        if self.own < own {
            self.own = own;
            self.push("account", &json!({"change": own}), None);
        }
        if self.rewritten.due(seen.pulse.rewritten).is_some_and(|due| due <= Instant::now()) {
            self.rewritten = Rewritten::new(seen.pulse.rewritten);
            self.push("results", &json!({"results": seen.pulse.rewritten}), None);
        }
        if let Some(wanted) = self.nameless.take_due() {
            self.name(wanted).await;
        }
        if self.after < seen.pulse.commit {
            if self.read(&seen).await.is_err() {
                // The next look says that the store is away, or all is well again.
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        } else if self.ready.is_empty() {
            let due = [self.rewritten.due(seen.pulse.rewritten), self.nameless.due()];
            self.wait_until(due.into_iter().flatten().min()).await;
        }
    }

    /// Tells who people are of whom was told by id alone.
    async fn name(&mut self, wanted: BTreeSet<(String, String)>) {
        // If the store does not answer, it is asked again.
        let Ok(people) = self.api.people(self.api.until(), wanted).await else { return };
        let authors = self.nameless.found(&people);
        if !authors.is_empty() {
            self.push("authors", &json!({"authors": authors}), None);
        }
    }

    async fn wait(&mut self) {
        self.wait_until(None).await;
    }

    async fn wait_until(&mut self, due: Option<Instant>) {
        let is_due = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let told = tokio::select! {
            changed = self.watch.seen.changed() => changed.is_err(),
            () = is_due => false,
            () = self.stop.told() => true,
        };
        if told {
            let message = "The server ends; take the stream up again in a moment";
            let status = axum::http::StatusCode::SERVICE_UNAVAILABLE;
            self.end(&ApiError::new(status, "server_ends", message).after(1));
        }
    }

    async fn is_revoked(&self, seen: &Seen) -> Result<bool> {
        if let Some(good) = &seen.tokens {
            return Ok(!good.contains(&self.caller.token.id));
        }
        let until = self.api.until();
        let tokens = self.api.ask(until, self.api.database().tokens()).await?;
        Ok(!tokens.iter().any(|token| token.id == self.caller.token.id))
    }

    /// Sends what is new: what was read for all who watch, or what is read here for who has to catch up.
    async fn read(&mut self, seen: &Seen) -> Result<()> {
        self.caller.renew(&self.api);
        let account = self.caller.account();
        if let Some((posts, people, up_to)) = seen.read(account, self.after) {
            return self.send(posts, people, &[], up_to).await;
        }
        let tail = self.api.database().tail(Some(account), self.after, COMMITS);
        let tail = self.api.ask(self.caller.until, tail).await?;
        let people = self.api.people(self.caller.until, unnamed(&tail.posts)).await?;
        if tail.first > self.after + 1 {
            self.push("missed", &json!({"after": self.after, "before": tail.first}), None);
            // Of these nothing is left to be told, nor once more that they are missed if what follows can't be sent yet.
            self.after = tail.first - 1;
        }
        self.send(&tail.posts, &people, &tail.withdrawn, tail.up_to.max(self.after)).await
    }

    async fn send<P: Borrow<TimelinePost>>(
        &mut self,
        posts: &[P],
        people: &People,
        withdrawn: &[Withdrawn],
        up_to: i64,
    ) -> Result<()> {
        let wanted = |post: &&TimelinePost| {
            self.query.filter.is_none_or(|filter| post.filters.contains(&filter))
                && (self.query.hidden || !post.verdict.hidden)
        };
        let posts: Vec<_> = posts.iter().map(Borrow::borrow).filter(wanted).collect();
        let mut shown: Vec<_> = posts.iter().map(|post| ShownPost::of(post, people)).collect();
        if self.query.highlights {
            self.marker.mark(&self.api, &self.caller, &posts, &mut shown).await?;
        }
        let any = !shown.is_empty() || !withdrawn.is_empty();
        let mut withdrawn = withdrawn.iter().peekable();
        for (place, post) in shown.iter().enumerate() {
            // Before the posts of its commit, whose last tells its number: who is cut off between hears it again.
            while let Some(taken) = withdrawn.next_if(|taken| taken.commit <= post.commit) {
                self.push_withdrawn(taken);
            }
            // The last of a commit says so: who is cut off behind it goes on with the next commit.
            let is_last = shown.get(place + 1).is_none_or(|next| next.commit != post.commit);
            self.push("post", post, is_last.then_some(post.commit));
        }
        for taken in withdrawn {
            self.push_withdrawn(taken);
        }
        self.nameless.note(unnamed_authors(posts), people);
        self.after = up_to;
        // Commits that hold nothing for the account are told of now and then: a stream need not be taken up far back.
        if any || self.told.elapsed() >= QUIET {
            self.told = Instant::now();
            self.push("commit", &json!({"commit": self.after}), Some(self.after));
        }
        Ok(())
    }
}
