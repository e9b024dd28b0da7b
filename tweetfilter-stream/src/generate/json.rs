//! Writes JSON as the old streaming API wrote it: pure ASCII, `\uXXXX`, `\/`.

/// A line under construction.
#[derive(Debug, Default)]
pub(super) struct Json(String);

impl Json {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    /// As it is.
    pub(super) fn raw(&mut self, json: &str) -> &mut Self {
        self.0.push_str(json);
        self
    }

    /// A string with its quotes.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.0.push('"');
        self.escaped(text);
        self.0.push('"');
        self
    }

    /// The inside of a string.
    pub(super) fn escaped(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match c {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '/' => self.0.push_str("\\/"),
                '\n' => self.0.push_str("\\n"),
                '<' => self.0.push_str("\\u003c"),
                '>' => self.0.push_str("\\u003e"),
                ' '..='~' => self.0.push(c),
                _ => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        self.0.push_str("\\u");
                        self.digits(u32::from(*unit), 4, b"0123456789abcdef");
                    }
                }
            }
        }
        self
    }

    /// A string or `null`.
    pub(super) fn optional(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.raw("null"),
        }
    }

    pub(super) fn number(&mut self, number: impl Into<u64>) -> &mut Self {
        let mut number = number.into();
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.0.extend(digits[at..].iter().map(|&d| char::from(d)));
        self
    }

    pub(super) fn flag(&mut self, flag: bool) -> &mut Self {
        self.raw(if flag { "true" } else { "false" })
    }

    pub(super) fn hex(&mut self, number: u32, width: u32) -> &mut Self {
        self.digits(number, width, b"0123456789ABCDEF");
        self
    }

    /// Letters and digits that a number stands for, as in a shortened link.
    pub(super) fn slug(&mut self, number: u64, length: u32) -> &mut Self {
        slug(number, length, &mut self.0);
        self
    }

    /// The array `indices`.
    pub(super) fn indices(&mut self, (start, end): (u32, u32)) -> &mut Self {
        self.raw("\"indices\":[").number(start).raw(",").number(end).raw("]")
    }

    fn digits(&mut self, number: u32, width: u32, digits: &[u8; 16]) {
        for place in (0..width).rev() {
            self.0.push(char::from(digits[(number >> (4 * place) & 15) as usize]));
        }
    }
}

/// Adds the letters and digits that a number stands for.
pub(super) fn slug(number: u64, length: u32, out: &mut String) {
    let digits = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut rest = number;
    for _ in 0..length {
        out.push(char::from(digits[(rest % 62) as usize]));
        rest /= 62;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_as_the_wire_does() {
        let mut json = Json::default();
        json.text("a/<é\n\"\\😀").number(120_u32).hex(0xAB, 6);
        assert_eq!(json.finish(), r#""a\/\u003c\u00e9\n\"\\\ud83d\ude00"1200000AB"#);
    }
}
