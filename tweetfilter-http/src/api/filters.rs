//! The filters of an account: list, add, change, order, remove.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Deserializer, Serialize};
use tweetfilter_core::Dialect;
use tweetfilter_sql::{Basis, Changed, FilterRow, NewFilter, Save, Saved};
use tweetfilter_stream::store::Action;
use utoipa::ToSchema;

use super::answer::{Answer, ApiError, Finding, Refused, Result, Summary};
use super::caller::Caller;
use super::extract::{Body, Path};
use super::handles::UnknownHandles;
use super::named::{Misnamed, misnamed};
use super::shapes::ShownFilter;
use super::tag::{IfMatch, Tag};
use super::turns::Work;
use super::unused::{self, Unused};
use super::words;
use super::{Api, PREFIX};
use crate::parts::now;
use crate::{names, time};

/// A filter to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddFilter {
    /// The expression.
    #[schema(min_length = 1)]
    pub text: String,
    /// What people call it.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub name: String,
    /// How it reads a post: `native` or `x`.
    #[serde(default)]
    #[schema(value_type = words::Dialect)]
    pub dialect: Dialect,
    /// What a match does: `show`, `hide`, `highlight` or `notify`.
    #[serde(default)]
    #[schema(value_type = words::Action)]
    pub action: Action,
    /// Whether it is used.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub enabled: bool,
    /// When it is switched off by itself: an RFC 3339 time that is to come.
    #[serde(default)]
    pub expires_at: Option<String>,
}

fn yes() -> bool {
    true
}

/// What to change of a filter; what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeFilter {
    /// The expression.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = String, required = false, min_length = 1)]
    pub text: Option<String>,
    /// What people call it.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = String, required = false, max_length = 500)]
    pub name: Option<String>,
    /// `native` or `x`.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::Dialect, required = false)]
    pub dialect: Option<Dialect>,
    /// `show`, `hide`, `highlight` or `notify`.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::Action, required = false)]
    pub action: Option<Action>,
    /// Whether it is used.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = bool, required = false)]
    pub enabled: Option<bool>,
    /// When it is switched off by itself: an RFC 3339 time that is to come; `never` or null lifts what was said before. One
    /// that has ended is switched on only with another.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>, required = false)]
    pub expires_at: Option<Option<String>>,
}

/// What is said, even if that is null: where null can't be meant it is refused, and does not count as absent.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// A filter that was added or changed, and what is doubtful about it.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeptFilter {
    /// The filter as it is kept.
    #[serde(flatten)]
    pub filter: ShownFilter,
    /// Warnings about its expression.
    pub warnings: Vec<Finding>,
    /// Handles in it that stand for nobody, for now: what it names first is looked up within seconds. Null where there are none,
    /// or Bluesky plays no part on this server.
    pub unknown_handles: Option<UnknownHandles>,
}

impl KeptFilter {
    /// With what is known of its handles.
    async fn of(api: &Api, caller: &mut Caller, filter: ShownFilter, warnings: Vec<Finding>) -> Self {
        caller.renew(api);
        let dialect = if filter.dialect == "x" { Dialect::X } else { Dialect::Native };
        let unknown_handles = UnknownHandles::of_text(api, caller, &filter.text, dialect).await;
        // It is kept, whatever can be said of it.
        Self { filter, warnings, unknown_handles: unknown_handles.unwrap_or_default() }
    }

    /// What is said of it.
    fn summary(&self, done: &str) -> Summary {
        match &self.unknown_handles {
            Some(unknown) => Summary::new(format!("{done}; {}", unknown.said())),
            None => Summary::new(done),
        }
    }
}

/// Filters in a new order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Numbers of filters; those that are not named come first, as they were.
    pub ids: Vec<i64>,
}

/// The account's filters, in its order: the first that shows or hides a post decides.
#[utoipa::path(get, path = "/filters", operation_id = "list_filters", tag = "filters",
    responses((status = 200, body = Answer<Vec<ShownFilter>>), (status = 304, description = "As it was")))]
pub(super) async fn list(State(api): State<Api>, caller: Caller, headers: HeaderMap) -> Result<Response> {
    listed(&api, &caller, &headers).await
}

/// All filters as they are now, with their tag; whoever has that is told so.
async fn listed(api: &Api, caller: &Caller, headers: &HeaderMap) -> Result<Response> {
    let rows = api.ask(caller.until, api.database().account_filters(caller.account())).await?;
    let left_out = api.left_out(caller, &rows).await?;
    let tag = tag_of_all(caller, Basis::of(&rows)).saying(unused::digest(&left_out));
    if tag.is_known(headers) {
        return Ok(tag.unchanged());
    }
    let shown: Vec<_> = rows.iter().enumerate().map(|(n, row)| ShownFilter::of(row, n, &left_out)).collect();
    Ok(tag.put(Answer::new(Summary::counted(shown.len(), "filter"), shown)))
}

/// Adds a filter behind the others. It is live in every worker within two seconds.
///
/// Sent again, it adds another. Where an answer may be lost, `/import` is the way to add a filter once: what says the same
/// as one that is there is not added.
#[utoipa::path(post, path = "/filters", operation_id = "add_filter", tag = "filters", request_body = AddFilter,
    responses((status = 201, body = Answer<KeptFilter>, headers(("Location" = String, description = "Its address"),
            ("ETag" = String, description = "Of what is kept: say it in `If-Match` to change no other"))), (status = 422, body = Refused)))]
pub(super) async fn add(
    State(api): State<Api>,
    mut caller: Caller,
    Body(add): Body<AddFilter>,
) -> Result<Response> {
    let new = NewFilter {
        name: add.name,
        text: add.text,
        dialect: add.dialect,
        action: add.action,
        expires_at: add.expires_at.as_deref().map(expiry).transpose()?.flatten(),
    };
    is_to_come(new.expires_at)?;
    fits(&new.name)?;
    let warnings = check(&api, &mut caller, &new).await?;
    let save = [Save { enabled: Some(add.enabled), ..Save::new(&new) }];
    let saved = api.database().save_filters(caller.account(), &save, api.options().filters);
    let id = match api.keep(&mut caller, Duration::ZERO, saved).await? {
        Saved::Done(ids) => ids.first().copied().unwrap_or_default(),
        Saved::TooMany(held) => return Err(too_many(held, 1, api.options().filters)),
        // It replaces none.
        Saved::Missing(_) | Saved::Meanwhile(..) | Saved::Others => {
            return Err(ApiError::missing("such filter"));
        }
    };
    let filter = own_shown(&api, &caller, id).await?;
    let tag = tag(&filter);
    let kept = KeptFilter::of(&api, &mut caller, filter, warnings).await;
    let headers = [(header::LOCATION, format!("{PREFIX}/filters/{id}"))];
    Ok(tag.put((StatusCode::CREATED, headers, Answer::new(kept.summary("Added"), kept))))
}

/// One filter.
#[utoipa::path(get, path = "/filters/{id}", operation_id = "get_filter", tag = "filters", params(("id" = i64, Path, description = "Its number")),
    responses((status = 200, body = Answer<ShownFilter>), (status = 304, description = "As it was"),
        (status = 404, body = Refused)))]
pub(super) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response> {
    let filter = own_shown(&api, &caller, id).await?;
    let tag = tag(&filter);
    if tag.is_known(&headers) {
        return Ok(tag.unchanged());
    }
    Ok(tag.put(Answer::new(Summary::new("A filter"), filter)))
}

/// How often a change is made anew since others change the same filter at that moment.
const TRIES: u32 = 100;

/// Changes what is said of a filter. With `If-Match`, its `ETag` or `"REVISION"`, only if nobody else has changed it meanwhile.
#[utoipa::path(patch, path = "/filters/{id}", operation_id = "change_filter", tag = "filters", request_body = ChangeFilter,
    params(("id" = i64, Path, description = "Its number"),
        ("If-Match" = Option<String>, Header, description = "Its `ETag` or its revision in quotes, several with commas between them, or `*`")),
    responses((status = 200, body = Answer<KeptFilter>,
            headers(("ETag" = String, description = "Of what is kept: say it in `If-Match` to change no other"))), (status = 404, body = Refused),
        (status = 412, body = Refused), (status = 422, body = Refused)))]
pub(super) async fn change(
    State(api): State<Api>,
    mut caller: Caller,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Body(change): Body<ChangeFilter>,
) -> Result<Response> {
    let known = IfMatch::of(&headers)?;
    let mut tries = TRIES;
    let warnings = loop {
        let row = own(&api, &caller, id).await?;
        if !known.holds(row.revision) {
            return Err(changed_meanwhile(row.revision));
        }
        let revision = row.revision;
        let (new, warnings) = changed(&api, &mut caller, row, &change).await?;
        // With or without If-Match a change replaces only what it was made from.
        let kept = api.database().change_filter(id, Some(revision), &new, change.enabled);
        match api.keep(&mut caller, Duration::ZERO, kept).await? {
            Changed::Done => break warnings,
            Changed::Missing => return Err(ApiError::missing(format_args!("filter {id}"))),
            Changed::Meanwhile(now) if known.names_tags() || tries == 0 => {
                return Err(changed_meanwhile(now));
            }
            // Whoever says nothing of what it was changes what it is by now.
            Changed::Meanwhile(_) => tries -= 1,
        }
    };
    let filter = own_shown(&api, &caller, id).await?;
    let tag = tag(&filter);
    let kept = KeptFilter::of(&api, &mut caller, filter, warnings).await;
    Ok(tag.put(Answer::new(kept.summary("Changed"), kept)))
}

/// A filter as it is to be, and what is doubtful about that.
async fn changed(
    api: &Api,
    caller: &mut Caller,
    row: FilterRow,
    change: &ChangeFilter,
) -> Result<(NewFilter, Vec<Finding>)> {
    // What was saved can be renamed and switched off, even if a list that it names is gone.
    let is_same = change.text.is_none() && change.dialect.is_none() && change.enabled != Some(true);
    let ended = row.filter.expires_at;
    let mut new = row.filter;
    if let Some(name) = &change.name {
        fits(name)?;
        new.name.clone_from(name);
    }
    if let Some(text) = &change.text {
        new.text.clone_from(text);
    }
    new.dialect = change.dialect.unwrap_or(new.dialect);
    new.action = change.action.unwrap_or(new.action);
    if let Some(at) = &change.expires_at {
        new.expires_at = at.as_deref().map(expiry).transpose()?.flatten();
    }
    // What has ended can be changed and stay so.
    if change.enabled == Some(true) || new.expires_at != ended {
        is_to_come(new.expires_at)?;
    }
    match check(api, caller, &new).await {
        Err(error) if is_same && error.is_of_filter() => Ok((new, error.into_findings())),
        checked => checked.map(|warnings| (new, warnings)),
    }
}

/// Removes a filter; what it matched stays. With `If-Match`, its `ETag` or `"REVISION"`, only if nobody has changed it
/// meanwhile.
#[utoipa::path(delete, path = "/filters/{id}", operation_id = "remove_filter", tag = "filters",
    params(("id" = i64, Path, description = "Its number"),
        ("If-Match" = Option<String>, Header, description = "Its `ETag` or its revision in quotes, several with commas between them, or `*`")),
    responses((status = 200, body = Answer<i64>), (status = 404, body = Refused), (status = 412, body = Refused)))]
pub(super) async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Answer<i64>> {
    let known = IfMatch::of(&headers)?;
    let row = own(&api, &caller, id).await?;
    if !known.holds(row.revision) {
        return Err(changed_meanwhile(row.revision));
    }
    let known = known.names_tags().then_some(row.revision);
    let removed = api.database().remove_filter_of(id, known);
    match api.ask(caller.until, removed).await? {
        Changed::Done => Ok(Answer::new(Summary::new("Removed"), id)),
        Changed::Missing => Err(ApiError::missing(format_args!("filter {id}"))),
        Changed::Meanwhile(now) => Err(changed_meanwhile(now)),
    }
}

/// Puts the filters in an order. With `If-Match`, the `ETag` of `/filters`, only if nobody has changed, added or removed one
/// meanwhile.
#[utoipa::path(put, path = "/filters/order", operation_id = "order_filters", tag = "filters", request_body = Order,
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of `/filters`, several with commas between them, or `*`")),
    responses((status = 200, body = Answer<Vec<ShownFilter>>,
            headers(("ETag" = String, description = "Of what is kept: say it in `If-Match` to change no other"))), (status = 404, body = Refused),
        (status = 412, body = Refused)))]
pub(super) async fn order(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Body(order): Body<Order>,
) -> Result<Response> {
    let known = IfMatch::of(&headers)?;
    let rows = api.ask(caller.until, api.database().account_filters(caller.account())).await?;
    let basis = Basis::of(&rows);
    if !known.permits(Some(&tag_of_all(&caller, basis))) {
        return Err(others_meanwhile());
    }
    match misnamed(rows.iter().map(|row| row.id), &order.ids) {
        Some(Misnamed::Unknown(id)) => return Err(ApiError::missing(format_args!("filter {id}"))),
        Some(Misnamed::Twice(id)) => return Err(ApiError::bad(format!("Filter {id} is named twice"))),
        None => {}
    }
    let basis = known.names_tags().then_some(basis);
    let ordered = api.database().order_filters_on(caller.account(), &order.ids, basis);
    if !api.ask(caller.until, ordered).await? {
        return Err(others_meanwhile());
    }
    listed(&api, &caller, &HeaderMap::new()).await
}

/// A filter of the caller's. One of somebody else's is not there.
pub(super) async fn own(api: &Api, caller: &Caller, id: i64) -> Result<FilterRow> {
    let found = api.ask(caller.until, api.database().filter(id)).await?;
    let own = found.filter(|row| row.account == caller.account());
    own.ok_or_else(|| ApiError::missing(format_args!("filter {id}")))
}

/// The same as it is shown.
async fn own_shown(api: &Api, caller: &Caller, id: i64) -> Result<ShownFilter> {
    let rows = api.ask(caller.until, api.database().account_filters(caller.account())).await?;
    let found = rows.iter().enumerate().find(|(_, row)| row.id == id);
    let (place, row) = found.ok_or_else(|| ApiError::missing(format_args!("filter {id}")))?;
    let left_out = api.left_out(caller, &rows).await?;
    Ok(ShownFilter::of(row, place, &left_out))
}

/// Says what is doubtful about a filter, and refuses what is wrong.
async fn check(api: &Api, caller: &mut Caller, filter: &NewFilter) -> Result<Vec<Finding>> {
    let surroundings = api.surroundings(caller.until, caller.account(), caller.pulse.revision).await?;
    let (text, dialect) = (filter.text.clone(), filter.dialect);
    let found = api.aside(Work::Reading, move || match surroundings.compile(&text, dialect) {
        Ok(compiled) => Ok(Finding::all(compiled.expression.warnings(), &text)),
        Err(found) => Err(ApiError::expression(&found, &text)),
    });
    let found = found.await?;
    caller.renew(api);
    found
}

fn fits(name: &str) -> Result<()> {
    names::fits(name, "a filter", names::FILTER_NAME)
        .map_err(|said| ApiError::bad(format!("`name` does not fit: {said}")))
}

fn expiry(text: &str) -> Result<Option<i64>> {
    if text == "never" {
        return Ok(None);
    }
    let at = time::parse(text);
    at.map(Some)
        .ok_or_else(|| ApiError::bad("`expires_at` must be a time such as 2026-12-31T23:59:59Z, or `never`"))
}

/// Refuses a filter that would be switched off as soon as it is there.
fn is_to_come(expires_at: Option<i64>) -> Result<()> {
    let Some(at) = expires_at.filter(|at| *at <= now()) else { return Ok(()) };
    let message = format!(
        "The filter would be switched off at once: it ends at {}, which has passed. Say a later `expires_at`, or \
         `never`",
        time::rfc3339(at)
    );
    Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "already_expired", message))
}

/// What is shown of a filter; its place changes with others that are removed, whether it can be used with lists, and its
/// revision with neither.
fn tag(filter: &ShownFilter) -> Tag {
    Tag::of_revision(filter.revision, filter.position, filter.unused.as_ref().map(Unused::digest))
}

/// All filters of an account, in their order. Filters of several that end at the same moment get one revision.
fn tag_of_all(caller: &Caller, basis: Basis) -> Tag {
    let [count, revision, order] = basis.numbers();
    Tag::exact(&[caller.account().cast_unsigned(), count, revision, order])
}

/// There are so many filters that no more fit.
pub(super) fn too_many(held: usize, more: usize, most: usize) -> ApiError {
    let message = format!(
        "This account has {held} filters and may have {most}; {more} more do not fit. Remove some first"
    );
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "too_many_filters", message)
}

fn changed_meanwhile(now: u64) -> ApiError {
    let message =
        format!("Somebody has changed this filter; it is of revision {now} now. Get it, and try again");
    ApiError::new(StatusCode::PRECONDITION_FAILED, "changed_meanwhile", message)
}

fn others_meanwhile() -> ApiError {
    let message = "The filters are others than those of this tag: somebody has changed, added or removed one. Get them, \
                   and try again";
    ApiError::new(StatusCode::PRECONDITION_FAILED, "changed_meanwhile", message)
}
