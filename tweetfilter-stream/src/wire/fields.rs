//! Reading JSON objects field by field, forgiving wrong types: what is not of the expected type is absent.
//!
//! Everything here is generic over serde's data model, so that any JSON reader can stand beneath it. Unlike
//! derived code it takes the last of duplicate keys, and one odd field costs that field, not the message.

mod values;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use tweetfilter_core::Part;

use super::room::Room;
use values::{CheckedSeed, RawSeed};
pub(super) use values::{Raw, Scalar};

/// Kept objects inside each other; what lies deeper is skipped. The deepest real message (an envelope around
/// a retweet of a quote, with a derived profile location) needs eight.
pub(super) const DEPTH: u8 = 12;

/// A JSON object of which some fields are kept.
pub(super) trait Fields<'de>: Default {
    /// The keys that are taken. All others are skipped, whether they pass this or not.
    const KEYS: Sieve = Sieve::ALL;

    /// Takes the value of one key; must consume it.
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error>;
}

/// What is kept in a box is made there: a tweet has more than a kilobyte, which is moved from hand to hand else.
impl<'de, T: Fields<'de>> Fields<'de> for Box<T> {
    const KEYS: Sieve = T::KEYS;

    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        (**self).take(key, field)
    }
}

/// The value of a key, not yet read.
pub(super) struct Field<'m, A> {
    map: &'m mut A,
    depth: u8,
    room: &'m Room,
}

impl<'de, A: MapAccess<'de>> Field<'_, A> {
    /// Reads past it.
    pub(super) fn skip(self) -> Result<(), A::Error> {
        self.map.next_value::<IgnoredAny>().map(drop)
    }

    /// Any scalar.
    pub(super) fn scalar(self) -> Result<Scalar<'de>, A::Error> {
        self.map.next_value_seed(ScalarSeed)
    }

    /// A string.
    pub(super) fn text(self) -> Result<Option<Cow<'de, str>>, A::Error> {
        Ok(match self.scalar()? {
            Scalar::Text(text) => Some(text),
            _ => None,
        })
    }

    /// A string, to be decoded if it is needed.
    pub(super) fn raw(self) -> Result<Option<Raw<'de>>, A::Error> {
        self.map.next_value_seed(RawSeed)
    }

    /// A string to keep; an empty one is absent.
    pub(super) fn string(self) -> Result<Option<String>, A::Error> {
        Ok(self.text()?.filter(|text| !text.is_empty()).map(Cow::into_owned))
    }

    /// A string of a part of a post; of one that is not kept nothing, though it must be sound.
    pub(super) fn text_of(self, part: Part) -> Result<Option<Cow<'de, str>>, A::Error> {
        if self.room.keeps(part) { self.text() } else { self.map.next_value_seed(CheckedSeed).map(|()| None) }
    }

    /// The same to keep; an empty one is absent.
    pub(super) fn string_of(self, part: Part) -> Result<Option<String>, A::Error> {
        Ok(self.text_of(part)?.filter(|text| !text.is_empty()).map(Cow::into_owned))
    }

    /// A number that can't be negative, also when it stands in a string.
    pub(super) fn count(self) -> Result<Option<u64>, A::Error> {
        Ok(self.scalar()?.count())
    }

    /// `true`.
    pub(super) fn flag(self) -> Result<bool, A::Error> {
        Ok(matches!(self.scalar()?, Scalar::Flag(true)))
    }

    /// An object.
    pub(super) fn object<T: Fields<'de>>(self) -> Result<Option<T>, A::Error> {
        match self.depth.checked_sub(1) {
            Some(depth) => self.map.next_value_seed(Object::new(depth, self.room)),
            None => self.skip().map(|()| None),
        }
    }

    /// An array of objects, as many as there is room for; a lone object is an array of one, and whatever is no object is
    /// left out.
    pub(super) fn list<T: Fields<'de>>(self) -> Result<Vec<T>, A::Error> {
        match self.depth.checked_sub(1) {
            Some(depth) => self.map.next_value_seed(List { depth, room: self.room, of: PhantomData }),
            None => self.skip().map(|()| Vec::new()),
        }
    }

    /// Gives each scalar of an array; nested arrays are flattened (coordinates of polygons).
    pub(super) fn scalars(self, mut each: impl FnMut(Scalar<'de>)) -> Result<(), A::Error> {
        self.map.next_value_seed(Scalars { each: &mut each, depth: 8 })
    }

    /// The ids of an array, as many as there is room for.
    pub(super) fn ids(self) -> Result<Vec<String>, A::Error> {
        let (room, mut ids) = (self.room, Vec::new());
        self.scalars(|id| {
            if room.holds::<String>() {
                ids.push(id.into_id());
            }
        })?;
        Ok(ids)
    }
}

/// Visitor methods for what a value should not be: it is read past and gives the visitor's default.
macro_rules! absent {
    (scalars) => {
        absent!(@ visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64) visit_str(&str) visit_bytes(&[u8]));
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
    };
    (map) => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
    (seq) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
    (@ $($method:ident($type:ty))*) => {
        $(fn $method<E>(self, _: $type) -> Result<Self::Value, E> {
            Ok(Default::default())
        })*
    };
}

pub(super) struct ScalarSeed;

impl<'de> DeserializeSeed<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(u64::try_from(value).map_or(Scalar::Negative(value), Scalar::Whole))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Whole(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Real(value))
    }

    fn visit_borrowed_bytes<E>(self, digits: &'de [u8]) -> Result<Self::Value, E> {
        Ok(str::from_utf8(digits).map_or(Scalar::None, Scalar::Digits))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value)))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::None)
    }

    absent!(map);
    absent!(seq);
}

/// Reads one object, or nothing where the value is no object.
pub(super) struct Object<'r, T> {
    depth: u8,
    room: &'r Room,
    of: PhantomData<T>,
}

impl<'r, T> Object<'r, T> {
    pub(super) fn new(depth: u8, room: &'r Room) -> Self {
        Self { depth, room, of: PhantomData }
    }
}

impl<'de, T: Fields<'de>> DeserializeSeed<'de> for Object<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Fields<'de>> Visitor<'de> for Object<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = T::default();
        while let Some(key) = map.next_key_seed(KeySeed(T::KEYS))? {
            let field = Field { map: &mut map, depth: self.depth, room: self.room };
            match key {
                Some(key) => object.take(&key, field)?,
                None => field.skip()?,
            }
        }
        Ok(Some(object))
    }

    absent!(scalars);
    absent!(seq);
}

/// Reads a key; `None` where it is none that is taken.
struct KeySeed(Sieve);

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Option<Cow<'de, str>>;

    #[inline(always)]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    #[inline(always)]
    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(self.0.passes(key).then_some(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.passes(key).then(|| Cow::Owned(key.to_owned())))
    }
}

/// The keys that an object takes, by their lengths and first letters: most others are seen not to be among them without
/// being compared.
#[derive(Clone, Copy)]
pub(super) struct Sieve(u64);

impl Sieve {
    /// Every key.
    const ALL: Self = Self(u64::MAX);

    /// These keys, and some others.
    pub(super) const fn of(keys: &[&str]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < keys.len() {
            bits |= Self::bit(keys[at].as_bytes());
            at += 1;
        }
        Self(bits)
    }

    #[inline(always)]
    const fn bit(key: &[u8]) -> u64 {
        match key {
            [first, ..] => 1 << ((*first as usize).wrapping_add(key.len().wrapping_mul(5)) % 64),
            [] => 1,
        }
    }

    #[inline(always)]
    fn passes(self, key: &str) -> bool {
        self.0 & Self::bit(key.as_bytes()) != 0
    }
}

/// The fields that an object takes, and what it does with each; all others are skipped.
///
/// Writes [`Fields::take`] and [`Fields::KEYS`], so that both know the same keys.
macro_rules! takes {
    (($this:ident, $key:ident, $field:ident); $($($name:literal)|+ $(if $when:expr)? => $take:expr,)*) => {
        const KEYS: Sieve = Sieve::of(&[$($($name),+),*]);

        fn take<A: MapAccess<'de>>(&mut $this, $key: &str, $field: Field<'_, A>) -> Result<(), A::Error> {
            match $key {
                $($($name)|+ $(if $when)? => $take,)*
                _ => $field.skip()?,
            }
            Ok(())
        }
    };
}
pub(super) use takes;

struct List<'r, T> {
    depth: u8,
    room: &'r Room,
    of: PhantomData<T>,
}

impl<'de, T: Fields<'de>> DeserializeSeed<'de> for List<'_, T> {
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Fields<'de>> Visitor<'de> for List<'_, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element_seed(Object::new(self.depth, self.room))? {
            let Some(item) = item else { continue };
            if !self.room.holds::<T>() {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                break;
            }
            list.push(item);
        }
        Ok(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Ok(Object::new(self.depth, self.room).visit_map(map)?.into_iter().collect())
    }

    absent!(scalars);
}

struct Scalars<'v, F> {
    each: &'v mut F,
    depth: u8,
}

impl<'de, F: FnMut(Scalar<'de>)> DeserializeSeed<'de> for Scalars<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(Scalar<'de>)> Visitor<'de> for Scalars<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        (self.each)(Scalar::Flag(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        (self.each)(Scalar::Negative(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        (self.each)(Scalar::Whole(value));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        (self.each)(Scalar::Real(value));
        Ok(())
    }

    fn visit_borrowed_bytes<E>(self, digits: &'de [u8]) -> Result<(), E> {
        (self.each)(str::from_utf8(digits).map_or(Scalar::None, Scalar::Digits));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        (self.each)(Scalar::Text(Cow::Owned(value.to_owned())));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<(), E> {
        (self.each)(Scalar::Text(Cow::Borrowed(value)));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        match self.depth.checked_sub(1) {
            Some(depth) => {
                while seq.next_element_seed(Scalars { each: &mut *self.each, depth })?.is_some() {}
            }
            None => while seq.next_element::<IgnoredAny>()?.is_some() {},
        }
        Ok(())
    }

    absent!(map);
}
