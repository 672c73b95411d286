//! The names that the types inside a value declare, as opposed to those that come from its data.

use core::fmt;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// A serializer that writes nothing, keeps the names of struct fields, and looks at floats and at
/// the keys of maps.
///
/// Serde passes them as `&'static str`, and the keys of maps as values: so a name that arrives
/// here is from the source of the program.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) found: Vec<&'static str>,
    /// Whether every float is a number that JSON can hold.
    pub(super) finite: bool,
    /// Whether a map has integers for keys, which garde does not tell from indices.
    pub(super) numbered: bool,
    in_key: bool,
}

impl Names {
    /// What `serialize` passes on its way.
    pub(super) fn of(serialize: impl FnOnce(&mut Self) -> Result<(), Stopped>) -> Self {
        let mut names = Self { found: Vec::new(), finite: true, numbered: false, in_key: false };
        // A type whose `Serialize` fails half-way leaves the names that it passed until then.
        let _ = serialize(&mut names);
        names
    }
}

/// The declared name that `text` stands for: the same but for case and separators, as
/// `rename_all` changes nothing else.
pub(super) fn find(declared: &[&'static str], text: &str) -> Option<&'static str> {
    fn letters(name: &str) -> impl Iterator<Item = char> {
        name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase)
    }
    let same = |name: &&&str| letters(name).eq(letters(text));
    let exact = declared.iter().find(|name| **name == text);
    exact.or_else(|| declared.iter().find(same)).copied()
}

/// A `Serialize` implementation gave up.
#[derive(Debug)]
pub(super) struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

impl core::error::Error for Stopped {}

impl serde::ser::Error for Stopped {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

macro_rules! scalars {
    ($($method:ident: $type:ty),* $(,)?) => {$(
        fn $method(self, _: $type) -> Result<(), Stopped> {
            Ok(())
        }
    )*};
}

impl Serializer for &mut Names {
    type Ok = ();
    type Error = Stopped;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    scalars! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_i128: i128, serialize_u8: u8, serialize_u16: u16,
        serialize_u32: u32, serialize_u128: u128, serialize_char: char, serialize_str: &str,
        serialize_bytes: &[u8], serialize_unit_struct: &'static str,
    }

    /// A `usize` too, the one integer that garde takes for a key.
    fn serialize_u64(self, _: u64) -> Result<(), Stopped> {
        self.numbered |= self.in_key;
        Ok(())
    }

    fn serialize_f32(self, float: f32) -> Result<(), Stopped> {
        self.finite &= float.is_finite();
        Ok(())
    }

    fn serialize_f64(self, float: f64) -> Result<(), Stopped> {
        self.finite &= float.is_finite();
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Stopped> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Stopped> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<(), Stopped> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stopped> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Stopped> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Stopped> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Stopped> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Stopped> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Stopped> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Stopped> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Stopped> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Stopped> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Stopped> {
        Ok(self)
    }
}

macro_rules! sequences {
    ($($trait:ident::$method:ident),* $(,)?) => {$(
        impl $trait for &mut Names {
            type Ok = ();
            type Error = Stopped;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), Stopped> {
                Ok(())
            }
        }
    )*};
}
sequences! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

macro_rules! structs {
    ($($trait:ident),* $(,)?) => {$(
        impl $trait for &mut Names {
            type Ok = ();
            type Error = Stopped;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Stopped> {
                self.found.push(name);
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), Stopped> {
                Ok(())
            }
        }
    )*};
}
structs! { SerializeStruct, SerializeStructVariant }

impl SerializeMap for &mut Names {
    type Ok = ();
    type Error = Stopped;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Stopped> {
        self.in_key = true;
        let seen = key.serialize(&mut **self);
        self.in_key = false;
        seen
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Stopped> {
        Ok(())
    }
}
