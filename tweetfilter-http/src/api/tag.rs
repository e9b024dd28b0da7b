//! Answers that are not sent again while nothing has changed.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::answer::{ApiError, Result};
use crate::people::People;

/// The state of the store that an answer was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag(String);

/// What stands in a tag before what changes by itself.
const SAID: char = '+';

impl Tag {
    /// A tag of numbers that rise when the answer may change. They are read before the answer is made: what is newer
    /// than its tag is only sent once more.
    pub(super) fn of(numbers: &[i64]) -> Self {
        let numbers: Vec<_> = numbers.iter().map(i64::to_string).collect();
        Self(format!("W/\"{}\"", numbers.join("-")))
    }

    /// The exact tag of what is the same as long as these numbers are.
    pub(super) fn exact(numbers: &[u64]) -> Self {
        let numbers: Vec<_> = numbers.iter().map(u64::to_string).collect();
        Self(format!("\"{}\"", numbers.join("-")))
    }

    /// The tag of the same, of which something is said as well that changes by itself. In `If-Match` that does not count.
    pub(super) fn saying(&self, said: Option<u64>) -> Self {
        match (said, self.0.strip_suffix('"')) {
            (Some(said), Some(numbers)) => Self(format!("{numbers}{SAID}{said:x}\"")),
            _ => self.clone(),
        }
    }

    /// The tag of one thing of a revision, of its place among others and of what is said about it, which may change
    /// without it. Said in `If-Match`, the revision counts.
    pub(super) fn of_revision(revision: u64, place: i64, said: Option<u64>) -> Self {
        let said = said.map(|said| format!("-{said:x}")).unwrap_or_default();
        Self(format!("\"{revision}-{place}{said}\""))
    }

    /// Whether whoever asks has this answer already. Servers in between may have weakened the tag.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        known(headers).any(|one| one == "*" || opaque(one) == opaque(&self.0))
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

/// What an answer is made from of which others change most: where nothing at all has changed, it is known by that without
/// being made that it is the same, and else by what it says. So who asks is not sent again what others' news left as it was.
#[derive(Clone, Debug)]
pub(super) struct Made(String);

/// What stands in a tag between what an answer was made from and what it says; and where that may change by itself.
const SAYS: char = '.';
const SAYS_OF_ITSELF: char = '~';

impl Made {
    /// Of numbers that rise when the answer may change. They are read before it is made.
    pub(super) fn of(numbers: &[i64]) -> Self {
        let numbers: Vec<_> = numbers.iter().map(i64::to_string).collect();
        Self(numbers.join("-"))
    }

    /// That it is as it was, if whoever asks has an answer that was made from this.
    pub(super) fn unchanged(&self, headers: &HeaderMap) -> Option<Response> {
        let same = |one: &str| inner(one)?.strip_prefix(&self.0)?.strip_prefix(SAYS).map(|_| ());
        let one = known(headers).find(|one| *one == "*" || same(one).is_some())?;
        let tag = if one == "*" { format!("W/\"{}\"", self.0) } else { format!("W/{}", opaque(one)) };
        Some(Tag(tag).unchanged())
    }

    /// The answer, or that it is as it was, by the digest of what it says. Those whom it shows and whose names were looked
    /// up may be called otherwise without any of the numbers.
    pub(super) fn answer(
        &self,
        headers: &HeaderMap,
        says: u64,
        people: &People,
        answer: impl IntoResponse,
    ) -> Response {
        let digest = format!("{says:016x}");
        let said = |one: &str| Some(inner(one)?.rsplit_once([SAYS, SAYS_OF_ITSELF])?.1 == digest);
        let mark = if people.is_empty() { SAYS } else { SAYS_OF_ITSELF };
        let tag = Tag(format!("W/\"{}{mark}{digest}\"", self.0));
        // Also who has it gets the tag of now, by which the next look costs less.
        match known(headers).any(|one| one == "*" || said(one) == Some(true)) {
            true => tag.unchanged(),
            false => tag.put(answer),
        }
    }
}

/// A number that is another as soon as an answer says something else.
pub(super) fn digest_of(says: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    says.hash(&mut hasher);
    hasher.finish()
}

/// What must still be so for a change to be made (`If-Match`, RFC 9110).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum IfMatch {
    /// Nothing.
    Unsaid,
    /// Nothing more than that there is something to change.
    Anything,
    /// It is of one of these tags. One that is weak is of no use here, and one that is not ours matches nothing.
    OneOf(Vec<String>),
}

impl IfMatch {
    /// What a request says; an error if that is no list of tags.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self> {
        let mut tags = Vec::new();
        let mut said = false;
        for value in headers.get_all(header::IF_MATCH) {
            let text = value.to_str().map_err(|_| no_tags())?.trim();
            if text == "*" {
                return Ok(Self::Anything);
            }
            said = true;
            tags.extend(strong_tags(text).ok_or_else(no_tags)?);
        }
        Ok(if said { Self::OneOf(tags) } else { Self::Unsaid })
    }

    /// Whether it is so of something of a revision. Where that stands changes nothing of it.
    pub(super) fn holds(&self, revision: u64) -> bool {
        let revision = revision.to_string();
        let of = |tag: &String| tag.split_once('-').map_or(tag.as_str(), |(of, _)| of) == revision;
        match self {
            Self::Unsaid | Self::Anything => true,
            Self::OneOf(tags) => tags.iter().any(of),
        }
    }

    /// Whether it is so of what has this tag now, or is not there.
    pub(super) fn permits(&self, now: Option<&Tag>) -> bool {
        match (self, now) {
            (Self::Unsaid, _) | (Self::Anything, Some(_)) => true,
            (Self::OneOf(tags), Some(now)) => {
                let numbers = |tag: &str| tag.split_once(SAID).map_or(tag, |(numbers, _)| numbers).to_owned();
                tags.iter().any(|tag| now.0 == format!("\"{}\"", numbers(tag)))
            }
            (_, None) => false,
        }
    }

    /// Whether it names tags: what has one of them must still have it when the change is made.
    pub(super) fn names_tags(&self) -> bool {
        matches!(self, Self::OneOf(_))
    }
}

/// The tags that whoever asks knows.
fn known(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// What stands within the quotes of a tag.
fn inner(tag: &str) -> Option<&str> {
    opaque(tag).strip_prefix('"')?.strip_suffix('"')
}

/// A tag without saying whether it is weak.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// Whether something is kept only where there is none of its name (`If-None-Match: *`, RFC 9110). Tags say of a change
/// when not to make it, which nobody means: they are refused.
pub(super) fn must_be_new(headers: &HeaderMap) -> Result<bool> {
    let mut must_be_new = false;
    for value in headers.get_all(header::IF_NONE_MATCH) {
        if value.as_bytes().trim_ascii() != b"*" {
            let message = "Here `If-None-Match` must be `*`: keep it only if there is none of this name";
            return Err(ApiError::bad(message));
        }
        must_be_new = true;
    }
    Ok(must_be_new)
}

/// What the strong ones of a list of tags hold; none if it is no such list. Commas may stand within tags.
fn strong_tags(list: &str) -> Option<Vec<String>> {
    let (mut tags, mut rest, mut count) = (Vec::new(), list, 0);
    loop {
        // Elements of a list may be empty.
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return (count > 0).then_some(tags);
        }
        let weak = rest.strip_prefix("W/");
        let (tag, behind) = weak.unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        if weak.is_none() {
            tags.push(tag.to_owned());
        }
        count += 1;
        rest = behind.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

fn no_tags() -> ApiError {
    ApiError::bad("`If-Match` must be `*`, or tags in quotes such as `\"7\"`, with commas between them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_made_where_one_of_the_tags_is_so() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, HeaderValue::from_static(value));
            IfMatch::of(&headers).map(|known| known.holds(7))
        };
        for (value, holds) in [
            ("\"7\"", true),
            ("\"7-2\"", true),
            ("\"8\"", false),
            ("\"8-7\"", false),
            ("\"8\", \"7\"", true),
            ("\"a,b\" ,, \"7\"", true),
            ("*", true),
            ("W/\"7\"", false),
            ("W/\"7\", \"7\"", true),
            ("\"abc\"", false),
            ("\"\"", false),
        ] {
            assert_eq!(of(value).ok(), Some(holds), "{value}");
        }
        for value in ["7", "\"7", "\"7\" \"8\"", "", ",", "w/\"7\"", "\"7\", *"] {
            assert!(of(value).is_err(), "{value}");
        }
        assert!(IfMatch::of(&HeaderMap::new()).is_ok_and(|known| known.holds(7)));
    }

    #[test]
    fn what_is_not_there_or_has_a_weak_tag_matches_no_tag() {
        let of = |value: Option<&'static str>, now: Option<&Tag>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::IF_MATCH, HeaderValue::from_static(value));
            }
            IfMatch::of(&headers).map(|known| known.permits(now)).ok()
        };
        let (exact, weak) = (Tag::exact(&[2, 7]), Tag::of(&[2, 7]));
        for (value, by_exact, by_weak, by_none) in [
            (None, true, true, true),
            (Some("*"), true, true, false),
            (Some("\"1-7\", \"2-7\""), true, false, false),
            (Some("W/\"2-7\""), false, false, false),
            (Some("\"2\""), false, false, false),
            (Some("\"2-7+a1\""), true, false, false),
            (Some("\"2-8+a1\""), false, false, false),
        ] {
            let found = [of(value, Some(&exact)), of(value, Some(&weak)), of(value, None)];
            assert_eq!(found, [Some(by_exact), Some(by_weak), Some(by_none)], "{value:?}");
        }
    }

    #[test]
    fn an_answer_is_known_by_what_it_was_made_from_or_by_what_it_says() {
        let asking = |tag: &str| HeaderMap::from_iter([(header::IF_NONE_MATCH, tag.parse().unwrap())]);
        let answer = |made: &Made, headers: &HeaderMap, says: &str| {
            let answer = made.answer(headers, digest_of(&[says]), &People::default(), "");
            (answer.status().as_u16(), answer.headers()[header::ETAG].to_str().unwrap().to_owned())
        };
        let (made, later) = (Made::of(&[1, 7]), Made::of(&[1, 70]));
        let (status, tag) = answer(&made, &HeaderMap::new(), "snow");
        assert_eq!(status, 200);
        for tag in [tag.clone(), tag[2..].to_owned(), format!("\"a\", {tag}")] {
            assert!(
                made.unchanged(&asking(&tag)).is_some() && later.unchanged(&asking(&tag)).is_none(),
                "{tag}"
            );
        }
        // It says the same, and is known by the tag that it would have now; or something else, and has another.
        let (status, newer) = answer(&later, &asking(&tag), "snow");
        assert_eq!((status, &newer), (304, &answer(&later, &HeaderMap::new(), "snow").1));
        assert!(later.unchanged(&asking(&newer)).is_some());
        let (status, other) = answer(&later, &asking(&tag), "rain");
        assert!(status == 200 && other != tag, "{other}");
        for tag in ["W/\"1-7\"", "\"1-70\"", "\"\"", "\".\"", "7", ""] {
            assert!(made.unchanged(&asking(tag)).is_none(), "{tag}");
            assert_eq!(answer(&later, &asking(tag), "snow").0, 200, "{tag}");
        }
        assert!(made.unchanged(&asking("*")).is_some());
    }

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
        let exact = Tag::of_revision(7, 2, None);
        for (value, known) in [("\"7-2\"", true), ("W/\"7-2\"", true), ("\"7-1\"", false), ("\"7\"", false)] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(value));
            assert_eq!(exact.is_known(&headers), known, "{value}");
        }
        assert!(!tag.is_known(&HeaderMap::new()));
    }
}
