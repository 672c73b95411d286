//! Generated key types: their text, their order, and the functions that make them.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use state_runtime::{
    key::{KeyError, KeyWriter},
    prelude::*,
};

/// A session.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "session:{tenant}/{id}", ttl = "30m")]
pub struct Session {
    /// The number of the session.
    #[garde(range(min = 1))]
    pub id: u64,
    /// Who it belongs to.
    #[garde(length(min = 1, max = 64))]
    pub tenant: String,
    #[garde(skip)]
    cart: Vec<u8>,
}

fn session() -> Session {
    Session { id: 7, tenant: "a:b".into(), cart: vec![1] }
}

#[test]
fn display_and_from_str_are_inverses() {
    let key = Session::key("a:b", 7);
    assert_eq!(key.to_string(), "session:a=3Ab/7");
    assert_eq!("session:a=3Ab/7".parse(), Ok(key));
    for wrong in ["session:a=3ab/7", "session:a/07", "session:a/=37", "session:a", "session:a/7/"] {
        assert!(wrong.parse::<SessionKey>().is_err(), "{wrong}");
    }
}

#[test]
fn the_key_of_a_value_is_the_key_that_is_made_by_hand() {
    let value = session();
    assert_eq!(value.state_key(), Session::key("a:b", 7));
    let mut writer = KeyWriter::new();
    value.write_key(&mut writer);
    assert_eq!(
        writer.finish().map(state_runtime::key::Key::into_string),
        Ok("session:a=3Ab/7".into())
    );
    assert_eq!(Session::from_stored(value.state_key(), Stored::of(&value)), value);
}

/// Decodes what a value encodes.
struct Stored;

impl Stored {
    fn of(value: &Session) -> <Session as StateKey>::Stored {
        let json = value.serialize_stored(serde_json::value::Serializer).expect("plain data");
        assert_eq!(json, serde_json::json!({ "cart": [1] }));
        serde_json::from_value(json).expect("the same data")
    }
}

#[test]
fn the_rules_of_key_fields_are_checked_on_the_key_alone() {
    assert!(Session::key("a", 1).check().is_ok());
    let report = Session::key("", 0).check().expect_err("both fields are wrong");
    assert_eq!(report.iter().count(), 2);
}

#[test]
fn an_empty_field_is_an_error_of_encoding() {
    let mut writer = KeyWriter::new();
    Session::key("", 1).write(&mut writer);
    assert_eq!(writer.finish(), Err(KeyError::Empty { field: "tenant" }));
}

#[test]
fn a_key_that_cannot_be_encoded_prints_as_no_other_key() {
    for key in [Session::key("", 1), Session::key("x".repeat(2000), 1)] {
        let printed = key.to_string();
        assert!(printed.ends_with('…'), "{printed}");
        assert!(printed.parse::<SessionKey>().is_err(), "{printed}");
    }
}

#[test]
fn keys_are_ordered_by_their_fields_in_the_order_of_the_format() {
    assert!(Session::key("a", 9) < Session::key("b", 1));
    assert!(Session::key("a", 9) < Session::key("a", 10));
    assert_ne!(Session::key("a", 1), Session::key("b", 1));
}
