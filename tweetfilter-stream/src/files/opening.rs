//! What lines are of which the first opens a value that goes on: told as soon as it shows.

use std::ops::Range;

use super::document::is_message;
use super::elements::Cutter;
use super::value::Value;
use super::work;

/// Looks at such lines as they come, at each once.
#[derive(Debug)]
pub(super) struct Opening {
    value: Value,
    /// Up to where bytes were looked at, and up to where the end of their line was looked for.
    at: usize,
    searched: usize,
    /// Where that line begins, and whether something of it was looked at.
    line: usize,
    is_within: bool,
    first_end: usize,
    /// The last byte that was looked at and is not white space.
    before: u8,
    /// How deep the elements lie of the array that can be cut.
    list: Option<usize>,
    /// Its first element is no object: it is given once it is whole.
    waits: bool,
    /// The first line ends in a brace, and is one by itself unless what comes next may follow that.
    at_brace: bool,
}

/// What lines of which the first goes on are.
#[derive(Debug)]
pub(super) enum Shape {
    /// More is to come before it shows.
    Unsure,
    /// The value can't go on in the line that begins here: it is broken, and what comes before are lines.
    Lines(usize),
    /// The value ends before this place.
    Closed(usize),
    /// The value is an array that goes over several lines.
    Array(Cutter),
}

/// What stands in a line.
enum Found {
    End(usize),
    Comma,
}

impl Opening {
    /// Looks at the first line, of which the value begins at the range's start; or the value ends in it, before the place
    /// that is given.
    pub(super) fn new(bytes: &[u8], line: Range<usize>) -> Result<Self, usize> {
        let mut opening = Self {
            value: Value::default(),
            at: line.start,
            searched: line.start,
            line: 0,
            is_within: true,
            first_end: usize::MAX,
            before: b',',
            list: None,
            waits: false,
            at_brace: false,
        };
        if let Some(Found::End(end)) = opening.scan(bytes, line.end) {
            return Err(end);
        }
        opening.first_end = line.end;
        opening.pass_line_end(bytes, line.end);
        Ok(opening)
    }

    /// The same for a first line that ends in a brace and would be one by itself.
    pub(super) fn behind_brace(self) -> Self {
        Self { at_brace: true, ..self }
    }

    /// Where the first line ends.
    pub(super) fn first_end(&self) -> usize {
        self.first_end
    }

    /// Where the last line begins that was looked at, or is to be.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// What was not looked at yet, and what is open of the value before it.
    pub(super) fn rest(&self) -> (usize, Value) {
        (self.at, self.value)
    }

    /// Looks at what has come since; once all has come, at the last line even if it has no end.
    pub(super) fn look(&mut self, bytes: &[u8], is_all: bool) -> Shape {
        if self.at_brace
            && let Some(goes_on) = behind_brace(&bytes[self.at..])
        {
            if !goes_on {
                return Shape::Lines(self.first_end + 1);
            }
            self.at_brace = false;
        }
        while self.at < bytes.len() {
            let line_end = self.line_end(bytes);
            let end = line_end.unwrap_or(bytes.len());
            if !self.is_within {
                let line = &bytes[self.line..end];
                if may_be_apart(line, self.value.in_string, self.before) {
                    if line_end.is_none() && !is_all {
                        break;
                    }
                    if self.is_apart(line) {
                        return Shape::Lines(self.line);
                    }
                }
                self.is_within = true;
            }
            while let Some(found) = self.scan(bytes, end) {
                match found {
                    Found::End(end) => return Shape::Closed(end),
                    Found::Comma => match Cutter::of_objects(bytes) {
                        Some(cutter) => return Shape::Array(cutter),
                        None => self.waits = true,
                    },
                }
            }
            if line_end.is_some() {
                self.pass_line_end(bytes, end);
            }
        }
        Shape::Unsure
    }

    /// Goes to the next line. The line end itself stands in a string if that is open.
    fn pass_line_end(&mut self, bytes: &[u8], end: usize) {
        let next = (end + 1).min(bytes.len());
        let found = self.scan(bytes, next);
        debug_assert!(found.is_none());
        (self.line, self.is_within) = (next, false);
    }

    fn line_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let from = self.searched.max(self.at);
        let found = memchr::memchr(b'\n', &bytes[from..]).map(|n| from + n);
        self.searched = found.unwrap_or(bytes.len());
        work::add(self.searched - from);
        found
    }

    /// Whether a line can't be inside what is open before it.
    fn is_apart(&self, line: &[u8]) -> bool {
        let is_element = self.list == Some(self.value.depth) && !self.value.in_string;
        if !is_element {
            return is_apart(line, self.value.in_string, self.before);
        }
        // A comma may be missing, but a whole message in its own line is one, and no array stands among objects.
        let is_array = self.before == b'}' && line.starts_with(b"[") && opens(line);
        !may_follow(self.before) && (is_array || is_message(line.trim_ascii()))
    }

    /// Goes on up to a place, or to what is found before it.
    fn scan(&mut self, bytes: &[u8], upto: usize) -> Option<Found> {
        let begin = self.at;
        let found = self.go(&bytes[..upto]);
        let looked = &bytes[begin..self.at];
        self.before = looked.trim_ascii_end().last().copied().unwrap_or(self.before);
        work::add(looked.len());
        found
    }

    fn go(&mut self, bytes: &[u8]) -> Option<Found> {
        while let Some(&byte) = bytes.get(self.at) {
            if self.value.in_string {
                self.at = self.value.string(bytes, self.at);
                continue;
            }
            self.at += 1;
            let value = &mut self.value;
            match byte {
                b'"' => value.in_string = true,
                b'[' | b'{' => {
                    let before = &bytes[..self.at - 1];
                    let is_list = value.depth == 0 || (value.depth == 1 && ends_in_statuses(before));
                    value.depth += 1;
                    if byte == b'[' && is_list && self.list.is_none() {
                        self.list = Some(value.depth);
                    }
                }
                b']' | b'}' if value.depth <= 1 => return Some(Found::End(self.at)),
                b']' | b'}' => value.depth -= 1,
                // Of lines that are messages none has a comma outside of its brackets.
                b',' if self.list == Some(value.depth) && self.at > self.first_end && !self.waits => {
                    return Some(Found::Comma);
                }
                _ => {}
            }
        }
        None
    }
}

/// Whether a line that opens a bracket can't be inside the value that is open before it, which is neither a list nor
/// ends there: the value is broken, and the line is the next one.
pub(super) fn is_apart(line: &[u8], in_string: bool, before: u8) -> bool {
    let trimmed = line.trim_ascii();
    let is_opening = matches!(trimmed.first(), Some(b'[' | b'{'));
    let may_be_inside = !in_string && may_follow(before);
    is_opening && !may_be_inside && (opens(line) || is_message(trimmed.strip_suffix(b",").unwrap_or(trimmed)))
}

/// Whether a line may need to be whole before [`is_apart`] can be told.
pub(super) fn may_be_apart(beginning: &[u8], in_string: bool, before: u8) -> bool {
    let first = beginning.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
    (in_string || !may_follow(before)) && matches!(first, None | Some(b'[' | b'{'))
}

/// Whether a value that a line leaves open behind a brace goes on in what follows the line, if that shows yet.
pub(super) fn behind_brace(bytes: &[u8]) -> Option<bool> {
    let blank = bytes.len() - bytes.trim_ascii_start().len();
    work::add(blank);
    bytes.get(blank).map(|next| matches!(next, b',' | b']' | b'}'))
}

/// Whether a value may stand behind a byte.
fn may_follow(before: u8) -> bool {
    matches!(before, b'[' | b',' | b':')
}

/// Whether a line begins as documents do, by a bracket in its first column: in a text that would be odd.
pub(super) fn opens(line: &[u8]) -> bool {
    let [bracket @ (b'{' | b'['), rest @ ..] = line else { return false };
    match rest.trim_ascii_start().first() {
        None => true,
        Some(b'"' | b'}') => *bracket == b'{',
        Some(b'{' | b']') => *bracket == b'[',
        Some(_) => false,
    }
}

/// Whether a value of the key `statuses` may follow.
fn ends_in_statuses(bytes: &[u8]) -> bool {
    let key = bytes.trim_ascii_end().strip_suffix(b":").map(<[u8]>::trim_ascii_end);
    key.and_then(|key| key.strip_suffix(b"\"statuses\"")).is_some_and(|before| !before.ends_with(b"\\"))
}

#[cfg(test)]
mod tests {
    use super::{Opening, Shape};

    /// What it is, and how many bytes were there when it showed.
    fn shape(text: &str) -> (&'static str, usize) {
        let bytes = text.as_bytes();
        let line = text.find('\n').expect("a line end");
        let mut opening = Opening::new(bytes, 0..line).expect("it goes on");
        for seen in line + 1..=text.len() {
            match opening.look(&bytes[..seen], false) {
                Shape::Unsure => {}
                Shape::Lines(_) => return ("lines", seen),
                Shape::Closed(_) => return ("closed", seen),
                Shape::Array(_) => return ("array", seen),
            }
        }
        ("unsure", text.len())
    }

    #[test]
    fn messages_and_documents_are_told_as_soon_as_they_show() {
        for (text, rest, expected) in [
            ("{\"a\":\"sno\n{\"a\":1}\n", "{", "lines"),
            ("[{\"a\":1},{\"te\n[{\"a\":1}]\n", "[", "lines"),
            ("{\"a\":\"sno\n\n{\"b\n", "{\"a\":1}", "lines"),
            ("{\"a\":\"snow,\n{\"b\":1}\n", "{", "lines"),
            ("{\"a\":tr\n[\n", "{", "lines"),
            ("{\"a\":tr\n  [{}]\n", "{", "lines"),
            ("[\n{\"a\":1}\n{\"b\":1}\n", "{", "lines"),
            ("[\n{\"a\":1}\n[\n", "{", "lines"),
            // The first might stand in a document, but not the second.
            ("{\"a\":\n{}\n{}\n", "", "lines"),
            ("[1,\n{}\n\n{}\n", "", "lines"),
            ("{\n\"a\":1\n}\n", "{", "closed"),
            ("[\n{\"a\":1}\n]\n", "{}\n", "closed"),
            ("{\"statuses\":[\n{}\n]}\n", "", "closed"),
            ("{\"a\":\n{}\n}\n", "{}\n", "closed"),
            ("[1,\n2]\n", "", "closed"),
            ("{\n\"a\":\"sno\nw\"\n}\n", "{", "closed"),
            ("[\n{\"a\":1},\n", "{", "array"),
            ("[{\"a\":1}\n,\n", "{", "array"),
            ("{\n\"x\":[1,\n2],\"statuses\" : [\n{\"a\":1},\n", "{", "array"),
        ] {
            // Only what may be no part of the value is waited for to the end of its line.
            let seen = if expected == "lines" { text.len() } else { text.trim_end().len() };
            assert_eq!(shape(&format!("{text}{rest}")), (expected, seen), "{text}");
        }
        for text in [
            "{\n",
            "[\n[{\"a\":1}],\n[{\"b\":2}]\n",
            "[\n1,\n2,\n",
            "{\"a\":[\n{}\n",
            "{\"data\":[\n{},\n{},\n",
            "{\"x\":\"\\\"statuses\":[\n{},\n",
            // A comma is missing.
            "[\n {\n \"a\":1\n }\n {\n \"b\":1\n }\n",
        ] {
            assert_eq!(shape(text).0, "unsure", "{text}");
        }
    }
}
