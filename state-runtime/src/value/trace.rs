//! Finding out where and why decoding stopped: a second parse that keeps track of its path.
//!
//! It runs only after the first parse has failed. The messages of serde quote values, so nothing of
//! them is kept but words from closed lists; the names of fields are those that types declare.

use core::{cell::RefCell, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
        value::{BorrowedStrDeserializer, StrDeserializer},
    },
};
use serde_json::error::Category;

use super::{DecodeFault, DecodeKind, FieldPath, envelope::Envelope, error::Step};
use crate::schema::{Shape, StateKey};

/// Explains why `text` is not a `T`; `first` is what the first parse said.
pub(super) fn diagnose<T: StateKey>(text: &str, first: &serde_json::Error) -> DecodeFault {
    let trail = Trail::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let mut version = 1;
    let again = match T::NAMESPACE.shape {
        Shape::Object => {
            let envelope = Envelope::new(Traced { inner: &mut json, trail: &trail }, &mut version);
            T::Stored::deserialize(envelope).map(drop)
        }
        Shape::Value => {
            T::Stored::deserialize(Traced { inner: &mut json, trail: &trail }).map(drop)
        }
    };
    let (steps, declared) = match again {
        Err(_) => (trail.steps.into_inner(), trail.declared.into_inner()),
        // Only what follows after the value can then be at fault.
        Ok(()) => Default::default(),
    };
    DecodeFault {
        path: FieldPath::new(&steps),
        kind: kind(first, &declared),
        line: u32::try_from(first.line()).unwrap_or(u32::MAX),
        column: u32::try_from(first.column()).unwrap_or(u32::MAX),
    }
}

/// Sorts an error of serde by the fixed beginnings of its message.
fn kind(error: &serde_json::Error, declared: &[&'static str]) -> DecodeKind {
    match error.classify() {
        Category::Eof => return DecodeKind::UnexpectedEnd,
        Category::Syntax | Category::Io => {
            let message = error.to_string();
            return if message.starts_with("trailing characters") {
                DecodeKind::TrailingText
            } else if message.starts_with("recursion limit exceeded") {
                DecodeKind::TooDeep
            } else {
                DecodeKind::Syntax
            };
        }
        Category::Data => {}
    }
    let message = error.to_string();
    let name = |rest: &str| {
        let quoted = rest.split('`').next()?;
        declared.iter().find(|name| **name == quoted).copied()
    };
    let starts = |prefix| message.strip_prefix(prefix);
    if let Some(rest) = starts("missing field `") {
        DecodeKind::MissingField(name(rest))
    } else if let Some(rest) = starts("duplicate field `") {
        DecodeKind::DuplicateField(name(rest))
    } else if starts("unknown field ").is_some() {
        DecodeKind::UnknownField
    } else if starts("unknown variant ").is_some() {
        DecodeKind::UnknownVariant
    } else if let Some(rest) = starts("invalid type: ") {
        DecodeKind::WrongType(found(rest))
    } else if starts("invalid value: ").is_some() {
        DecodeKind::WrongValue
    } else if starts("invalid length ").is_some() {
        DecodeKind::WrongLength
    } else {
        DecodeKind::Custom
    }
}

/// What stands in the text, in the words that a message of serde begins with.
fn found(description: &str) -> &'static str {
    const WORDS: [(&str, &str); 10] = [
        ("null", "null"),
        ("unit", "null"),
        ("boolean", "a boolean"),
        ("integer", "an integer"),
        ("floating point", "a fractional number"),
        ("number", "a number"),
        ("string", "a string"),
        ("character", "a string"),
        ("sequence", "an array"),
        ("map", "an object"),
    ];
    let word = WORDS.iter().find(|(prefix, _)| description.starts_with(prefix));
    word.map_or("another type", |(_, name)| name)
}

/// The way to where the parse stands. A step is taken back only when what is behind it was read,
/// so after an error the way to the fault is left.
#[derive(Default)]
struct Trail {
    steps: RefCell<Vec<Step>>,
    /// The names of the fields of the innermost struct that failed.
    declared: RefCell<Vec<&'static str>>,
}

impl Trail {
    fn enter<T, E>(&self, step: Step, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.steps.borrow_mut().push(step);
        let value = read()?;
        self.steps.borrow_mut().pop();
        Ok(value)
    }
}

/// A deserializer, visitor, seed or access that leaves a trail.
struct Traced<'t, I> {
    inner: I,
    trail: &'t Trail,
}

/// A visitor of a map: `fields` are the declared names if the map stands for a struct.
struct TracedVisitor<'t, V> {
    inner: V,
    trail: &'t Trail,
    fields: &'static [&'static str],
}

macro_rules! forward_plain {
    ($($method:ident),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(TracedVisitor { inner: visitor, trail: self.trail, fields: &[] })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Traced<'_, D> {
    type Error = D::Error;

    forward_plain! {
        deserialize_any, deserialize_bool, deserialize_i8, deserialize_i16, deserialize_i32,
        deserialize_i64, deserialize_i128, deserialize_u8, deserialize_u16, deserialize_u32,
        deserialize_u64, deserialize_u128, deserialize_f32, deserialize_f64, deserialize_char,
        deserialize_str, deserialize_string, deserialize_bytes, deserialize_byte_buf,
        deserialize_option, deserialize_unit, deserialize_seq, deserialize_map,
        deserialize_identifier, deserialize_ignored_any,
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = TracedVisitor { inner: visitor, trail: self.trail, fields: &[] };
        self.inner.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = TracedVisitor { inner: visitor, trail: self.trail, fields: &[] };
        self.inner.deserialize_tuple(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = TracedVisitor { inner: visitor, trail: self.trail, fields: &[] };
        self.inner.deserialize_tuple_struct(name, len, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = TracedVisitor { inner: visitor, trail: self.trail, fields };
        self.inner.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = TracedVisitor { inner: visitor, trail: self.trail, fields: &[] };
        self.inner.deserialize_enum(name, variants, visitor)
    }
}

macro_rules! visit_plain {
    ($($method:ident: $type:ty),* $(,)?) => {$(
        fn $method<E: serde::de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for TracedVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit_plain! {
        visit_bool: bool, visit_i8: i8, visit_i16: i16, visit_i32: i32, visit_i64: i64,
        visit_i128: i128, visit_u8: u8, visit_u16: u16, visit_u32: u32, visit_u64: u64,
        visit_u128: u128, visit_f32: f32, visit_f64: f64, visit_char: char, visit_str: &str,
        visit_borrowed_str: &'de str, visit_string: String, visit_bytes: &[u8],
        visit_borrowed_bytes: &'de [u8], visit_byte_buf: Vec<u8>,
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Traced { inner, trail: self.trail })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Traced { inner, trail: self.trail })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Elements { inner, trail: self.trail, next: 0 })
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let members =
            Members { inner, trail: self.trail, fields: self.fields, current: Step::Hidden };
        let value = self.inner.visit_map(members);
        // The innermost struct that failed is left first: a missing member is one of its own.
        if value.is_err() && self.trail.declared.borrow().is_empty() {
            *self.trail.declared.borrow_mut() = self.fields.to_vec();
        }
        value
    }

    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Traced { inner, trail: self.trail })
    }
}

struct Elements<'t, A> {
    inner: A,
    trail: &'t Trail,
    next: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let step = Step::Index(self.next);
        self.next += 1;
        let seed = Traced { inner: seed, trail: self.trail };
        self.trail.enter(step, || self.inner.next_element_seed(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

struct Members<'t, A> {
    inner: A,
    trail: &'t Trail,
    fields: &'static [&'static str],
    current: Step,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.current = Step::Hidden;
        if self.fields.is_empty() {
            return self.inner.next_key_seed(seed);
        }
        let (fields, current) = (self.fields, &mut self.current);
        self.inner.next_key_seed(Name { seed, fields, current })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = Traced { inner: seed, trail: self.trail };
        self.trail.enter(self.current, || self.inner.next_value_seed(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// Reads the name of a member of a struct and notes which of the declared ones it is.
struct Name<'s, S> {
    seed: S,
    fields: &'static [&'static str],
    current: &'s mut Step,
}

impl<S> Name<'_, S> {
    fn note(&mut self, name: &str) {
        if let Some(declared) = self.fields.iter().find(|field| **field == name) {
            *self.current = Step::Field(declared);
        }
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Name<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Name<'_, S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E: serde::de::Error>(mut self, name: &'de str) -> Result<S::Value, E> {
        self.note(name);
        self.seed.deserialize(BorrowedStrDeserializer::new(name))
    }

    fn visit_str<E: serde::de::Error>(mut self, name: &str) -> Result<S::Value, E> {
        self.note(name);
        self.seed.deserialize(StrDeserializer::new(name))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Traced<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Traced { inner, trail: self.trail })
    }
}

impl<'de, 't, A: EnumAccess<'de>> EnumAccess<'de> for Traced<'t, A> {
    type Error = A::Error;
    type Variant = Traced<'t, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (tag, inner) = self.inner.variant_seed(seed)?;
        Ok((tag, Traced { inner, trail: self.trail }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Traced<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.newtype_variant_seed(Traced { inner: seed, trail: self.trail })
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner
            .tuple_variant(len, TracedVisitor { inner: visitor, trail: self.trail, fields: &[] })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = TracedVisitor { inner: visitor, trail: self.trail, fields };
        self.inner.struct_variant(fields, visitor)
    }
}
