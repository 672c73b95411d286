//! The types that are listed, and how they get into a store.

use state_runtime::{
    StateError,
    backend::{Backend, SetOptions},
    key::Key,
    prelude::*,
};

/// A key of three fields, with all kinds of delimiters.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "line:{shop}/order.{order}:{line}", ttl = "1h")]
pub(crate) struct Line {
    #[garde(length(max = 64))]
    pub(crate) shop: String,
    #[garde(skip)]
    pub(crate) order: String,
    #[garde(skip)]
    pub(crate) line: u32,
    #[garde(range(max = 100))]
    pub(crate) count: u8,
}

/// Another type whose keys start the same.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "line:{shop}/order.{order}", persistent)]
#[garde(allow_unvalidated)]
pub(crate) struct Order {
    pub(crate) shop: String,
    pub(crate) order: String,
    pub(crate) paid: bool,
}

/// Its former format begins with the same field.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "seat:{hall}:{row}", persistent, formerly = "hall:{hall}:seat:{row}")]
#[garde(allow_unvalidated)]
pub(crate) struct Seat {
    pub(crate) hall: String,
    pub(crate) row: u32,
    pub(crate) guest: String,
}

/// Its former format begins with the other field.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "member:{org}:{id}", persistent, formerly = "user:{id}.{org}")]
#[garde(allow_unvalidated)]
pub(crate) struct Member {
    pub(crate) org: String,
    pub(crate) id: u32,
    pub(crate) name: String,
}

/// The first field is a secret.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "reset:{token}:{attempt}", ttl = "1h")]
#[garde(allow_unvalidated)]
pub(crate) struct Reset {
    #[state(secret)]
    pub(crate) token: String,
    pub(crate) attempt: u32,
    #[garde(range(max = 9))]
    pub(crate) digits: u8,
}

pub(crate) fn line(shop: &str, order: &str, line: u32) -> Line {
    Line { shop: shop.to_owned(), order: order.to_owned(), line, count: 1 }
}

pub(crate) fn seat(hall: &str, row: u32, guest: &str) -> Seat {
    Seat { hall: hall.to_owned(), row, guest: guest.to_owned() }
}

pub(crate) fn member(org: &str, id: u32, name: &str) -> Member {
    Member { org: org.to_owned(), id, name: name.to_owned() }
}

/// Writes what is not of the type, in the way of another program.
pub(crate) async fn plant<B: Backend>(
    store: &StateStore<B>,
    key: &str,
    value: &str,
) -> Result<(), StateError> {
    let value = value.to_owned().into();
    store.backend().set(&Key::from_stored(key), value, SetOptions::default()).await?;
    Ok(())
}
