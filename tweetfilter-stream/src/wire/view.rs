//! JSON objects read on demand, for the wires that are not the hot path.

use std::borrow::Cow;

use serde::de::DeserializeSeed;
use tweetfilter_core::post::Millis;

use super::fields::{DEPTH, Fields, Object, Scalar, ScalarSeed};
use super::room::Room;
use super::time;
use crate::json::{Reader, elements, members};

/// Keys of an object that are looked at, the first ones: no message has a tenth of that.
const MEMBERS: usize = 1024;

/// An object: its keys, and its values as they stand in the text. Of duplicate keys the last counts; what is
/// absent or of another type is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct View<'a> {
    members: Vec<(Cow<'a, str>, &'a str)>,
    length: usize,
}

impl<'a> View<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let members = members(text).take(MEMBERS).collect::<Result<Vec<_>, _>>();
        Self { members: members.unwrap_or_default(), length: text.len() }
    }

    /// The same in as little memory as it needs, to be kept with many others.
    pub(super) fn shrunk(mut self) -> Self {
        self.members.shrink_to_fit();
        self
    }

    /// Bytes of its text.
    pub(super) fn length(&self) -> usize {
        self.length
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

    /// The keys and the texts of their values, of those of a key too that comes again.
    pub(super) fn each(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.members.iter().map(|(key, value)| (&**key, *value))
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

    /// The objects of an array, one after the other: all at once would take many times its length.
    pub(super) fn list(&self, key: &str) -> impl Iterator<Item = View<'a>> + use<'a> {
        self.raw_objects(key).map(View::of)
    }

    /// The texts of the objects of an array.
    pub(super) fn raw_objects(&self, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.raws(key).filter(|text| text.starts_with('{'))
    }

    /// The texts of an array's elements.
    pub(super) fn raws(&self, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.raw(key).into_iter().flat_map(elements).map_while(Result::ok)
    }

    /// The ids of an array, one after the other.
    pub(super) fn each_id(&self, key: &str) -> impl Iterator<Item = String> + use<'a> {
        self.raws(key).map(|text| scalar(text).into_id()).filter(|id| !id.is_empty())
    }

    /// The ids of an array, as many as there is room for.
    pub(super) fn ids(&self, key: &str) -> Vec<String> {
        let room = Room::of(self.raw(key).map_or(0, str::len));
        self.each_id(key).take_while(|_| room.holds::<String>()).collect()
    }

    /// An object that another wire has a type for.
    pub(super) fn keep<T: Fields<'a>>(&self, key: &str) -> Option<T> {
        let text = self.raw(key)?;
        let room = Room::of(text.len());
        Object::new(DEPTH, &room).deserialize(&mut Reader::new(text)).ok().flatten()
    }
}

/// A scalar by its text.
pub(super) fn scalar(text: &str) -> Scalar<'_> {
    ScalarSeed.deserialize(&mut Reader::new(text)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{MEMBERS, View};

    #[test]
    fn of_very_many_keys_the_first_are_looked_at() {
        let key = |n: usize| format!(r#""{n}":{n}"#);
        let keys: Vec<_> = (0..10 * MEMBERS).map(key).collect();
        let text = format!("{{{}}}", keys.join(","));
        let view = View::of(&text);
        assert_eq!((view.members.len(), view.length()), (MEMBERS, text.len()));
        assert_eq!(view.id("7"), "7");
        assert_eq!(View::of("[1]").length(), 3);
    }
}
