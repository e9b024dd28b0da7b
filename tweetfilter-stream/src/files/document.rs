//! One JSON document in place of lines.

use std::io::Read;
use std::ops::Range;

use memchr::memmem;
use serde::de::IgnoredAny;
use serde_json::Deserializer;

use super::elements::Cutter;
use super::split::MARK;
use super::work;
use crate::json::{elements, members};

/// The elements of a document, as ranges of its bytes: those of an array, those of `statuses`, or, of a page or
/// any other object, the whole.
///
/// `None` if the text is not one JSON document.
pub(super) fn parts(bytes: &[u8]) -> Option<Vec<Range<usize>>> {
    work::add(bytes.len());
    let text = str::from_utf8(bytes).ok()?;
    let whole = text.trim_start_matches('\u{feff}').trim();
    let elements = if whole.starts_with('[') {
        all(whole)?
    } else {
        let members: Vec<_> = members(whole).collect::<Result<_, _>>().ok()?;
        let has_text = members.iter().any(|(key, value)| key == "text" && value.starts_with('"'));
        match members.into_iter().find(|(key, value)| key == "statuses" && value.starts_with('[')) {
            Some((_, statuses)) if !has_text => all(statuses)?,
            _ => vec![whole],
        }
    };
    let base = text.as_ptr().addr();
    let range = |part: &str| {
        let start = part.as_ptr().addr() - base;
        start..start + part.len()
    };
    Some(elements.into_iter().map(range).collect())
}

/// All elements of an array.
fn all(array: &str) -> Option<Vec<&str>> {
    elements(array).collect::<Result<_, _>>().ok()
}

/// Whether lines of which the first goes on look like one long document, and not like messages of which the
/// first is broken.
pub(super) fn is_whole(bytes: &[u8], first_end: usize) -> bool {
    !is_message(second_line(bytes, first_end))
}

/// Whether a line, trimmed, is a whole message by itself: an object, or an array of objects.
pub(super) fn is_message(line: &[u8]) -> bool {
    let is_object = |part: &Range<usize>| line.get(part.start) == Some(&b'{');
    match line {
        [b'{', .., b'}'] => parts(line).is_some(),
        [b'[', .., b']'] => parts(line).is_some_and(|parts| !parts.is_empty() && parts.iter().all(is_object)),
        _ => false,
    }
}

/// Whether a value is a whole object.
pub(super) fn is_object(bytes: &[u8]) -> bool {
    bytes.starts_with(b"{") && parts(bytes).is_some()
}

/// What lines are of which the first goes on, and nothing follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The beginning of one document, which breaks off.
    Document,
    /// The beginning of one document, or messages of which the first is broken.
    Unsure,
    /// No beginning of a document.
    Lines,
}

/// What lines are of which the first goes on, up to a place, and behind which nothing follows.
pub(super) fn ending(bytes: &[u8], first_end: usize) -> Ending {
    let (first, second) = (bytes[..first_end].trim_ascii(), second_line(bytes, first_end));
    let is_document = match first {
        // No message is a bracket alone.
        b"{" => true,
        [b'[', rest @ ..] => {
            // An array is no element of another one, and an object on a line of its own none of what stands in one.
            let is_apart = is_message(second) && (second.starts_with(b"[") || Cutter::ends_within(first));
            !is_apart && matches!(rest.trim_ascii_start().first(), None | Some(b'{'))
        }
        _ => {
            let is_message = second.starts_with(b"{") && (parts(second).is_some() || is_begun(second));
            !second.is_empty() && (!is_message || Cutter::new(bytes).is_some())
        }
    };
    match (is_begun(bytes), is_document) {
        (true, true) => Ending::Document,
        (true, false) => Ending::Unsure,
        (false, _) => Ending::Lines,
    }
}

/// The first line behind a place that is not blank, trimmed; nothing if there is none.
fn second_line(bytes: &[u8], first_end: usize) -> &[u8] {
    let mut lines = bytes[first_end..].split(|&b| b == b'\n').map(<[u8]>::trim_ascii);
    lines.find(|line| !line.is_empty()).unwrap_or_default()
}

/// Whether bytes are the beginning of one JSON value, and nothing but their end is wrong with it.
pub(super) fn is_begun(bytes: &[u8]) -> bool {
    work::add(bytes.len());
    // Of a number that lacks its digits the error is not that of an end: with one more it is. A string that ends in the same
    // lacks its end either way.
    let may_lack_digits = matches!(bytes, [.., b'-' | b'+' | b'.'] | [.., b'0'..=b'9', b'e' | b'E']);
    let read = match may_lack_digits {
        true => serde_json::from_reader::<_, IgnoredAny>(bytes.chain(&b"0"[..])),
        false => serde_json::from_slice(bytes),
    };
    read.is_err_and(|error| error.is_eof())
}

/// Whether a line is values and nothing else, each of them whole.
pub(super) fn are_values(line: &[u8]) -> bool {
    work::add(line.len());
    let line = line.strip_prefix(MARK).unwrap_or(line);
    Deserializer::from_slice(line).into_iter::<IgnoredAny>().all(|value| value.is_ok())
}

/// First keys of messages of streams, which are no pages.
const STREAMED: [&[u8]; 4] = [b"{\"created_at\"", b"{\"delete\"", b"{\"data\"", b"{\"did\""];

/// Whether a line is worth a look whether it holds several messages. Those of streams are not searched for that.
pub(super) fn may_have_parts(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    match line.first() {
        Some(b'[') => true,
        Some(b'{') if !STREAMED.iter().any(|first| line.starts_with(first)) => {
            work::add(line.len());
            memmem::find(line, b"\"statuses\"").is_some()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Ending, ending, parts};

    fn cut(text: &str) -> Option<Vec<&str>> {
        Some(parts(text.as_bytes())?.into_iter().map(|part| &text[part]).collect())
    }

    #[test]
    fn documents_are_cut() {
        assert_eq!(cut("[{\"a\":1},\n {\"b\":[2]}\n]"), Some(vec!["{\"a\":1}", "{\"b\":[2]}"]));
        assert_eq!(cut("{\"x\":{\"statuses\":[7]},\n\"statuses\":[ {} ]}"), Some(vec!["{}"]));
        assert_eq!(cut("\u{feff}{\"data\":\n[1]} "), Some(vec!["{\"data\":\n[1]}"]));
        assert_eq!(cut("{\"a\":1}\n{\"b\":1}"), None);
        assert_eq!(cut("{\"a\":1"), None);
    }

    #[test]
    fn documents_that_break_off_are_told_from_messages_of_which_the_first_is_broken() {
        for (text, expected) in [
            ("{\n", Ending::Document),
            ("[\n", Ending::Document),
            ("{\n \"data\": [\n  {\n", Ending::Document),
            ("{\"data\":[\n{\"id\":1},\n{\"id\":2}", Ending::Document),
            ("{\"a\":1,\n\"b\":tr", Ending::Document),
            ("{\n\"a\":-", Ending::Document),
            ("{\n\"a\":97.", Ending::Document),
            ("{\n\"a\":[0,1e", Ending::Document),
            ("{\n\"a\":1E-", Ending::Document),
            ("{\n\"a\":true", Ending::Document),
            ("{\n\"a\":\"b-", Ending::Document),
            ("{\n\"a\":\"1e", Ending::Document),
            ("{\n\"a\":\"\\ud83e", Ending::Document),
            ("[\n{\"a\":1}\n", Ending::Document),
            ("[{\"a\":1},\n{\"b\":2}", Ending::Document),
            ("[{\"a\":1},{\"b\":[\n{\"c\":2},", Ending::Document),
            ("{\"statuses\":[\n{\"a\":1}\n", Ending::Document),
            ("{\"x\":[{}],\"statuses\":[\n{\"a\":1", Ending::Document),
            // Whole, or messages.
            ("{\n}", Ending::Lines),
            ("{\n{\"id\":1}\n", Ending::Lines),
            ("[\n{\"a\":1}\n{\"b\":2}\n", Ending::Lines),
            ("{\"a\":\nsnow\n", Ending::Lines),
            ("{\n\"a\":1-", Ending::Lines),
            ("{\n\"a\":snow.", Ending::Lines),
            ("{\n\"a\":snowe", Ending::Lines),
            ("{\n\"a\":97.e", Ending::Lines),
            ("{\"a\":\"sno\n", Ending::Lines),
            // Either.
            ("{\"a\":1\n", Ending::Unsure),
            ("{\"data\":[\n", Ending::Unsure),
            ("{\"a\":\n{\"b\":\n{}\n", Ending::Unsure),
            ("{\"a\":[\n{\"id\":1}\n", Ending::Unsure),
            ("[1,\n2", Ending::Unsure),
            ("[\n[{\"a\":1}]\n", Ending::Unsure),
            ("[{\"a\":1},\n\n[{\"b\":2}]", Ending::Unsure),
            ("[{\"a\":1},{\"b\":\n[{\"c\":2}]\n", Ending::Unsure),
            ("[{\"a\":1},{\"b\":[\n{\"c\":2}\n", Ending::Unsure),
        ] {
            let first_end = text.find('\n').expect("a line end");
            assert_eq!(ending(text.as_bytes(), first_end), expected, "{text}");
        }
    }
}
