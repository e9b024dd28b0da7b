//! All routes.

use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::ApiError;
use super::{
    Api, PREFIX, caller, check, encoded, exchange, explain, export, feeds, filters, health, letters, live,
    manual, me, preview, reading, search, sets, status, timeline, tokens, withdrawn,
};

#[derive(OpenApi)]
#[openapi(info(
    title = "tweetfilter",
    description = "Filters for tweets: what an account saw, with what its filters say of it.\n\nEvery answer is \
        `{\"summary\", \"data\", \"error\"}`. Every request to `/api/v1` carries `Authorization: Bearer TOKEN`."
))]
struct Described;

fn with_token() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(me::me))
        .routes(routes!(filters::list, filters::add))
        .routes(routes!(filters::order))
        .routes(routes!(filters::get, filters::change, filters::remove))
        .routes(routes!(timeline::timeline))
        .routes(routes!(timeline::post))
        .routes(routes!(check::check))
        .routes(routes!(check::operators))
        .routes(routes!(live::live))
        .routes(routes!(withdrawn::withdrawn))
        .routes(routes!(explain::explain))
        .routes(routes!(search::search))
        .routes(routes!(preview::preview))
        .routes(routes!(exchange::import))
        .routes(routes!(export::export))
        .routes(routes!(feeds::list, feeds::add))
        .routes(routes!(feeds::remove))
        .routes(routes!(sets::list))
        .routes(routes!(sets::get, sets::put, sets::remove))
        .routes(routes!(tokens::list, tokens::add))
        .routes(routes!(tokens::remove))
        .routes(routes!(reading::list))
        .routes(routes!(reading::put))
        .routes(routes!(status::status))
        .routes(routes!(status::history))
        .routes(routes!(letters::list))
        .routes(routes!(letters::retry))
}

fn without_token() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(feeds::read))
        .routes(routes!(manual::openapi))
        .routes(routes!(manual::page))
        .routes(routes!(manual::style))
}

/// All routes, as they describe themselves.
pub(super) fn all() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Described::openapi()).merge(without_token()).nest(PREFIX, with_token())
}

/// All routes over an API.
pub fn app(api: &Api) -> Router {
    let inner = OpenApiRouter::<Api>::new()
        .merge(with_token())
        .fallback(no_route)
        .layer(from_fn_with_state(api.clone(), caller::authorize));
    let (inner, _) = inner.split_for_parts();
    let (outer, _) = without_token().split_for_parts();
    // A stream is sent event by event, and what is small is sent faster as it is.
    let worth = SizeAbove::new(512).and(NotForContentType::new("text/event-stream"));
    outer
        .nest(PREFIX, inner)
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(CatchPanicLayer::custom(broken))
        .layer(from_fn_with_state(api.clone(), counted))
        .layer(from_fn(safe))
        .layer(CompressionLayer::new().compress_when(worth))
        .layer(from_fn(encoded::marked))
        .layer(cors(&api.options().origins))
        .layer(DefaultBodyLimit::max(api.options().body_bytes))
        .with_state(api.clone())
}

/// Counts an answer under its route's template, so that addresses that somebody makes up add nothing.
async fn counted(State(api): State<Api>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let method = match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    };
    let response = next.run(request).await;
    let (route, status) = (route.as_deref().unwrap_or("other"), response.status().as_u16());
    api.part().counters.answered(method, route, status, begun.elapsed().as_secs_f64());
    response
}

async fn no_route() -> ApiError {
    let message = "There is no such route; /api/v1/openapi.json lists all";
    ApiError::new(StatusCode::NOT_FOUND, "no_route", message)
}

async fn no_method() -> ApiError {
    let message = "This route does not take that method; the header `Allow` says which";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "no_method", message)
}

/// A mistake of ours is said as every error is, and harms no other request.
fn broken(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::broken().into_response()
}

/// What browsers must not do with answers.
async fn safe(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await.into_response();
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Off unless origins are named: then pages of these may call, always with a token and never with cookies.
fn cors(origins: &[String]) -> CorsLayer {
    if origins.is_empty() {
        return CorsLayer::new();
    }
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::try_from(origin.as_str()).ok()))
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([header::ETAG, header::LOCATION, header::RETRY_AFTER])
}
