//! JSON objects read on demand, for the wires that are not the hot path.

use std::borrow::Cow;

use serde::de::DeserializeSeed;
use tweetfilter_core::post::Millis;

use super::fields::{DEPTH, Fields, Object, Scalar, ScalarSeed};
use super::time;
use crate::json::{Reader, elements, members};

/// An object: its keys, and its values as they stand in the text. Of duplicate keys the last counts; what is
/// absent or of another type is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct View<'a> {
    members: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> View<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { members: members(text).unwrap_or_default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The text of a value that is not null.
    pub(super) fn raw(&self, key: &str) -> Option<&'a str> {
        self.members
            .iter()
            .rev()
            .find(|(k, _)| k == key)
            .map(|(_, value)| *value)
            .filter(|value| *value != "null")
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.raw(key).is_some()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(key, _)| &**key)
    }

    pub(super) fn scalar(&self, key: &str) -> Scalar<'a> {
        self.raw(key).map(scalar).unwrap_or_default()
    }

    pub(super) fn text(&self, key: &str) -> Cow<'a, str> {
        match self.scalar(key) {
            Scalar::Text(text) => text,
            _ => Cow::Borrowed(""),
        }
    }

    /// A string to keep; an empty one is absent.
    pub(super) fn string(&self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|text| !text.is_empty()).map(Cow::into_owned)
    }

    pub(super) fn id(&self, key: &str) -> String {
        self.scalar(key).into_id()
    }

    /// The first of these ids that is there.
    pub(super) fn first_id(&self, keys: &[&str]) -> String {
        keys.iter().map(|key| self.id(key)).find(|id| !id.is_empty()).unwrap_or_default()
    }

    pub(super) fn count(&self, key: &str) -> Option<u64> {
        self.scalar(key).count()
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.scalar(key) == Scalar::Flag(true)
    }

    pub(super) fn time(&self, key: &str) -> Option<Millis> {
        time::parse(&self.text(key))
    }

    pub(super) fn object(&self, key: &str) -> Self {
        self.raw(key).map(Self::of).unwrap_or_default()
    }

    pub(super) fn some_object(&self, key: &str) -> Option<Self> {
        self.raw(key).filter(|text| text.starts_with('{')).map(Self::of)
    }

    /// The objects of an array.
    pub(super) fn list(&self, key: &str) -> Vec<Self> {
        self.raws(key).into_iter().filter(|text| text.starts_with('{')).map(Self::of).collect()
    }

    /// The texts of an array's elements.
    pub(super) fn raws(&self, key: &str) -> Vec<&'a str> {
        self.raw(key)
            .filter(|text| text.starts_with('['))
            .and_then(|text| elements(text).ok())
            .unwrap_or_default()
    }

    /// The ids of an array.
    pub(super) fn ids(&self, key: &str) -> Vec<String> {
        self.raws(key).into_iter().map(|text| scalar(text).into_id()).filter(|id| !id.is_empty()).collect()
    }

    /// An object that another wire has a type for.
    pub(super) fn keep<T: Fields<'a>>(&self, key: &str) -> Option<T> {
        Object::new(DEPTH).deserialize(&mut Reader::new(self.raw(key)?)).ok().flatten()
    }
}

fn scalar(text: &str) -> Scalar<'_> {
    ScalarSeed.deserialize(&mut Reader::new(text)).unwrap_or_default()
}
