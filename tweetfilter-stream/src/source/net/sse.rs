//! Server-sent events, as the standard of HTML has them, made into lines.

use serde::Serialize;

use super::frame::{Frames, Framing};
use crate::source::{Line, Lines};

/// Takes events apart; each becomes `{"event":…,"payload":"…","server":…}`, a comment a blank line.
#[derive(Debug)]
pub(super) struct Events {
    frames: Frames,
    /// The bytes that came last end with a `\r`: a `\n` behind it is of the same line end.
    after_cr: bool,
    /// Nothing was taken yet: a byte order mark may come.
    is_first: bool,
    longest: usize,
    server: String,
    kind: String,
    data: Option<String>,
    /// The event is too long, or not text, and was given as such.
    passing: bool,
}

#[derive(Serialize)]
struct Out<'e> {
    event: &'e str,
    payload: &'e str,
    server: &'e str,
}

impl Events {
    /// Events of a server, of so many bytes at most.
    pub(super) fn new(server: &str, longest: usize) -> Self {
        let frames = Frames::new(Framing::Newline, longest);
        let server = server.to_owned();
        Self {
            frames,
            after_cr: false,
            is_first: true,
            longest,
            server,
            kind: String::new(),
            data: None,
            passing: false,
        }
    }

    /// Adds the events that end in these bytes.
    pub(super) fn take(&mut self, bytes: &[u8], lines: &mut Lines) {
        let mut fields = Lines::default();
        // A line ends with `\n`, `\r\n` or `\r`, and what ends with it is there at once.
        for (n, part) in bytes.split_inclusive(|byte| *byte == b'\r').enumerate() {
            let follows = n > 0 || self.after_cr;
            let part = if follows { part.strip_prefix(b"\n").unwrap_or(part) } else { part };
            match part.strip_suffix(b"\r") {
                Some(line) => {
                    self.frames.take(line, &mut fields);
                    self.frames.take(b"\n", &mut fields);
                }
                None => self.frames.take(part, &mut fields),
            }
        }
        self.after_cr = if bytes.is_empty() { self.after_cr } else { bytes.ends_with(b"\r") };
        for field in fields.iter() {
            self.field(field, lines);
        }
    }

    /// Gives the event that was begun, to be counted: nothing more comes, and it may not be whole. Whether there is one.
    pub(super) fn finish(&mut self, lines: &mut Lines) -> bool {
        let mut rest = Lines::default();
        let is_cut = self.frames.finish(&mut rest);
        let is_begun = is_cut || self.passing || self.data.is_some() || !self.kind.is_empty();
        // Of what is too long it was said already.
        if is_begun && !self.passing {
            let begun = format!("event: {}", self.kind);
            lines.push(rest.iter().next().map_or(begun.as_bytes(), |field| field.bytes), b"");
        }
        self.forget(false);
        is_begun
    }

    fn field(&mut self, mut field: Line<'_>, lines: &mut Lines) {
        if std::mem::take(&mut self.is_first) {
            field.bytes = field.bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(field.bytes);
        }
        if field.bytes.is_empty() {
            return self.end(lines);
        }
        if self.passing {
            return;
        }
        if field.too_long {
            return self.pass(field.bytes, lines);
        }
        let colon = memchr::memchr(b':', field.bytes).unwrap_or(field.bytes.len());
        let (name, value) = (&field.bytes[..colon], field.bytes.get(colon + 1..).unwrap_or_default());
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match (name, str::from_utf8(value)) {
            (b"", _) => lines.push(b"", field.ending),
            (b"event", Ok(value)) => value.clone_into(&mut self.kind),
            (b"data", Ok(value)) => {
                let size = self.data.as_ref().map_or(0, |data| data.len() + 1) + value.len();
                if size > self.longest {
                    return self.pass(field.bytes, lines);
                }
                match &mut self.data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                    None => self.data = Some(value.to_owned()),
                }
            }
            (b"event" | b"data", Err(_)) => {
                // Given as it is: whoever decodes it counts it.
                self.forget(true);
                lines.push(field.bytes, field.ending);
            }
            _ => {}
        }
    }

    fn end(&mut self, lines: &mut Lines) {
        let begun = self.data.is_some() || !self.kind.is_empty();
        if begun && !self.passing {
            let event = if self.kind.is_empty() { "message" } else { &self.kind };
            let payload = self.data.as_deref().unwrap_or_default();
            let out = Out { event, payload, server: &self.server };
            // Texts are always JSON.
            lines.push(&serde_json::to_vec(&out).unwrap_or_default(), b"\n");
        }
        self.forget(false);
    }

    /// Gives the event as too long, and passes over what is left of it.
    fn pass(&mut self, beginning: &[u8], lines: &mut Lines) {
        self.forget(true);
        lines.push_too_long(beginning);
    }

    fn forget(&mut self, passing: bool) {
        (self.kind, self.data, self.passing) = (String::new(), None, passing);
    }
}

#[cfg(test)]
mod tests {
    use super::Events;
    use crate::source::Lines;

    fn cut(pieces: &[&[u8]]) -> Vec<String> {
        let (mut events, mut lines) = (Events::new("m.example", 40), Lines::default());
        pieces.iter().for_each(|piece| events.take(piece, &mut lines));
        let shown = |line: crate::source::Line<'_>| match line.too_long {
            true => "…".to_owned(),
            false => String::from_utf8_lossy(line.bytes).into_owned(),
        };
        lines.iter().map(shown).collect()
    }

    fn line(event: &str, payload: &str) -> String {
        format!(r#"{{"event":"{event}","payload":"{payload}","server":"m.example"}}"#)
    }

    #[test]
    fn events_become_lines_wherever_the_bytes_are_parted() {
        let bytes = b":)\n\nevent: update\ndata: {\"id\":\"\xc3\xa9\"}\n\n:thump\nevent:delete\r\ndata:17\r\n\r\nid: 3\nretry: 5\n\ndata: a\ndata: b\n\nevent: x\n\nevent: half\ndata: 7\n";
        let expected = [
            String::new(),
            line("update", r#"{\"id\":\"é\"}"#),
            String::new(),
            line("delete", "17"),
            line("message", r"a\nb"),
            line("x", ""),
        ];
        for at in 0..=bytes.len() {
            assert_eq!(cut(&[&bytes[..at], &bytes[at..]]), expected, "parted at {at}");
        }
    }

    #[test]
    fn lines_end_in_each_of_three_ways_wherever_the_bytes_are_parted() {
        let expected = [line("update", r"1\n\n2"), String::new(), line("message", "3"), line("x", "4")];
        let mixed = "\u{feff}event: update\rdata:1\r\ndata\ndata: 2\r\r\n:thump\rdata: 3\n\r\n\n\revent:x\r\ndata:4\r\r";
        for at in 0..=mixed.len() {
            let (first, rest) = mixed.as_bytes().split_at(at);
            assert_eq!(cut(&[first, b"", rest]), expected, "parted at {at}");
        }
        let each: Vec<_> = mixed.as_bytes().chunks(1).collect();
        assert_eq!(cut(&each), expected);
        // What ends with a `\r` does not wait for what comes next.
        assert_eq!(cut(&[b"data: 1\r\r"]), [line("message", "1")]);
        // A mark in the midst is no mark.
        let marked = "data: 1\n\n\u{feff}data: 2\n\n";
        assert_eq!(cut(&[marked.as_bytes()]), [line("message", "1")]);
    }

    #[test]
    fn an_event_that_breaks_off_is_given_to_be_counted() {
        let rest = |bytes: &[u8]| {
            let (mut events, mut lines) = (Events::new("m.example", 40), Lines::default());
            events.take(bytes, &mut lines);
            let before = lines.len();
            (events.finish(&mut lines), lines.len() - before)
        };
        for whole in [&b""[..], b"data: 1\n\n", b":thump\n", b"data: 1\n\n\r"] {
            assert_eq!(rest(whole), (false, 0), "{}", whole.escape_ascii());
        }
        for half in [&b"data: 1\n"[..], b"event: update\n", b"data: 1", b"event: up", b"data: 1\n\ndata: 2\r"]
        {
            assert_eq!(rest(half), (true, 1), "{}", half.escape_ascii());
        }
        let long = format!("data: {}", "x".repeat(90));
        assert_eq!(rest(long.as_bytes()), (true, 0), "it was given as too long");
    }

    #[test]
    fn what_is_too_long_or_no_text_is_given_once() {
        let many = "data: 123456789\n".repeat(9);
        assert_eq!(cut(&[many.as_bytes(), b"\ndata: 1\n\n"]), ["…", &line("message", "1")]);
        let long = format!("event: update\ndata: {}\ndata: x\n\ndata: 1\n\n", "x".repeat(90));
        assert_eq!(cut(&[long.as_bytes()]), ["…", &line("message", "1")]);
        assert_eq!(
            cut(&[b"event: a\ndata: \xff\ndata: 2\n\ndata: 1\n\n"]),
            ["data: \u{fffd}", &line("message", "1")]
        );
    }
}
