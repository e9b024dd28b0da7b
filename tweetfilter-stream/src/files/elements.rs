//! Cutting a JSON array into its elements while it is read.

use std::ops::Range;

use memchr::memchr2;

use super::document::{goes_on, is_begun, may_have_parts, parts};

/// Finds the elements of an array that comes in pieces. What stands between them is not looked at closely: an
/// element that is no JSON is given like any other.
///
/// Bytes from [`start`](Self::start) on are to be there again, with more behind them, at the next call.
#[derive(Debug)]
pub(super) struct Cutter {
    /// Where the open element begins, or the next one is looked for.
    start: usize,
    /// Up to where bytes were looked at.
    at: usize,
    open: Option<Value>,
    /// What is left of the object around the array.
    around: Option<Value>,
    /// The array has ended.
    ended: bool,
    /// There is no array: values follow each other.
    bare: bool,
}

/// What a [`Cutter`] finds next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Element(Range<usize>),
    /// The document ends before this place.
    End(usize),
    /// All bytes were looked at.
    Nothing,
}

impl Cutter {
    /// For a document that is an array, or an object with an array `statuses`; `None` for any other.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let at = begin(bytes, 0);
        match bytes.get(at)? {
            b'[' => Some(Self { start: at + 1, at: at + 1, bare: false, ..Self::values() }),
            b'{' => {
                let at = statuses(bytes, at + 1)?;
                let around = Some(Value { depth: 1, ..Value::default() });
                Some(Self { start: at, at, around, bare: false, ..Self::values() })
            }
            _ => None,
        }
    }

    /// For values that follow each other.
    pub(super) fn values() -> Self {
        Self { start: 0, at: 0, open: None, around: None, ended: false, bare: true }
    }

    /// For a text that is no document: an array that breaks off, or several values over several lines each. `None`
    /// if it does not begin as one of these, with a whole object.
    pub(super) fn whole(bytes: &[u8]) -> Option<Self> {
        let cutter = || Self::new(bytes).unwrap_or_else(Self::values);
        match cutter().next(bytes) {
            Found::Element(first) => is_object(&bytes[first]).then(cutter),
            _ => None,
        }
    }

    /// For a text of which only the beginning is here, if that is a whole object with something behind it: several
    /// values, one after the other.
    pub(super) fn several(bytes: &[u8]) -> Option<Self> {
        let Found::Element(first) = Self::values().next(bytes) else { return None };
        let has_more = begin(bytes, first.end) < bytes.len();
        (has_more && is_object(&bytes[first])).then(Self::values)
    }

    /// For the last line of a file, if that is an array, or an object that begins with an array `statuses`, which breaks
    /// off in or behind an object.
    ///
    /// Only what has parts once it is whole: who reads on behind a cursor counts what was given, and the rest of the line
    /// may have come by then.
    pub(super) fn of_broken(line: &[u8]) -> Option<Self> {
        if !may_have_parts(line) || !goes_on(line) {
            return None;
        }
        let mut cutter = Self::new(line)?;
        let has_object = match cutter.next(line) {
            Found::Element(first) => is_object(&line[first]),
            Found::Nothing => line[cutter.start()..].starts_with(b"{") && is_begun(line),
            Found::End(_) => false,
        };
        if has_object { Self::new(line) } else { None }
    }

    /// Whether a line opens an array and ends within one of its elements.
    pub(super) fn ends_within(line: &[u8]) -> bool {
        let Some(mut cutter) = Self::new(line) else { return false };
        while let Found::Element(_) = cutter.next(line) {}
        cutter.start() < line.len()
    }

    /// What became of a document whose end is not among the bytes that were all looked at; `None` if it lacks none.
    /// Values that follow each other need no end, but the open one does if it was begun well.
    pub(super) fn lacks_end(&self, is_begun: bool) -> Option<&'static str> {
        if !self.bare {
            return Some("what is whole of it was read");
        }
        (self.open.is_some() && is_begun).then_some("what stands before it was read")
    }

    pub(super) fn next(&mut self, bytes: &[u8]) -> Found {
        loop {
            if self.ended {
                return self.rest(bytes);
            }
            if let Some(value) = &mut self.open {
                let Some(length) = value.end(&bytes[self.at..]) else {
                    self.at = bytes.len();
                    return Found::Nothing;
                };
                self.at += length;
                self.open = None;
                let element = self.start..self.at;
                self.start = self.at;
                return Found::Element(element);
            }
            self.at = begin(bytes, self.at);
            self.start = self.at;
            match bytes.get(self.at) {
                None => return Found::Nothing,
                Some(b']') if !self.bare => {
                    self.at += 1;
                    self.ended = true;
                }
                Some(_) => self.open = Some(Value::default()),
            }
        }
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

    /// Bytes before this place will not be there again.
    pub(super) fn forget(&mut self, before: usize) {
        self.start -= before;
        self.at -= before;
    }

    /// No byte that was seen will be there again.
    pub(super) fn forget_all(&mut self) {
        (self.start, self.at) = (0, 0);
    }
}

fn is_object(bytes: &[u8]) -> bool {
    bytes.starts_with(b"{") && parts(bytes).is_some()
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

/// A value whose end is looked for.
#[derive(Clone, Copy, Debug, Default)]
struct Value {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// It is a number or a word, and ends before what separates values.
    is_bare: bool,
}

impl Value {
    /// The place past its end, if that is in these bytes, which follow those of the calls before.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.in_string {
                at = self.in_string(bytes, at)?;
                if !self.in_string && self.depth == 0 {
                    return Some(at);
                }
                continue;
            }
            match byte {
                b',' | b']' | b'}' if self.is_bare => return Some(at),
                _ if self.is_bare && byte.is_ascii_whitespace() => return Some(at),
                _ if self.is_bare => {}
                b'"' => self.in_string = true,
                b'[' | b'{' => self.depth += 1,
                b']' | b'}' if self.depth <= 1 => return Some(at + 1),
                b']' | b'}' => self.depth -= 1,
                _ => self.is_bare = self.depth == 0,
            }
            at += 1;
        }
        None
    }

    /// Goes on in a string, to the place past its end.
    fn in_string(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        if std::mem::take(&mut self.escaped) {
            at += 1;
        }
        loop {
            at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
            if bytes[at] == b'"' {
                self.in_string = false;
                return Some(at + 1);
            }
            if at + 1 == bytes.len() {
                self.escaped = true;
                return None;
            }
            at += 2;
        }
    }
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
                    match cutter.next(part) {
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
}
