//! Tags of compressed answers: an exact one names the bytes that were sent, so compressed ones have one of their own
//! (RFC 9110, 8.8.3.3). Whoever sends it back means the same state as with the other.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

/// How an exact tag ends that was sent with a compressed answer. No tag of ours has a semicolon else.
const MARK: &str = ";gzip\"";

/// Marks the exact tags of compressed answers, and takes the mark off those that are sent back. Stands around compression.
pub(super) async fn marked(mut request: Request, next: Next) -> Response {
    let headers = request.headers_mut();
    let knows_compressed = unmark(headers, header::IF_NONE_MATCH);
    unmark(headers, header::IF_MATCH);
    let mut response = next.run(request).await;
    let is_compressed = response.headers().contains_key(header::CONTENT_ENCODING);
    // Whoever has the compressed answer is told of that one that it holds.
    if is_compressed || knows_compressed && response.status() == StatusCode::NOT_MODIFIED {
        mark(response.headers_mut());
    }
    response
}

fn mark(headers: &mut HeaderMap) {
    let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
    let exact = tag.filter(|tag| tag.starts_with('"')).and_then(|tag| tag.strip_suffix('"'));
    if let Some(marked) = exact.and_then(|exact| HeaderValue::try_from(format!("{exact}{MARK}")).ok()) {
        headers.insert(header::ETAG, marked);
    }
}

/// Whether there was such a tag.
fn unmark(headers: &mut HeaderMap, name: HeaderName) -> bool {
    let is_marked = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.contains(MARK));
    if !headers.get_all(&name).iter().any(is_marked) {
        return false;
    }
    let plain = |value: &HeaderValue| match value.to_str() {
        Ok(text) => HeaderValue::try_from(text.replace(MARK, "\"")).unwrap_or_else(|_| value.clone()),
        Err(_) => value.clone(),
    };
    let all: Vec<_> = headers.get_all(&name).iter().map(plain).collect();
    headers.remove(&name);
    for value in all {
        headers.append(&name, value);
    }
    true
}
