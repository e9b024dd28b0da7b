//! The end of a JSON value that comes in pieces.

use memchr::memchr2;

use super::work;

/// A value whose end is looked for. Only brackets and strings are looked at: what is in it may be no JSON.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Value {
    pub(super) depth: usize,
    pub(super) in_string: bool,
    escaped: bool,
    /// It is a number or a word, and ends before what separates values.
    is_bare: bool,
}

impl Value {
    /// What is left of a value in which one bracket is open.
    pub(super) fn opened() -> Self {
        Self { depth: 1, ..Self::default() }
    }

    /// The place past its end, if that is in these bytes, which follow those of the calls before.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        let end = self.go(bytes, &mut at);
        work::add(at);
        end
    }

    fn go(&mut self, bytes: &[u8], at: &mut usize) -> Option<usize> {
        while let Some(&byte) = bytes.get(*at) {
            if self.in_string {
                *at = self.string(bytes, *at);
                if !self.in_string && self.depth == 0 {
                    return Some(*at);
                }
                continue;
            }
            match byte {
                b',' | b']' | b'}' if self.is_bare => return Some(*at),
                _ if self.is_bare && byte.is_ascii_whitespace() => return Some(*at),
                _ if self.is_bare => {}
                b'"' => self.in_string = true,
                b'[' | b'{' => self.depth += 1,
                b']' | b'}' if self.depth <= 1 => {
                    *at += 1;
                    return Some(*at);
                }
                b']' | b'}' => self.depth -= 1,
                _ => self.is_bare = self.depth == 0,
            }
            *at += 1;
        }
        None
    }

    /// Goes on in a string: past its end, or to the end of the bytes.
    pub(super) fn string(&mut self, bytes: &[u8], mut at: usize) -> usize {
        if std::mem::take(&mut self.escaped) {
            at += 1;
        }
        while let Some(found) = memchr2(b'"', b'\\', &bytes[at..]) {
            at += found;
            if bytes[at] == b'"' {
                self.in_string = false;
                return at + 1;
            }
            if at + 1 == bytes.len() {
                self.escaped = true;
                return at + 1;
            }
            at += 2;
        }
        bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn the_end_is_found_wherever_the_pieces_end() {
        for (text, end) in [
            ("{\"a\":\"]\\\"}\"} ", Some(12)),
            ("[1,[2]]x", Some(7)),
            ("\"x\\\\\"y", Some(5)),
            ("null,", Some(4)),
            ("-7 ", Some(2)),
            ("{\"a\":[}", None),
            ("7", None),
        ] {
            for cut in 0..text.len() {
                let mut value = Value::default();
                let (first, second) = text.as_bytes().split_at(cut);
                let found = value.end(first).or_else(|| value.end(second).map(|end| end + cut));
                assert_eq!(found, end, "{text} cut at {cut}");
            }
        }
    }
}
