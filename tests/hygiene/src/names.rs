//! Fields and types with the names that generated code is most likely to use itself.

use renamed::prelude::*;

/// Keywords as fields, in the key and in the value.
#[derive(Debug, Clone, StateKey, Validate)]
#[state(crate = renamed, key = "raw:{type}:{match}", persistent)]
#[non_exhaustive]
pub struct Raw {
    /// A keyword in the key.
    #[garde(length(min = 1))]
    pub r#type: String,
    /// Another, of a number.
    #[garde(range(min = 1))]
    pub r#match: u64,
    /// A keyword in the value.
    #[garde(ascii)]
    pub r#async: String,
}

/// A keyword as the type.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "keyword:{id}", persistent)]
#[expect(non_camel_case_types, reason = "it is a keyword")]
#[non_exhaustive]
pub struct r#dyn {
    /// Its number.
    #[garde(skip)]
    pub id: u64,
}

/// The arguments and locals of generated functions, as value fields.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "locals:{id}", persistent)]
#[non_exhaustive]
pub struct Locals {
    /// Its number.
    #[garde(skip)]
    pub id: u64,
    /// A receiver.
    #[garde(skip)]
    pub self_: u8,
    /// A formatter.
    #[garde(skip)]
    pub f: u8,
    /// A writer.
    #[garde(skip)]
    pub writer: u8,
    /// A reader.
    #[garde(skip)]
    pub reader: u8,
    /// A key.
    #[garde(skip)]
    pub key: u8,
    /// A value.
    #[garde(skip)]
    pub value: u8,
    /// A state.
    #[garde(skip)]
    pub state: u8,
    /// A serializer.
    #[garde(skip)]
    pub serializer: u8,
    /// A deserializer.
    #[garde(skip)]
    pub deserializer: u8,
    /// What is stored.
    #[garde(skip)]
    pub stored: u8,
    /// A source.
    #[garde(skip)]
    pub source: u8,
    /// An error.
    #[garde(skip)]
    pub error: u8,
    /// A hasher.
    #[garde(skip)]
    pub hasher: u8,
    /// Another.
    #[garde(skip)]
    pub other: u8,
    /// A text.
    #[garde(skip)]
    pub text: u8,
    /// A crate.
    #[garde(skip)]
    pub state_runtime: u8,
    /// Another crate.
    #[garde(skip)]
    pub core: u8,
}

/// The same as key fields.
#[derive(Debug, StateKey, Validate)]
#[state(
    crate = renamed,
    key = "local-keys:{self_}:{f}:{writer}:{reader}:{key}:{value}:{state}:{serializer}:{stored}:{source}:{error}:{hasher}:{other}:{text}:{core}",
    persistent
)]
#[non_exhaustive]
pub struct LocalKeys {
    /// A receiver.
    #[garde(length(min = 1))]
    pub self_: String,
    /// A formatter.
    #[garde(length(min = 1))]
    pub f: String,
    /// A writer.
    #[garde(length(min = 1))]
    pub writer: String,
    /// A reader.
    #[garde(length(min = 1))]
    pub reader: String,
    /// A key.
    #[garde(length(min = 1))]
    pub key: String,
    /// A value.
    #[garde(length(min = 1))]
    pub value: String,
    /// A state.
    #[garde(length(min = 1))]
    pub state: String,
    /// A serializer.
    #[garde(length(min = 1))]
    pub serializer: String,
    /// What is stored.
    #[garde(length(min = 1))]
    pub stored: String,
    /// A source.
    #[garde(length(min = 1))]
    pub source: String,
    /// An error.
    #[garde(length(min = 1))]
    pub error: String,
    /// A hasher.
    #[garde(length(min = 1))]
    pub hasher: String,
    /// Another.
    #[garde(length(min = 1))]
    pub other: String,
    /// A text.
    #[garde(length(min = 1))]
    pub text: String,
    /// A crate.
    #[garde(length(min = 1))]
    pub core: String,
}

/// Fields whose names differ in underscores alone.
#[expect(clippy::pub_underscore_fields, reason = "the names are what is tested")]
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "alike:{_id}:{id}", persistent)]
#[non_exhaustive]
pub struct Alike {
    /// One.
    #[garde(skip)]
    pub _id: u64,
    /// The other.
    #[garde(skip)]
    pub id: u64,
    /// A third.
    #[garde(skip)]
    pub __id: u64,
}

/// A type called as its own associated type is.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "key:{key}", persistent)]
#[non_exhaustive]
pub struct Key {
    /// Its key.
    #[garde(skip)]
    pub key: u64,
    /// Its value.
    #[garde(skip)]
    pub value: u64,
}

/// A type called as another associated type is.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "stored:{id}", persistent)]
#[non_exhaustive]
pub struct Stored {
    /// Its number.
    #[garde(skip)]
    pub id: u64,
    /// What is stored.
    #[garde(skip)]
    pub stored: u64,
}

/// A type called as a type parameter is.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "letter:{t}", persistent)]
#[non_exhaustive]
pub struct T {
    /// Its number.
    #[garde(skip)]
    pub t: u64,
    /// Its number in the value.
    #[garde(skip)]
    pub s: u64,
}

/// A type called as the trait is.
pub mod same_name {
    /// Its key is called as the key trait is.
    #[derive(Debug, renamed::StateKey, garde::Validate)]
    #[state(crate = renamed, key = "typed:{id}", persistent)]
    #[non_exhaustive]
    pub struct Typed {
        /// Its number.
        #[garde(skip)]
        pub id: u64,
    }

    /// It is called as the trait is.
    #[derive(Debug, renamed::StateKey, garde::Validate)]
    #[state(crate = renamed, key = "state:{id}", persistent)]
    #[non_exhaustive]
    pub struct State {
        /// Its number.
        #[garde(skip)]
        pub id: u64,
    }
}

/// Methods of the author that are called as those of the traits are.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "methods:{id}", persistent)]
#[non_exhaustive]
pub struct Methods {
    /// Its number.
    #[garde(skip)]
    pub id: Number,
    /// Another.
    #[garde(skip)]
    pub count: u64,
}

impl Methods {
    /// Not the key.
    #[inline]
    pub const fn state_key(&self) {}
    /// Not the writer.
    #[inline]
    pub const fn write_key(&self) {}
    /// Not the serializer.
    #[inline]
    pub const fn serialize_stored(&self) {}
    /// Not the rules.
    #[inline]
    pub const fn validate(&self) {}
}

/// A key field whose own methods are called as those of the traits are.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash, renamed::KeyPart)]
#[state(crate = renamed)]
#[non_exhaustive]
pub struct Number(pub u64);

impl Number {
    /// Not the clone.
    #[inline]
    pub const fn clone(&self) {}
    /// Not the comparison.
    #[inline]
    pub const fn eq(&self) {}
    /// Not the order.
    #[inline]
    pub const fn cmp(&self) {}
    /// Not the writer.
    #[inline]
    pub const fn write(&self) {}
    /// Not the parser.
    #[inline]
    pub const fn parse() {}
    /// Not the conversion.
    #[inline]
    pub const fn into(&self) {}
}

impl Clone for Number {
    #[inline]
    fn clone(&self) -> Self {
        Self(self.0)
    }

    #[inline]
    fn clone_from(&mut self, source: &Self) {
        self.0 = source.0;
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, LocalKeys, Methods, Number, Raw};
    use renamed::prelude::*;

    #[test]
    fn a_keyword_is_named_in_the_key_without_its_prefix() {
        assert_eq!(Raw::key("a b", 7_u64).to_string(), "raw:a=20b:7");
        assert_eq!(Raw::NAMESPACE.format.as_str(), "raw:{type}:{match}");
        assert_eq!(Raw::NAMESPACE.fields, ["type", "match", "async"]);
    }

    #[test]
    fn a_type_called_key_has_a_key() {
        assert_eq!(Key { key: 1, value: 2 }.state_key().to_string(), "key:1");
        assert_eq!(Key::key(1).to_string(), "key:1");
    }

    #[test]
    fn fields_called_as_locals_are_written_in_order_and_read_back() {
        let key = LocalKeys::key(
            "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15",
        );
        let text = key.to_string();
        assert_eq!(text, "local-keys:1:2:3:4:5:6:7:8:9:10:11:12:13:14:15");
        assert_eq!(text.parse(), Ok(key));
        let prefix = LocalKeys::prefix_through_writer("1", "2", "3");
        assert_eq!(prefix.to_string(), "local-keys:1:2:3:");
        assert_eq!(Raw::prefix("a b").to_string(), "raw:a=20b:");
    }

    #[test]
    fn methods_of_the_author_are_not_called() {
        let methods = Methods { id: Number(3), count: 1 };
        assert_eq!(StateKey::state_key(&methods).to_string(), "methods:3");
        assert_eq!("methods:3".parse(), Ok(StateKey::state_key(&methods)));
    }
}
