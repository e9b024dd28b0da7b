//! The reader, as serde's deserializer.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::escapes::{check, decode};
use super::scan::{container_end, ends_scalar, quote_or_backslash, string_end};

/// Why a text is not one JSON value, and from which byte on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Error {
    at: usize,
    what: Cow<'static, str>,
}

impl Error {
    /// Of a string that was cut out of its text.
    #[cold]
    pub(super) fn in_string(what: &'static str) -> Self {
        Self { at: 0, what: Cow::Borrowed(what) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { at: 0, what: Cow::Owned(message.to_string()) }
    }
}

/// The name of a newtype that takes strings with their escapes, to decode them later or never.
pub(crate) const RAW: &str = "tweetfilter::raw";

/// The name of a newtype that takes nothing of strings: they are only sound.
pub(crate) const CHECKED: &str = "tweetfilter::checked";

pub(super) type Result<T> = std::result::Result<T, Error>;

/// Reads one JSON text from front to back.
pub(crate) struct Reader<'de> {
    text: &'de str,
    at: usize,
}

impl<'de> Reader<'de> {
    pub(crate) fn new(text: &'de str) -> Self {
        Self { text, at: 0 }
    }

    /// That nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error("more after the value")),
        }
    }

    #[cold]
    pub(super) fn error(&self, what: &'static str) -> Error {
        Error { at: self.at, what: Cow::Borrowed(what) }
    }

    /// The next byte that is not white space.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                &byte => return Some(byte),
            }
        }
    }

    /// Where the next byte to read stands.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// Reads past a byte that was peeked at.
    pub(super) fn bump(&mut self) {
        self.at += 1;
    }

    /// Reads past one value.
    #[inline]
    pub(super) fn skip(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        match self.peek() {
            Some(b'"') => match string_end(bytes, self.at + 1) {
                Some((end, _)) => self.at = end + 1,
                None => return Err(self.error("a string without end")),
            },
            Some(opening @ (b'{' | b'[')) => match container_end(bytes, opening, self.at + 1) {
                Some(end) => self.at = end,
                None => return Err(self.error("a bracket without its end")),
            },
            Some(b't' | b'f' | b'n' | b'-' | b'0'..=b'9') => {
                // Most are one of these, of which no letter ends a value.
                if let Some(b"null" | b"true" | b"fals") = bytes.get(self.at..self.at + 4) {
                    self.at += 4;
                }
                while bytes.get(self.at).is_some_and(|&b| !ends_scalar(b)) {
                    self.at += 1;
                }
            }
            Some(_) => return Err(self.error("a value was expected")),
            None => return Err(self.error("the text ends early")),
        }
        Ok(())
    }

    /// A string whose opening quote was peeked at.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'de, str>> {
        let start = self.at + 1;
        match string_end(self.text.as_bytes(), start) {
            Some((end, escapes)) => {
                let raw = &self.text[start..end];
                let string = if escapes { Cow::Owned(decode(raw)?) } else { Cow::Borrowed(raw) };
                self.at = end + 1;
                Ok(string)
            }
            None => Err(self.error("a string without end")),
        }
    }

    #[inline]
    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let (mut whole, mut at) = (0_u64, start);
        while let Some(digit) = bytes.get(at).map(|b| b.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            whole = whole.wrapping_mul(10).wrapping_add(u64::from(digit));
            at += 1;
        }
        // Nineteen digits can't overflow.
        if (1..=19).contains(&(at - start)) && bytes.get(at).is_none_or(|&b| ends_scalar(b)) {
            self.at = at;
            return visitor.visit_u64(whole);
        }
        self.odd_number(visitor)
    }

    /// A number with a sign, a fraction, an exponent, or many digits; of too many for a `u64`, which only ids have, the
    /// digits are given as bytes.
    #[cold]
    fn odd_number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        while bytes.get(self.at).is_some_and(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
        {
            self.at += 1;
        }
        let raw = &self.text[start..self.at];
        if bytes.get(self.at).is_none_or(|&b| ends_scalar(b)) {
            if let Ok(whole) = raw.parse::<u64>() {
                return visitor.visit_u64(whole);
            }
            if let Ok(negative) = raw.parse::<i64>() {
                return visitor.visit_i64(negative);
            }
            if raw.bytes().all(|b| b.is_ascii_digit()) {
                return visitor.visit_borrowed_bytes(raw.as_bytes());
            }
            if let Ok(real) = raw.parse::<f64>() {
                return visitor.visit_f64(real);
            }
        }
        Err(self.error("not a number"))
    }

    fn literal(&mut self, word: &'static str) -> Result<()> {
        let bytes = self.text.as_bytes();
        let after = self.at + word.len();
        if bytes[self.at..].starts_with(word.as_bytes()) && bytes.get(after).is_none_or(|&b| ends_scalar(b)) {
            self.at = after;
            return Ok(());
        }
        Err(self.error("not a value"))
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.peek() {
            Some(b'"') => match self.string()? {
                Cow::Borrowed(string) => visitor.visit_borrowed_str(string),
                Cow::Owned(string) => visitor.visit_string(string),
            },
            Some(b'{') => {
                self.bump();
                visitor.visit_map(Items { reader: self, first: true })
            }
            Some(b'[') => {
                self.bump();
                visitor.visit_seq(Items { reader: self, first: true })
            }
            Some(b'n') => self.literal("null").and_then(|()| visitor.visit_unit()),
            Some(b't') => self.literal("true").and_then(|()| visitor.visit_bool(true)),
            Some(b'f') => self.literal("false").and_then(|()| visitor.visit_bool(false)),
            Some(b'-' | b'0'..=b'9') => self.number(visitor),
            Some(_) => Err(self.error("a value was expected")),
            None => Err(self.error("the text ends early")),
        }
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.skip()?;
        visitor.visit_unit()
    }

    /// Under the name [`RAW`], a string is given as it stands between its quotes, as bytes; under [`CHECKED`], nothing.
    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        if !matches!(name, RAW | CHECKED) || self.peek() != Some(b'"') {
            return visitor.visit_newtype_struct(self);
        }
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let Some((end, escapes)) = string_end(bytes, start) else {
            return Err(self.error("a string without end"));
        };
        self.at = end + 1;
        if name == RAW {
            return visitor.visit_borrowed_bytes(&bytes[start..end]);
        }
        if escapes {
            check(&bytes[start..end])?;
        }
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct enum identifier
    }
}

/// What stands between two brackets.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    first: bool,
}

impl<'de> Items<'_, 'de> {
    /// Goes to the next item, or past the closing bracket.
    #[inline]
    fn advance(&mut self, close: u8) -> Result<bool> {
        let first = std::mem::replace(&mut self.first, false);
        match self.reader.peek() {
            Some(byte) if byte == close => {
                self.reader.bump();
                Ok(false)
            }
            Some(_) if first => Ok(true),
            Some(b',') => {
                self.reader.bump();
                Ok(true)
            }
            Some(_) => Err(self.reader.error("a comma was expected")),
            None => Err(self.reader.error("the text ends early")),
        }
    }

    /// The next key, read with its colon, if it stands there as networks write it: without white space around it and
    /// escapes in it. Else nothing is read.
    #[inline(always)]
    fn plain_key(&mut self) -> Option<&'de str> {
        let text = self.reader.text;
        let bytes = text.as_bytes();
        let start = match bytes.get(self.reader.at..)? {
            [b',', b'"', ..] if !self.first => self.reader.at + 2,
            [b'"', ..] if self.first => self.reader.at + 1,
            _ => return None,
        };
        let end = quote_or_backslash(bytes, start)?;
        let [b'"', b':', ..] = bytes[end..] else { return None };
        let key = text.get(start..end)?;
        self.first = false;
        self.reader.at = end + 2;
        Some(key)
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.advance(b']')? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    #[inline(always)]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        match self.plain_key() {
            Some(key) => seed.deserialize(de::value::BorrowedStrDeserializer::new(key)).map(Some),
            None => self.odd_key(seed),
        }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(&mut *self.reader)
    }
}

impl<'de> Items<'_, 'de> {
    /// The next key, however it is written.
    #[inline(never)]
    fn odd_key<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if !self.advance(b'}')? {
            return Ok(None);
        }
        if self.reader.peek() != Some(b'"') {
            return Err(self.reader.error("a key was expected"));
        }
        let key = match self.reader.string()? {
            Cow::Borrowed(key) => seed.deserialize(de::value::BorrowedStrDeserializer::new(key))?,
            Cow::Owned(key) => seed.deserialize(de::value::StringDeserializer::new(key))?,
        };
        match self.reader.peek() {
            Some(b':') => self.reader.bump(),
            _ => return Err(self.reader.error("a colon was expected")),
        }
        Ok(Some(key))
    }
}
