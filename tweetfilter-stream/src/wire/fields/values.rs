//! Single values.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Visitor};

use super::ScalarSeed;
use crate::json;

/// A scalar value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) enum Scalar<'de> {
    /// Null, or no scalar at all.
    #[default]
    None,
    Flag(bool),
    Whole(u64),
    /// A whole number that is larger.
    Digits(&'de str),
    Negative(i64),
    Real(f64),
    Text(Cow<'de, str>),
}

impl<'de> Scalar<'de> {
    pub(in super::super) fn into_id(self) -> String {
        match self {
            Self::Text(text) => text.into_owned(),
            Self::Whole(number) => number.to_string(),
            Self::Digits(digits) => digits.to_owned(),
            Self::Negative(number) => number.to_string(),
            _ => String::new(),
        }
    }

    pub(in super::super) fn count(&self) -> Option<u64> {
        match self {
            Self::Whole(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            // Some clients wrote counts as reals.
            Self::Real(number) if (0.0..1e15).contains(number) => Some(*number as u64),
            _ => None,
        }
    }

    pub(in super::super) fn real(&self) -> Option<f64> {
        match self {
            Self::Whole(number) => Some(*number as f64),
            Self::Negative(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Digits(digits) => digits.parse().ok().filter(|n: &f64| n.is_finite()),
            Self::Text(text) => text.parse().ok().filter(|n: &f64| n.is_finite()),
            _ => None,
        }
    }
}

/// A string whose escapes may not be decoded yet.
#[derive(Debug)]
pub(in super::super) enum Raw<'de> {
    /// As it stands between its quotes.
    Escaped(&'de str),
    Decoded(Cow<'de, str>),
}

impl<'de> Raw<'de> {
    pub(in super::super) fn decode(self) -> Result<Cow<'de, str>, json::Error> {
        match self {
            Self::Escaped(raw) if memchr::memchr(b'\\', raw.as_bytes()).is_some() => {
                json::decode(raw).map(Cow::Owned)
            }
            Self::Escaped(raw) => Ok(Cow::Borrowed(raw)),
            Self::Decoded(text) => Ok(text),
        }
    }
}

/// Reads a string as it stands.
pub(super) struct RawSeed;

impl<'de> DeserializeSeed<'de> for RawSeed {
    type Value = Option<Raw<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_newtype_struct(json::RAW, self)
    }
}

impl<'de> Visitor<'de> for RawSeed {
    type Value = Option<Raw<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_bytes<E>(self, raw: &'de [u8]) -> Result<Self::Value, E> {
        Ok(str::from_utf8(raw).ok().map(Raw::Escaped))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Ok(match ScalarSeed.deserialize(deserializer)? {
            Scalar::Text(text) => Some(Raw::Decoded(text)),
            _ => None,
        })
    }
}

/// Reads past a string that must be sound, or past anything else.
pub(super) struct CheckedSeed;

impl<'de> DeserializeSeed<'de> for CheckedSeed {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_newtype_struct(json::CHECKED, self)
    }
}

impl<'de> Visitor<'de> for CheckedSeed {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        ScalarSeed.deserialize(deserializer).map(drop)
    }
}
