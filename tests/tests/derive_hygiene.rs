//! Generated code does not care what the user has in scope, nor how fields are called.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub, clippy::pedantic)]
#![allow(dead_code, reason = "the shadows are there to be in the way")]

/// A runtime that is known under another name.
mod renamed {
    pub(super) use state_runtime as runtime;
}

/// What code usually takes from the prelude is something else here; `Err` alone is not, because
/// garde's own derive takes it from there.
mod shadowed {
    pub(super) struct Result;
    pub(super) struct Option;
    pub(super) struct String;
    pub(super) struct Vec;
    pub(super) struct Box;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Ok;
    pub(super) trait Clone {}
    pub(super) trait Default {}
    pub(super) trait Into {}
    pub(super) trait From {}
    pub(super) trait Send {}
    pub(super) trait Sync {}
    pub(super) trait Sized {}
    pub(super) mod core {}
    pub(super) mod std {}
    pub(super) mod alloc {}
    pub(super) mod serde {}
    pub(super) mod state_runtime {}
    pub(super) mod inventory {}

    #[derive(super::renamed::runtime::StateKey, super::renamed::runtime::prelude::Validate)]
    #[state(key = "odd:{self_}:{type}/{f}.{{{state}}}", ttl = "1h30m", crate = super::renamed::runtime)]
    #[state(max_size = "1KiB", on_invalid = "discard", formerly = "o:{f}:{type}:{state}:{self_}")]
    #[garde(allow_unvalidated)]
    pub(super) struct Odd {
        #[garde(length(min = 1))]
        pub(super) self_: ::std::string::String,
        #[state(secret)]
        pub(super) r#type: u8,
        pub(super) f: char,
        pub(super) state: bool,
        pub(super) writer: u8,
        pub(super) key: ::std::vec::Vec<u8>,
        #[serde(default)]
        pub(super) r#match: ::core::option::Option<u8>,
        pub(super) serializer: u8,
    }

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash, super::renamed::runtime::KeyPart)]
    #[state(crate = super::renamed::runtime)]
    pub(super) enum Kind {
        Self_,
        r#Some,
    }
}

mod plain {
    use state_runtime::prelude::*;

    /// A singleton.
    #[derive(Debug, PartialEq, StateKey, Validate)]
    #[state(key = "leader", persistent)]
    pub(super) struct Leader {
        /// Who leads.
        #[garde(skip)]
        pub(super) name: String,
    }

    macro_rules! declare {
        ($name:ident, $field:ident) => {
            #[derive(Debug, PartialEq, StateKey, Validate)]
            #[state(key = "declared:{id}", persistent)]
            #[garde(allow_unvalidated)]
            pub(super) struct $name {
                pub(super) id: u8,
                pub(super) $field: Vec<$crate::plain::Alias>,
            }
        };
    }
    declare!(Declared, id_);
    pub(super) type Alias = u8;
}

use shadowed::{Kind, Odd};
use state_runtime::{
    key::{KeyPart, KeyWriter},
    schema::{OnInvalid, StateKey, TypedKey},
};

#[test]
fn odd_names_and_shadows_are_not_in_the_way() {
    let key = Odd::key("s", 1, 'x', true);
    assert_eq!(key.to_string(), "odd:s:1/x.{true}");
    assert_eq!("odd:s:1/x.{true}".parse(), Ok(key.clone()));
    assert_eq!(format!("{key:?}"), "OddKey { self_: \"s\", type: ***, f: 'x', state: true }");
    let namespace = <Odd as StateKey>::NAMESPACE;
    assert_eq!(namespace.max_size, 1024);
    assert_eq!(namespace.on_invalid, OnInvalid::Discard);
    assert_eq!(namespace.ttl.map(|ttl| ttl.as_secs()), Some(5400));
    assert!(key.check().is_ok());
    assert!(Odd::key("", 1, 'x', true).check().is_err());
}

#[test]
fn the_former_key_has_the_same_fields() {
    let mut writer = KeyWriter::new();
    assert!(Odd::key("s", 1, 'x', true).write_former(&mut writer));
    let former = writer.finish().expect("every field has a text");
    assert_eq!(former.as_str(), "o:x:1:true:s");
    assert_eq!(former.to_string(), "o:x:***");
    let mut writer = KeyWriter::new();
    assert!(!plain::Leader::key().write_former(&mut writer));
}

#[test]
fn a_singleton_has_a_key_without_fields() {
    let key = plain::Leader::key();
    assert_eq!(key.to_string(), "leader");
    assert_eq!("leader".parse(), Ok(key.clone()));
    assert!("leader2".parse::<plain::LeaderKey>().is_err());
    assert_eq!(format!("{key:?}"), "LeaderKey");
    assert_eq!(key.cmp(&plain::Leader::key()), std::cmp::Ordering::Equal);
}

#[test]
fn state_can_be_declared_by_a_macro_and_in_a_function() {
    use state_runtime::prelude::{StateKey, Validate};

    #[derive(StateKey, Validate)]
    #[state(key = "local:{id}", persistent)]
    #[garde(allow_unvalidated)]
    struct Local {
        id: u8,
        at: Kilometres,
    }
    type Kilometres = u32;
    let local = Local { id: 1, at: 5 };
    assert_eq!(local.state_key().to_string(), "local:1");
    assert_eq!(local.at, 5);
    assert_eq!(plain::Declared::key(1).to_string(), "declared:1");
}

#[test]
fn variants_are_written_without_their_raw_mark() {
    assert_eq!(Kind::parse("Some"), Ok(Kind::r#Some));
    assert_eq!(Kind::parse("Self_"), Ok(Kind::Self_));
}
