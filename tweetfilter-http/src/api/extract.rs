//! Bodies and parameters, with errors in the answer's own form.

use axum::body::{Bytes, to_bytes};
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use super::answer::{ApiError, Result};
use super::{Api, wording};

/// A JSON body.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Api) -> Result<Self> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            let message = "Send JSON, with `Content-Type: application/json`";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message));
        }
        let bytes = bytes(request.into_body(), api).await?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let (path, said) = (error.path().to_string(), error.inner().to_string());
            ApiError::bad(wording::of_body(&bytes, &path, &said))
        })?;
        json.end().map_err(|error| ApiError::bad(wording::of_body(&bytes, ".", &error.to_string())))?;
        Ok(Self(read))
    }
}

/// All of a body, if it comes in time and is not too long.
pub(super) async fn bytes(body: axum::body::Body, api: &Api) -> Result<Bytes> {
    let most = api.options().body_bytes;
    match tokio::time::timeout(api.options().body_time, to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let message = format!("The body broke off, or has more than {most} bytes");
            Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body", message))
        }
        Err(_) => Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "slow_body", "The body took too long")),
    }
}

/// Parameters of the address behind `?`.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|error| ApiError::bad(wording::of_parameters(&error.body_text())))
    }
}

/// A part of the path.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let read = axum::extract::Path::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(part)| Self(part)).map_err(|error| unread(parts, &error))
    }
}

/// What a part of the path must be, by the name that the route gives it.
fn unread(parts: &Parts, error: &PathRejection) -> ApiError {
    let template = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let name = template.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let name = name.map_or("a part", |(name, _)| name);
    let PathRejection::FailedToDeserializePathParams(failed) = error else {
        return ApiError::bad(error.body_text());
    };
    ApiError::bad(match failed.kind() {
        ErrorKind::ParseError { value, expected_type } => wording::of_part(name, value, expected_type),
        ErrorKind::InvalidUtf8InPathParam { key } => format!("`{key}` in the address is no UTF-8"),
        _ => error.body_text(),
    })
}
