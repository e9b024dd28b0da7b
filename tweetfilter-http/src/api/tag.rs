//! Answers that are not sent again while nothing has changed.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The state of the store that an answer was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag(String);

impl Tag {
    /// A tag of numbers that rise when the answer may change. They are read before the answer is made: what is newer
    /// than its tag is only sent once more.
    pub(super) fn of(numbers: &[i64]) -> Self {
        let numbers: Vec<_> = numbers.iter().map(i64::to_string).collect();
        Self(format!("W/\"{}\"", numbers.join("-")))
    }

    /// Whether whoever asks has this answer already.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        let values =
            headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|one| matches!(one.trim(), "*") || one.trim() == self.0)
    }

    /// It is as it was.
    pub(super) fn unchanged(&self) -> Response {
        self.put(StatusCode::NOT_MODIFIED)
    }

    /// An answer with this tag, for whoever sent the token and nobody else.
    pub(super) fn put(&self, answer: impl IntoResponse) -> Response {
        let mut response = answer.into_response();
        let headers = response.headers_mut();
        if let Ok(tag) = HeaderValue::try_from(&self.0) {
            headers.insert(header::ETAG, tag);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.append(header::VARY, HeaderValue::from_static("authorization"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_by_itself_in_a_list_or_by_a_star() {
        let tag = Tag::of(&[7, 3]);
        for (value, known) in
            [("W/\"7-3\"", true), ("\"a\", W/\"7-3\"", true), ("*", true), ("W/\"7-4\"", false), ("", false)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(value));
            assert_eq!(tag.is_known(&headers), known, "{value}");
        }
        assert!(!tag.is_known(&HeaderMap::new()));
    }
}
