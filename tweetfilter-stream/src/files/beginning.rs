//! What a file is whose first line opens a document that goes on: told as soon as it shows.

use super::document::{is_message, parts};
use super::elements::{Cutter, Found};

/// Looks at the lines of such a file as they come, at each once.
pub(super) struct Beginning {
    /// Looks for the end of the value that the first line opens, until that was found.
    first: Option<Cutter>,
    /// Where the line begins that is looked at next, and up to where its end was looked for.
    at: usize,
    searched: usize,
    /// The last byte before that line that is not white space.
    before: u8,
    /// Bytes of the longest element that can be cut out while a document is read.
    longest: usize,
    /// The first value is whole and has a longer element: it must be taken as a whole.
    is_long: bool,
}

/// What lines of which the first goes on are.
pub(super) enum Shape {
    /// More is to come before it shows.
    Unsure,
    /// Messages of which the first is broken.
    Lines,
    /// Documents of which the first is whole.
    Documents(Cutter),
}

impl Beginning {
    pub(super) fn new(longest: usize) -> Self {
        let first = Some(Cutter::values());
        Self { first, at: 0, searched: 0, before: b',', longest, is_long: false }
    }

    /// Looks at the lines that have come since; once all has come, at the last one even if it has no end.
    pub(super) fn look(&mut self, bytes: &[u8], ended: bool) -> Shape {
        while !self.is_long
            && let Some(end) = self.line_end(bytes, ended)
        {
            let line = bytes[self.at..end].trim_ascii();
            // In a document a value stands behind one of these.
            let may_be_inside = matches!(self.before, b'[' | b',' | b':');
            if !may_be_inside && is_message(line) {
                return Shape::Lines;
            }
            self.before = line.last().copied().unwrap_or(self.before);
            self.at = (end + 1).min(bytes.len());
            if let Some(cutter) = self.closed(&bytes[..end]) {
                return Shape::Documents(cutter);
            }
        }
        Shape::Unsure
    }

    fn line_end(&mut self, bytes: &[u8], ended: bool) -> Option<usize> {
        let found = memchr::memchr(b'\n', &bytes[self.searched..]).map(|n| self.searched + n);
        self.searched = found.map_or(bytes.len(), |end| end + 1);
        found.or_else(|| (ended && self.at < bytes.len()).then_some(bytes.len()))
    }

    /// What cuts the documents, if the first one ends in these bytes and is whole.
    fn closed(&mut self, bytes: &[u8]) -> Option<Cutter> {
        let Found::Element(first) = self.first.as_mut()?.next(bytes) else { return None };
        self.first = None;
        self.is_long = parts(&bytes[first])?.iter().any(|part| part.len() > self.longest);
        if self.is_long { None } else { Cutter::whole(bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Beginning, Shape};

    /// What it is, and how many bytes were there when it showed.
    fn shape(text: &str) -> (&'static str, usize) {
        let mut beginning = Beginning::new(100);
        for seen in 0..=text.len() {
            match beginning.look(&text.as_bytes()[..seen], false) {
                Shape::Unsure => {}
                Shape::Lines => return ("lines", seen),
                Shape::Documents(_) => return ("documents", seen),
            }
        }
        ("unsure", text.len())
    }

    #[test]
    fn messages_and_documents_are_told_as_soon_as_they_show() {
        for (text, rest, expected) in [
            ("{\"a\":\"sno\n{\"a\":1}\n", "{", "lines"),
            ("[{\"a\":1},{\"te\n[{\"a\":1}]\n", "[", "lines"),
            ("{\"a\":\"sno\n\n{\"b\n{\"a\":1}\r\n", "{", "lines"),
            // The first might stand in a document, but not the second.
            ("{\"a\":\n{}\n{}\n", "", "lines"),
            ("[1,\n{}\n\n{}\n", "", "lines"),
            ("{\n\"a\":1\n}\n", "{", "documents"),
            ("[\n{\"a\":1}\n]\n", "{}\n", "documents"),
            ("{\"statuses\":[\n{}\n]}\n", "", "documents"),
            ("{\"a\":\n{}\n}\n", "{}\n", "documents"),
        ] {
            assert_eq!(shape(&format!("{text}{rest}")), (expected, text.len()), "{text}");
        }
        for text in ["{\n", "[\n[{\"a\":1}],\n[{\"b\":2}]\n", "[\n{}\n,\n{}\n", "{\"a\":[\n{}\n", "[1,\n2]\n"]
        {
            assert_eq!(shape(text).0, "unsure", "{text}");
        }
        // A page that is longer than an element may be is taken as a whole, also if something follows.
        let page = format!("{{\n\"a\":\"{}\"\n}}\n{{}}\n", "x".repeat(200));
        assert_eq!(shape(&page).0, "unsure");
    }
}
