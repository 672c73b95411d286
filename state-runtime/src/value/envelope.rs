//! The members of a stored object that are the runtime's: those whose names start with `$`.
//!
//! They are taken out while the object is parsed, so that the user's own struct never sees them,
//! whatever it says of unknown members, and the text is parsed only once.

use core::fmt;
use std::{borrow::Cow, collections::HashSet};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, IgnoredAny, MapAccess, Visitor,
        value::{BorrowedStrDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};

use super::EncodeKind;

/// The member that holds the version of the schema.
pub(super) const VERSION: &str = "$v";
const RESERVED: char = '$';

/// A deserializer of an object that takes out the runtime's members and notes the version.
pub(super) struct Envelope<'v, D> {
    inner: D,
    version: &'v mut u64,
}

impl<'v, D> Envelope<'v, D> {
    pub(super) fn new(inner: D, version: &'v mut u64) -> Self {
        Self { inner, version }
    }
}

/// The version that a stored value carries; 1 where it is no object or has no version; `None`
/// where it cannot be told.
pub(super) fn probe_version(bytes: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Probe {
        #[serde(rename = "$v", default = "first")]
        version: u64,
    }
    fn first() -> u64 {
        1
    }
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Some(1);
    }
    serde_json::from_slice(bytes).ok().map(|Probe { version }| version)
}

/// Checks that no member of an encoded object is the runtime's, and none is there twice. What is
/// no object has none.
pub(super) fn check_members(encoded: &[u8]) -> Result<(), EncodeKind> {
    struct Names;
    impl<'de> Visitor<'de> for Names {
        type Value = Result<(), EncodeKind>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut seen = HashSet::new();
            let mut checked = Ok(());
            while let Some((name, IgnoredAny)) = map.next_entry::<Cow<'de, str>, _>()? {
                if name.starts_with(RESERVED) {
                    checked = Err(EncodeKind::ReservedMember);
                } else if !seen.insert(name) {
                    checked = checked.and(Err(EncodeKind::RepeatedMember));
                }
            }
            Ok(checked)
        }
    }
    if encoded.first() != Some(&b'{') {
        return Ok(());
    }
    let members = serde_json::Deserializer::from_slice(encoded).deserialize_map(Names);
    members.unwrap_or(Err(EncodeKind::Serialize))
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Envelope<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_map(Object { visitor, version: self.version })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_struct(name, fields, Object { visitor, version: self.version })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Accepts objects alone: an array of the members in their order is refused.
struct Object<'v, V> {
    visitor: V,
    version: &'v mut u64,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Object<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Members { map, version: self.version })
    }
}

struct Members<'v, A> {
    map: A,
    version: &'v mut u64,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let mut seed = Some(seed);
        loop {
            match self.map.next_key_seed(Name { seed: &mut seed })? {
                None => return Ok(None),
                Some(Member::User(name)) => return Ok(Some(name)),
                Some(Member::Version) => *self.version = self.map.next_value()?,
                Some(Member::Runtime) => drop(self.map.next_value::<IgnoredAny>()?),
            }
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.map.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.map.size_hint()
    }
}

enum Member<T> {
    User(T),
    Version,
    Runtime,
}

/// Reads the name of a member, and hands it on to `seed` unless it is the runtime's.
struct Name<'s, K> {
    seed: &'s mut Option<K>,
}

impl<'de, K: DeserializeSeed<'de>> Name<'_, K> {
    fn member<E, D>(self, name: &str, deserializer: D) -> Result<Member<K::Value>, E>
    where
        E: serde::de::Error,
        D: Deserializer<'de, Error = E>,
    {
        if name.starts_with(RESERVED) {
            return Ok(if name == VERSION { Member::Version } else { Member::Runtime });
        }
        match self.seed.take() {
            Some(seed) => seed.deserialize(deserializer).map(Member::User),
            None => Err(E::custom("a member name was read twice")),
        }
    }
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Name<'_, K> {
    type Value = Member<K::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de, K: DeserializeSeed<'de>> Visitor<'de> for Name<'_, K> {
    type Value = Member<K::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, name: &'de str) -> Result<Self::Value, E> {
        self.member(name, BorrowedStrDeserializer::new(name))
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        self.member(name, StrDeserializer::new(name))
    }
}
