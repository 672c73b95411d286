//! `#[derive(KeyPart)]`: newtypes and enums in keys.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use state_runtime::{key::PartError, prelude::*};

/// A newtype.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
pub struct UserId(u64);

/// A newtype with a named field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
pub struct Tagged<T> {
    inner: T,
}

/// Where an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
#[state(rename_all = "kebab-case")]
pub enum Status {
    /// Not yet sent.
    InProgress,
    /// Gone.
    #[state(rename = "sent:out")]
    Sent,
}

/// Keyed by all of them.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "order:{user}:{status}/{tag}", persistent)]
#[garde(allow_unvalidated)]
pub struct Order {
    user: UserId,
    status: Status,
    tag: Tagged<String>,
    total: u32,
}

impl From<u64> for UserId {
    fn from(id: u64) -> Self {
        Self(id)
    }
}

#[test]
fn derived_parts_stand_in_keys() {
    let key = Order::key(7, Status::InProgress, Tagged { inner: "a/b".to_owned() });
    assert_eq!(key.to_string(), "order:7:in-progress/a=2Fb");
    assert_eq!("order:7:in-progress/a=2Fb".parse(), Ok(key));
    let key = Order::key(7, Status::Sent, Tagged { inner: "a".to_owned() });
    assert_eq!(key.to_string(), "order:7:sent=3Aout/a");
    assert_eq!(key.to_string().parse(), Ok(key));
}

#[test]
fn another_text_is_refused_with_the_ones_that_are_not() {
    assert_eq!(Status::parse("Sent"), Err(PartError::expected("one of `in-progress`, `sent:out`")));
    assert!("order:07:in-progress/a".parse::<OrderKey>().is_err());
}
