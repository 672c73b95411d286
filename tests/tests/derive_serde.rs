//! The stored form is what serde itself gives for the value fields, attribute by attribute.
#![forbid(unsafe_code)]
#![deny(warnings, clippy::pedantic)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use state_runtime::prelude::*;

fn stored<T: StateKey>(value: &T) -> Value {
    value.serialize_stored(serde_json::value::Serializer).expect("plain data")
}

fn joined<T: StateKey>(key: T::Key, json: Value) -> Result<T, serde_json::Error> {
    Ok(T::from_stored(key, serde_json::from_value(json)?))
}

mod hex {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
    pub(super) fn serialize<S: Serializer>(n: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{n:x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let text = String::deserialize(deserializer)?;
        u32::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

fn three() -> u8 {
    3
}

/// Declares the state type and, for comparison, a plain serde struct of the same value fields.
macro_rules! twins {
    (
        $(#[$container:meta])*
        $name:ident { $($(#[$field:meta])* $ident:ident: $ty:ty,)* }
    ) => {
        mod twin {
            #[allow(unused_imports)]
            use super::*;

            #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
            $(#[$container])*
            pub(super) struct $name { $($(#[$field])* pub(super) $ident: $ty,)* }
        }

        #[derive(Debug, Clone, PartialEq, Default, StateKey, Validate)]
        #[state(key = "twin:{id}", persistent)]
        #[garde(allow_unvalidated)]
        $(#[$container])*
        struct $name { id: u64, $($(#[$field])* $ident: $ty,)* }

        impl $name {
            fn twin(&self) -> twin::$name {
                twin::$name { $($ident: self.$ident.clone(),)* }
            }

            /// Writes and reads both and compares them, and `json` read by both.
            fn agrees(&self, json: &Value) {
                let written = stored(self);
                assert_eq!(written, serde_json::to_value(self.twin()).expect("plain data"));
                for json in [&written, json] {
                    let ours = joined::<Self>(self.state_key(), json.clone());
                    let theirs = serde_json::from_value::<twin::$name>(json.clone());
                    match (ours, theirs) {
                        (Ok(ours), Ok(theirs)) => assert_eq!(ours.twin(), theirs),
                        (Err(ours), Err(theirs)) => assert_eq!(ours.to_string(), theirs.to_string()),
                        (ours, theirs) => panic!("{ours:?} but {theirs:?}"),
                    }
                }
            }
        }
    };
}

#[test]
fn rename_all_and_rename() {
    twins! {
        #[serde(rename_all = "camelCase")]
        Renamed {
            user_id: u8,
            #[serde(rename = "type", alias = "kind")]
            kind_of: String,
        }
    }
    let value = Renamed { id: 1, user_id: 2, kind_of: "x".into() };
    value.agrees(&json!({ "userId": 3, "kind": "y" }));
    assert_eq!(stored(&value), json!({ "userId": 2, "type": "x" }));
}

#[test]
fn field_functions() {
    twins! {
        Functions {
            #[serde(with = "hex")]
            a: u32,
            #[serde(serialize_with = "hex::serialize", deserialize_with = "hex::deserialize")]
            b: u32,
        }
    }
    let value = Functions { id: 1, a: 255, b: 16 };
    value.agrees(&json!({ "a": "zz", "b": "1" }));
    assert_eq!(stored(&value), json!({ "a": "ff", "b": "10" }));
}

#[test]
fn skipping_and_field_defaults() {
    twins! {
        Skipping {
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            list: Vec<u8>,
            #[serde(skip_serializing_if = "Option::is_none")]
            option: Option<u8>,
            #[serde(default = "three")]
            three: u8,
            #[serde(skip)]
            cache: u8,
            #[serde(skip_serializing, default)]
            write_never: u8,
            #[serde(skip_deserializing, default = "three")]
            read_never: u8,
        }
    }
    let value = Skipping { id: 1, cache: 9, read_never: 8, ..Skipping::default() };
    value.agrees(&json!({ "write_never": 1 }));
    value.agrees(&json!({ "write_never": 1, "list": [1], "cache": 4 }));
    assert_eq!(stored(&value), json!({ "three": 0, "read_never": 8 }));
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Inner {
    x: u8,
}

#[test]
fn flatten() {
    twins! {
        Flat {
            #[serde(flatten)]
            inner: Inner,
            #[serde(flatten)]
            rest: BTreeMap<String, Value>,
        }
    }
    let rest = BTreeMap::from([("more".to_owned(), json!(true))]);
    Flat { id: 1, inner: Inner { x: 1 }, rest }.agrees(&json!({ "x": 2, "y": 3 }));
}

#[test]
fn tag_and_rename() {
    twins! {
        #[serde(tag = "type", rename(serialize = "Out"))]
        Tagged { x: u8, }
    }
    let value = Tagged { id: 1, x: 2 };
    value.agrees(&json!({ "x": 2, "type": "Out" }));
    assert_eq!(stored(&value), json!({ "type": "Out", "x": 2 }));
}

#[test]
fn unknown_fields_are_denied_and_expectations_told() {
    twins! {
        #[serde(deny_unknown_fields, expecting = "a strict thing")]
        Strict { x: u8, }
    }
    let value = Strict { id: 1, x: 2 };
    value.agrees(&json!({ "x": 2, "y": 1 }));
    value.agrees(&json!(5));
}

#[test]
fn the_tag_is_the_name_of_the_type() {
    twins! {
        #[serde(tag = "type")]
        Tagged { x: u8, }
    }
    let value = Tagged { id: 1, x: 2 };
    value.agrees(&json!({}));
    assert_eq!(stored(&value), json!({ "type": "Tagged", "x": 2 }));
}

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "defaulted:{id}", persistent)]
#[serde(default)]
#[garde(allow_unvalidated)]
struct Defaulted {
    id: u64,
    a: u8,
    b: String,
}

impl Default for Defaulted {
    fn default() -> Self {
        Self { id: 0, a: 7, b: "b".into() }
    }
}

#[test]
fn absent_fields_come_from_the_default_of_the_whole_struct() {
    let read =
        joined::<Defaulted>(Defaulted::key(4), json!({ "a": 1 })).expect("the rest is default");
    assert_eq!(read, Defaulted { id: 4, a: 1, b: "b".into() });
}

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "by-path:{id}", persistent)]
#[serde(default = "ByPath::initial")]
#[garde(allow_unvalidated)]
struct ByPath {
    id: u64,
    a: u8,
    #[serde(default = "Self::initial_b")]
    b: u8,
}

impl ByPath {
    fn initial() -> Self {
        Self { id: 0, a: 7, b: 8 }
    }
    fn initial_b() -> u8 {
        9
    }
}

#[test]
fn a_default_by_path_is_honoured() {
    let read = joined::<ByPath>(ByPath::key(4), json!({})).expect("all is default");
    assert_eq!(read, ByPath { id: 4, a: 7, b: 9 });
}

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "counter:{name}", persistent)]
#[garde(allow_unvalidated)]
struct Counter {
    name: String,
    #[state(value)]
    #[serde(with = "hex")]
    count: u32,
}

#[test]
fn a_single_value_is_stored_alone() {
    let value = Counter { name: "a".into(), count: 255 };
    assert_eq!(stored(&value), json!("ff"));
    assert_eq!(joined::<Counter>(Counter::key("a"), json!("ff")).expect("hexadecimal"), value);
    assert!(joined::<Counter>(Counter::key("a"), json!({ "count": "ff" })).is_err());
}

#[derive(Debug, PartialEq, Clone, Serialize, Deserialize, StateKey, Validate)]
#[state(key = "own:{id}", ttl = "1d", sliding)]
#[serde(rename_all = "UPPERCASE")]
#[garde(allow_unvalidated)]
struct Own {
    #[serde(rename = "identity")]
    id: u64,
    next: Option<Box<Self>>,
}

#[test]
fn the_struct_may_derive_serde_as_well() {
    let value = Own { id: 1, next: Some(Box::new(Own { id: 2, next: None })) };
    assert_eq!(stored(&value), json!({ "NEXT": { "identity": 2, "NEXT": null } }));
    assert_eq!(joined::<Own>(value.state_key(), stored(&value)).expect("what was written"), value);
}
