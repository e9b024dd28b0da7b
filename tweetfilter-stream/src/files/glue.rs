//! Where one document follows another in the same line.

use wide::u8x16;

use super::split::MARK;
use super::value::Value;
use super::work;

/// Bytes before a document that are none of it: white space, and the mark that another file began with which was added
/// to this one.
pub(super) fn before(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += bytes[at..].len() - bytes[at..].trim_ascii_start().len();
        match bytes[at..].starts_with(MARK) {
            true => at += MARK.len(),
            false => break,
        }
    }
    work::add(at);
    at
}

/// Whether an object may end in a line and another value begin, with nothing but blanks and marks between them. In JSON that is so in
/// strings alone.
pub(super) fn may_be_glued(line: &[u8]) -> bool {
    let mut at = 0;
    while let Some(close) = odd(line, at) {
        at = close + 1;
        if matches!(line.get(at + before(&line[at..])), Some(b'[' | b'{')) {
            return true;
        }
    }
    false
}

/// The first brace that closes, at or behind a place, and has a byte behind it that follows none between values: neither a
/// comma nor another bracket that closes.
fn odd(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    // Most lines have none.
    while let Some((here, _)) = bytes[at..].split_first_chunk::<65>()
        && !has_odd(here)
    {
        at += 64;
    }
    // What is left, with what was looked at before it.
    if at > from
        && let Some((_, last)) = bytes.split_last_chunk::<65>()
        && bytes.len() - at < 65
        && !has_odd(last)
    {
        at = bytes.len();
    }
    let mut ends = bytes[at..].iter().zip(bytes.iter().skip(at + 1));
    let found = ends.position(|(here, next)| *here == b'}' && !matches!(next, b',' | b'}' | b']'));
    let found = found.map(|n| at + n);
    work::add(found.unwrap_or(bytes.len()) - from);
    found
}

/// Whether there is one among the first 64 bytes.
fn has_odd(bytes: &[u8; 65]) -> bool {
    let at = |place: usize| {
        let mut vector = [0; 16];
        vector.copy_from_slice(&bytes[place..place + 16]);
        u8x16::from(vector)
    };
    let of = |place: usize| {
        let (here, next) = (at(place), at(place + 1));
        // This bit makes one closing bracket of the other.
        let is_close = (next | u8x16::splat(0x20)).simd_eq(u8x16::splat(b'}'));
        here.simd_eq(u8x16::splat(b'}')) & !(is_close | next.simd_eq(u8x16::splat(b',')))
    };
    (of(0) | of(16) | of(32) | of(48)).to_bitmask() != 0
}

/// Looks, while a line comes, whether a document follows in it behind its first; at each byte twice at most.
#[derive(Debug, Default)]
pub(super) struct Follow {
    stage: Stage,
    /// Up to where it was looked at.
    at: usize,
}

#[derive(Debug, Default)]
enum Stage {
    /// Nothing but white space and marks came.
    #[default]
    Blank,
    /// An object began at a place, and nothing like its end came.
    Object(usize),
    /// The end of the first document is looked for.
    Open(Value),
    /// It ends before a place, and only white space and marks came behind it.
    Closed(usize),
    /// Nothing follows it.
    Alone,
}

impl Follow {
    /// Of a line that is no document, or behind the first document of which none follows.
    pub(super) fn none() -> Self {
        Self { stage: Stage::Alone, at: 0 }
    }

    /// Looks at the line, of which so much is there by now: the place past its first document, and that at which the next
    /// one begins.
    pub(super) fn next(&mut self, line: &[u8]) -> Option<(usize, usize)> {
        loop {
            match &mut self.stage {
                Stage::Blank | Stage::Closed(_) => {
                    self.at += before(&line[self.at..]);
                    let first = line.get(self.at).filter(|_| !MARK.starts_with(&line[self.at..]))?;
                    self.stage = match (&self.stage, first) {
                        (Stage::Closed(close), b'[' | b'{') => return Some((*close, self.at)),
                        (Stage::Blank, b'{') => Stage::Object(self.at),
                        (Stage::Blank, b'[') => Stage::Open(Value::default()),
                        _ => Stage::Alone,
                    };
                }
                Stage::Object(begin) => {
                    if odd(line, self.at).is_none() {
                        // What follows the last byte was not seen.
                        self.at = line.len() - usize::from(line.ends_with(b"}"));
                        return None;
                    }
                    (self.at, self.stage) = (*begin, Stage::Open(Value::default()));
                }
                Stage::Open(value) => {
                    let Some(length) = value.end(&line[self.at..]) else {
                        self.at = line.len();
                        return None;
                    };
                    self.at += length;
                    self.stage = Stage::Closed(self.at);
                }
                Stage::Alone => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Follow, may_be_glued};

    #[test]
    fn what_may_be_glued_is_found_wherever_it_stands() {
        for length in 0..200 {
            let (before, behind) = ("},".repeat(length), "}]".repeat(length));
            for (glued, expected) in [
                ("}{", true),
                ("}[", true),
                ("} \t{", true),
                ("}\r[", true),
                ("}\u{feff} {", true),
                ("}\u{feff}x", false),
                ("},{", false),
                ("}]", false),
                ("} ", false),
                ("}\r", false),
                ("}x{", false),
                ("", false),
            ] {
                let line = format!("{before}{glued}{behind}");
                assert_eq!(may_be_glued(line.as_bytes()), expected, "{line}");
                if length > 0 {
                    assert_eq!(may_be_glued(format!("{line}{{").as_bytes()), expected, "{line}");
                }
            }
        }
    }

    #[test]
    fn a_document_that_follows_shows_once_it_begins() {
        for (line, expected) in [
            ("{\"a\":1}{", Some((7, 7))),
            (" {\"a\":\"}{\"} \t[", Some((11, 13))),
            ("[{}] [", Some((4, 5))),
            ("\u{feff}{} \u{feff}{", Some((5, 9))),
            ("{}\u{feff}x{}{}", None),
            ("{\"a\":\"} {\"}", None),
            ("{\"a\":1}x{\"b\":2}{", None),
            ("snow{}{}", None),
            ("7 {}{}", None),
        ] {
            for step in 1..=line.len() {
                let (mut follow, mut seen) = (Follow::default(), 0);
                let found = loop {
                    seen = (seen + step).min(line.len());
                    let found = follow.next(&line.as_bytes()[..seen]);
                    if found.is_some() || seen == line.len() {
                        break found;
                    }
                };
                assert_eq!(found, expected, "{step}: {line}");
            }
        }
    }
}
