//! Cutting what arrives into lines.

use crate::source::Lines;

/// How messages are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Each ends with its line.
    #[default]
    Newline,
    /// Each comes after a line with its number of bytes (`delimited=length`).
    Length,
}

/// Cuts bytes, in whatever pieces they come, into lines of at most so many bytes.
#[derive(Debug)]
pub(super) struct Frames {
    framing: Framing,
    longest: usize,
    /// The beginning of a line whose end was not received yet.
    tail: Vec<u8>,
    /// What of the line that is being received is too long to be kept is passed over.
    passing: bool,
    /// Bytes of a counted message that are to come.
    left: Option<u64>,
}

impl Frames {
    pub(super) fn new(framing: Framing, longest: usize) -> Self {
        Self { framing, longest, tail: Vec::new(), passing: false, left: None }
    }

    /// Adds the lines that end in these bytes.
    pub(super) fn take(&mut self, mut bytes: &[u8], lines: &mut Lines) {
        while !bytes.is_empty() {
            bytes = match self.left {
                Some(left) => self.counted(bytes, left, lines),
                None => self.line(bytes, lines),
            };
        }
    }

    /// Gives what was received behind the last line end: nothing more comes. Whether that is something.
    pub(super) fn finish(&mut self, lines: &mut Lines) -> bool {
        let rest = std::mem::take(&mut self.tail);
        let is_length = self.framing == Framing::Length && self.left.is_none() && length(&rest).is_some();
        let is_something = !is_length && !rest.trim_ascii().is_empty();
        if is_something {
            lines.push(&rest, b"");
        }
        // Of what is too long it was said already.
        is_something || std::mem::take(&mut self.passing)
    }

    /// Takes up to the end of a line.
    fn line<'b>(&mut self, bytes: &'b [u8], lines: &mut Lines) -> &'b [u8] {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            self.keep(bytes, lines);
            return &[];
        };
        let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
        self.keep(line, lines);
        if !std::mem::take(&mut self.passing) {
            self.end(lines);
        }
        self.tail.clear();
        rest
    }

    /// Keeps a part of a line; says once that it is too long.
    fn keep(&mut self, part: &[u8], lines: &mut Lines) {
        if self.passing {
            return;
        }
        let room = (self.longest + 1).saturating_sub(self.tail.len());
        if part.len() <= room {
            self.tail.extend_from_slice(part);
        }
        // One byte more may be the `\r` of its end.
        if part.len() > room || (self.tail.len() > self.longest && !self.tail.ends_with(b"\r")) {
            self.tail.extend_from_slice(&part[..part.len().min(room)]);
            lines.push_too_long(&self.tail);
            self.tail = Vec::new();
            self.passing = true;
        }
    }

    /// Gives the line that was kept.
    fn end(&mut self, lines: &mut Lines) {
        let (line, ending) = match self.tail.strip_suffix(b"\r") {
            Some(line) => (line, &b"\r\n"[..]),
            None => (&self.tail[..], &b"\n"[..]),
        };
        if self.framing == Framing::Length
            && let Some(length) = length(line)
        {
            self.left = Some(length).filter(|length| *length > 0);
            return;
        }
        lines.push(line, ending);
    }

    /// Takes bytes of a message whose length is known.
    fn counted<'b>(&mut self, bytes: &'b [u8], left: u64, lines: &mut Lines) -> &'b [u8] {
        let taken = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let (part, rest) = bytes.split_at(taken);
        if !self.passing && self.tail.len() + part.len() > self.longest + 2 {
            lines.push_too_long(if self.tail.is_empty() { part } else { &self.tail });
            self.tail = Vec::new();
            self.passing = true;
        }
        if !self.passing {
            self.tail.extend_from_slice(part);
        }
        self.left = Some(left - taken as u64).filter(|left| *left > 0);
        if self.left.is_none() {
            if !std::mem::take(&mut self.passing) {
                let line = self.tail.strip_suffix(b"\n").unwrap_or(&self.tail);
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                lines.push(line, &self.tail[line.len()..]);
            }
            self.tail.clear();
        }
        rest
    }
}

/// The number that a line consists of.
fn length(line: &[u8]) -> Option<u64> {
    let digits = line.trim_ascii();
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    // A number beyond belief is never reached, and the silence ends the connection.
    all.then(|| str::from_utf8(digits).ok()?.parse().ok().or(Some(u64::MAX)))?
}

#[cfg(test)]
mod tests {
    use super::{Frames, Framing};
    use crate::source::Lines;

    fn cut(framing: Framing, pieces: &[&[u8]]) -> Vec<String> {
        let (mut frames, mut lines) = (Frames::new(framing, 8), Lines::default());
        pieces.iter().for_each(|piece| frames.take(piece, &mut lines));
        let shown = |line: crate::source::Line<'_>| {
            let mark = if line.too_long { "…" } else { "" };
            format!("{}{mark}{}", String::from_utf8_lossy(line.bytes), line.ending.escape_ascii())
        };
        lines.iter().map(shown).collect()
    }

    /// Wherever the bytes are parted, the same lines come; but of those that are too long another beginning may.
    fn expect(framing: Framing, bytes: &[u8], expected: &[&str]) {
        let whole = cut(framing, &[bytes]);
        assert_eq!(whole, expected, "{}", bytes.escape_ascii());
        let ends = |lines: &[String]| {
            lines.iter().map(|l| if l.contains('…') { "…".into() } else { l.clone() }).collect::<Vec<_>>()
        };
        for at in 0..=bytes.len() {
            for to in at..=bytes.len() {
                let parted = cut(framing, &[&bytes[..at], &bytes[at..to], &bytes[to..]]);
                assert_eq!(ends(&parted), ends(&whole), "{} parted at {at} and {to}", bytes.escape_ascii());
            }
        }
    }

    #[test]
    fn lines_are_cut_at_their_ends_wherever_the_bytes_are_parted() {
        let newline = Framing::Newline;
        expect(
            newline,
            b"{1}\r\n\r\n{2}\n\n{\xff}\r\nhalf",
            &["{1}\\r\\n", "\\r\\n", "{2}\\n", "\\n", "{\u{fffd}}\\r\\n"],
        );
        expect(newline, b"12345678\r\n12345678\n1\r2\r\n", &["12345678\\r\\n", "12345678\\n", "1\r2\\r\\n"]);
        expect(newline, b"123456789\r\n1234567890123\n7\n", &["123456789…", "123456789…", "7\\n"]);
        expect(newline, b"12345678\r9\n1\n", &["12345678\r…", "1\\n"]);
    }

    #[test]
    fn counted_messages_are_cut_by_their_length_wherever_the_bytes_are_parted() {
        let length = Framing::Length;
        expect(
            length,
            b"5\r\n{1}\r\n\r\n6\r\n{\n2}\r\n\r\n",
            &["{1}\\r\\n", "\\r\\n", "{\n2}\\r\\n", "\\r\\n"],
        );
        expect(length, b"3\r\n{1}3\n{2}0\r\n\r\n4\r\n{", &["{1}", "{2}", "\\r\\n"]);
        expect(length, b"12\r\n{34567890}\r\n4\r\n{}\r\n", &["{34567890}\r\n…", "{}\\r\\n"]);
        // What is no length is a line.
        expect(length, b"what\r\n4\r\n{}\r\n", &["what\\r\\n", "{}\\r\\n"]);
        expect(length, b"99999999999999999999999\r\n", &["999999999…"]);
    }

    #[test]
    fn what_has_no_end_is_given_at_the_end_and_nothing_else() {
        let rest = |framing, bytes: &[u8]| {
            let (mut frames, mut lines) = (Frames::new(framing, 8), Lines::default());
            frames.take(bytes, &mut lines);
            let before = lines.len();
            let is_something = frames.finish(&mut lines);
            let all = lines.iter().skip(before).map(|line| String::from_utf8_lossy(line.bytes).into_owned());
            (is_something, all.collect::<Vec<_>>())
        };
        let (newline, length) = (Framing::Newline, Framing::Length);
        for (framing, bytes, expected) in [
            (newline, &b"{1}\n{2}"[..], Some("{2}")),
            (newline, b"{1}\n{2", Some("{2")),
            (newline, b"{1}\n", None),
            (newline, b"{1}\n \r", None),
            (newline, b"", None),
            (newline, b"17", Some("17")),
            (length, b"4\r\n{}\r\n17", None),
            (length, b"4\r\n{}", Some("{}")),
            (length, b"4\r\n", None),
        ] {
            let given: Vec<_> = expected.map(str::to_owned).into_iter().collect();
            assert_eq!(rest(framing, bytes), (expected.is_some(), given), "{}", bytes.escape_ascii());
        }
        assert_eq!(rest(newline, b"{1}\n1234567890"), (true, vec![]), "it was given as too long");
    }

    #[test]
    fn a_line_that_never_ends_takes_no_memory() {
        for framing in [Framing::Newline, Framing::Length] {
            let (mut frames, mut lines) = (Frames::new(framing, 1000), Lines::default());
            frames.take(b"18446744073709551615\r\n", &mut lines);
            for _ in 0..10_000 {
                frames.take(&[b'x'; 997], &mut lines);
                assert!(frames.tail.capacity() <= 4096);
            }
            assert_eq!(lines.iter().filter(|line| line.too_long).count(), 1);
            assert!(lines.size() < 1000);
        }
    }
}
