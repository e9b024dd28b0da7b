//! Cutting a JSON array into its elements while it is read.

use std::ops::Range;

use super::document::{is_begun, is_object, may_have_parts};
use super::opening::{is_apart, may_be_apart};
use super::value::Value;
use super::work;

/// Finds the elements of an array that comes in pieces. What stands between them is not looked at closely: an
/// element that is no JSON is given like any other, and ends before a line that can't be inside it.
///
/// Bytes from [`start`](Self::start) on are to be there again, with more behind them, at the next call.
#[derive(Debug)]
pub(super) struct Cutter {
    /// Where the open element begins, or the next one is looked for.
    start: usize,
    /// Up to where bytes were looked at.
    at: usize,
    open: Option<Value>,
    /// The line that begins here was not looked at yet.
    at_line: bool,
    /// The last byte before it that is not white space; between elements, the last one of the element.
    before: u8,
    /// A comma came since the last element.
    has_comma: bool,
    /// What is left of the object around the array.
    around: Option<Value>,
    /// Where the line ends that is looked at, or up to where that was looked for.
    line_end: Result<usize, usize>,
    /// The array has ended.
    ended: bool,
    /// The array has no end: what stands here is no part of it.
    left: bool,
    /// Its last element was broken.
    has_broken: bool,
}

/// What a [`Cutter`] finds next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Element(Range<usize>),
    /// An element that has no end: a line begins behind it that can't be inside it.
    Broken(Range<usize>),
    /// The array has no end: another document begins at this place, or another line behind the element that is broken.
    Left(usize),
    /// The document ends before this place.
    End(usize),
    /// All bytes were looked at.
    Nothing,
}

/// Bytes of the longest line that is looked at as a whole, to see whether it can be inside an element.
const LINE: usize = 1 << 20;

impl Cutter {
    /// For a document that is an array, or an object with an array `statuses`; `None` for any other.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let at = begin(bytes, 0);
        match bytes.get(at)? {
            b'[' => Some(Self::behind(at + 1, None)),
            b'{' => {
                let at = statuses(bytes, at + 1)?;
                Some(Self::behind(at, Some(Value::opened())))
            }
            _ => None,
        }
    }

    /// For an array of which the opening bracket was passed.
    fn behind(at: usize, around: Option<Value>) -> Self {
        Self {
            start: at,
            at,
            open: None,
            at_line: false,
            before: b'[',
            has_comma: false,
            around,
            line_end: Err(at),
            ended: false,
            left: false,
            has_broken: false,
        }
    }

    /// For an array of which the first element is a whole object.
    pub(super) fn of_objects(bytes: &[u8]) -> Option<Self> {
        let mut cutter = Self::new(bytes)?;
        match cutter.next(bytes, true) {
            Found::Element(first) if is_object(&bytes[first.clone()]) => Self::new(bytes),
            _ => None,
        }
    }

    /// For the last line of a file, if that is an array, or an object with an array `statuses`, which breaks off in or behind
    /// an object.
    ///
    /// Only what has parts once it is whole: who reads on behind a cursor counts what was given, and the rest of the line
    /// may have come by then.
    pub(super) fn of_broken(line: &[u8]) -> Option<Self> {
        if !may_have_parts(line) {
            return None;
        }
        let mut cutter = Self::new(line)?;
        let has_object = match cutter.next(line, true) {
            Found::Element(first) => is_object(&line[first]),
            Found::Nothing => line[cutter.start()..].starts_with(b"{") && is_begun(line),
            _ => false,
        };
        if has_object { Self::new(line) } else { None }
    }

    /// Whether a line opens an array and ends within one of its elements.
    pub(super) fn ends_within(line: &[u8]) -> bool {
        let Some(mut cutter) = Self::new(line) else { return false };
        while let Found::Element(_) = cutter.next(line, true) {}
        cutter.start() < line.len()
    }

    /// Finds what is next. Once nothing more is to come, `is_all`, the last line is looked at even if it has no end.
    pub(super) fn next(&mut self, bytes: &[u8], is_all: bool) -> Found {
        loop {
            if self.left {
                return Found::Left(self.at);
            }
            if self.ended {
                return self.rest(bytes);
            }
            if self.open.is_some() {
                return self.element(bytes, is_all);
            }
            self.pass(bytes);
            match bytes.get(self.at) {
                None => return Found::Nothing,
                Some(b']') => {
                    self.at += 1;
                    self.ended = true;
                }
                // Among objects, in a line of its own and without a comma: no element, but the next document.
                Some(b'[') if self.at_line && self.before == b'}' && !self.has_comma => {
                    self.left = true;
                }
                Some(_) => {
                    self.open = Some(Value::default());
                    (self.at_line, self.has_comma, self.has_broken) = (false, false, false);
                }
            }
        }
    }

    /// Passes over what stands before an element.
    fn pass(&mut self, bytes: &[u8]) {
        let from = self.at;
        self.at = begin(bytes, from);
        self.start = self.at;
        let passed = &bytes[from..self.at];
        work::add(passed.len());
        self.has_comma |= passed.contains(&b',');
        self.at_line = passed.last().map_or(self.at_line, |last| *last == b'\n');
    }

    /// Looks for the end of the open element, line by line.
    fn element(&mut self, bytes: &[u8], is_all: bool) -> Found {
        while self.open.is_some() {
            let line_end = self.line_end(bytes);
            let Some(value) = &mut self.open else { break };
            if self.at_line && may_be_apart(&bytes[self.at..], value.in_string, self.before) {
                let end = line_end.unwrap_or(bytes.len());
                let is_long = end - self.at > LINE;
                if line_end.is_none() && !is_all && !is_long {
                    return Found::Nothing;
                }
                if !is_long && is_apart(&bytes[self.at..end], value.in_string, self.before) {
                    return self.broken(bytes, end);
                }
            }
            self.at_line = false;
            let end = line_end.map_or(bytes.len(), |end| end + 1);
            let line = &bytes[self.at..end];
            if let Some(length) = value.end(line) {
                self.before = line[..length].last().copied().unwrap_or(self.before);
                let element = self.start..self.at + length;
                self.at = element.end;
                self.start = self.at;
                self.open = None;
                return Found::Element(element);
            }
            self.before = line.trim_ascii_end().last().copied().unwrap_or(self.before);
            self.at = end;
            if line_end.is_none() {
                break;
            }
            self.at_line = true;
        }
        Found::Nothing
    }

    /// Where the line ends, if it does in these bytes.
    fn line_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let from = match self.line_end {
            Ok(end) if end >= self.at => return Some(end),
            Ok(_) => self.at,
            Err(searched) => searched.max(self.at),
        };
        self.line_end = memchr::memchr(b'\n', &bytes[from..]).map(|n| from + n).ok_or(bytes.len());
        let (Ok(searched) | Err(searched)) = self.line_end;
        work::add(searched - from);
        self.line_end.ok()
    }

    /// The open element ends before a line. An object with a comma behind it is the next element.
    fn broken(&mut self, bytes: &[u8], line_end: usize) -> Found {
        let element = self.start..self.at;
        self.start = self.at;
        self.open = None;
        let line = bytes[self.at..line_end].trim_ascii();
        self.left = line.starts_with(b"[") || !line.ends_with(b",");
        self.has_broken = true;
        Found::Broken(element)
    }

    /// Passes over what follows the array in its document.
    fn rest(&mut self, bytes: &[u8]) -> Found {
        let length = match &mut self.around {
            None => Some(0),
            Some(around) => around.end(&bytes[self.at..]),
        };
        let found = length.map_or(Found::Nothing, |length| Found::End(self.at + length));
        self.at = bytes.len();
        self.start = self.at;
        found
    }

    /// Where the element begins that is still open; the end of all bytes if none is.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// What was looked at of the element that is still open.
    pub(super) fn looked(&self) -> Range<usize> {
        self.start..self.at
    }

    /// Whether the last element was broken.
    pub(super) fn has_broken(&self) -> bool {
        self.has_broken
    }

    /// What was looked at of the open element will not be there again.
    pub(super) fn forget_element(&mut self) {
        self.start = self.at;
    }

    /// Bytes before this place will not be there again.
    pub(super) fn forget(&mut self, before: usize) {
        self.start -= before;
        self.at -= before;
        let moved = |at: usize| at.saturating_sub(before);
        // The end of a line that was passed is none of one that follows.
        self.line_end = match self.line_end {
            Ok(end) if end < before => Err(0),
            Ok(end) => Ok(moved(end)),
            Err(searched) => Err(moved(searched)),
        };
    }
}

/// The place of the next byte that is neither white space nor a comma.
fn begin(bytes: &[u8], at: usize) -> usize {
    let skipped = bytes[at..].iter().take_while(|b| b.is_ascii_whitespace() || **b == b',').count();
    at + skipped
}

/// The place past the bracket that opens `statuses`, among the members of an object.
fn statuses(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = begin(bytes, at);
        let key = at..at + string(bytes.get(at..)?)?;
        at = begin(bytes, key.end);
        if bytes.get(at) != Some(&b':') {
            return None;
        }
        at = begin(bytes, at + 1);
        if &bytes[key] == b"\"statuses\"" && bytes.get(at) == Some(&b'[') {
            return Some(at + 1);
        }
        at += Value::default().end(bytes.get(at..)?)?;
    }
}

fn string(bytes: &[u8]) -> Option<usize> {
    if bytes.first() == Some(&b'"') { Value::default().end(bytes) } else { None }
}

#[cfg(test)]
mod tests {
    use super::{Cutter, Found};

    /// The elements, of which so many bytes more are seen each time; and what follows the document.
    fn cut(text: &str, step: usize) -> Option<(Vec<String>, String)> {
        let bytes = text.as_bytes();
        let mut cutter = None;
        let (mut dropped, mut seen, mut found) = (0, 0, Vec::new());
        loop {
            seen = (seen + step).min(bytes.len());
            let part = &bytes[dropped..seen];
            if cutter.is_none() {
                cutter = Cutter::new(part);
            }
            if let Some(cutter) = &mut cutter {
                loop {
                    match cutter.next(part, seen == bytes.len()) {
                        Found::Element(range) => {
                            found.push(String::from_utf8_lossy(&part[range]).into_owned())
                        }
                        Found::End(at) => {
                            return Some((
                                found,
                                String::from_utf8_lossy(&bytes[dropped + at..]).into_owned(),
                            ));
                        }
                        Found::Nothing => break,
                        found => panic!("{found:?}"),
                    }
                }
                let start = cutter.start();
                cutter.forget(start);
                dropped += start;
            }
            if seen == bytes.len() {
                return cutter.map(|_| (found, "open".to_owned()));
            }
        }
    }

    #[test]
    fn elements_are_cut_wherever_the_pieces_end() {
        let array = "[{\"a\":\"]\\\"}\"},\n [1,[2]], 7 ,\"x\\\\\",null,{}]\nrest";
        let elements = ["{\"a\":\"]\\\"}\"}", "[1,[2]]", "7", "\"x\\\\\"", "null", "{}"].map(str::to_owned);
        for step in 1..array.len() + 1 {
            assert_eq!(cut(array, step), Some((elements.to_vec(), "\nrest".to_owned())), "{step}");
        }
        let search = "{\"meta\":{\"statuses\":[9]},\"statuses\" : [{\"a\":1},2],\"x\":\"}\"}\n{}";
        for step in 1..search.len() + 1 {
            let expected = vec!["{\"a\":1}".to_owned(), "2".to_owned()];
            assert_eq!(cut(search, step), Some((expected, "\n{}".to_owned())), "{step}");
        }
    }

    #[test]
    fn other_documents_have_no_elements() {
        for text in ["{\"data\":[1]}", "7", "", "{\"statuses\":7}", "{statuses:[1]}"] {
            assert_eq!(cut(text, 100), None, "{text}");
        }
        assert_eq!(cut("[1,{\"a\":", 100), Some((vec!["1".to_owned()], "open".to_owned())));
    }

    /// All that is found, of which so many bytes more are seen each time.
    fn found(text: &str, step: usize) -> Vec<String> {
        let bytes = text.as_bytes();
        let mut cutter = Cutter::new(bytes).expect("an array");
        let (mut seen, mut all) = (step, Vec::new());
        loop {
            let part = &bytes[..seen.min(bytes.len())];
            match cutter.next(part, seen >= bytes.len()) {
                Found::Element(range) => all.push(text[range].to_owned()),
                Found::Broken(range) => all.push(format!("!{}", text[range].trim_end())),
                Found::Left(at) => {
                    all.push(format!("left: {}", &text[at..]));
                    return all;
                }
                Found::End(at) => {
                    all.push(format!("end: {}", &text[at..]));
                    return all;
                }
                Found::Nothing if seen >= bytes.len() => return all,
                Found::Nothing => seen += step,
            }
        }
    }

    #[test]
    fn an_element_that_is_broken_ends_before_what_cannot_be_inside_it() {
        for (text, expected) in [
            (
                "[{},\n{\"a\":\"sno\n{\"b\":1},\n{}\n]x",
                &["{}", "!{\"a\":\"sno", "{\"b\":1}", "{}", "end: x"][..],
            ),
            ("[{},\n{\"a\":\"sno\n{\"b\":1}\n{}", &["{}", "!{\"a\":\"sno", "left: {\"b\":1}\n{}"]),
            ("[{},\n{\"a\":tr\n[{\"b\":1},\n{}]", &["{}", "!{\"a\":tr", "left: [{\"b\":1},\n{}]"]),
            ("[{},\n{}\n[\n{}\n]", &["{}", "{}", "left: [\n{}\n]"]),
            ("[[],\n[]\n[]]", &["[]", "[]", "[]", "end: "]),
            // A comma is missing, or a line end in a string is not written as one.
            ("[{},\n{}\n{}\n]", &["{}", "{}", "{}", "end: "]),
            ("[{},{\"a\":\"sno\nw [\nb\"},{}]", &["{}", "{\"a\":\"sno\nw [\nb\"}", "{}", "end: "]),
            ("[{},\n{\"a\":[\n{},\n{}\n]}\n]", &["{}", "{\"a\":[\n{},\n{}\n]}", "end: "]),
        ] {
            for step in 1..=text.len() {
                assert_eq!(found(text, step), expected, "{step}: {text}");
            }
        }
    }
}
