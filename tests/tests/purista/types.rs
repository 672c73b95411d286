//! Types whose keys both servers hold as they are: a dot instead of a colon.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use state_runtime::prelude::*;

#[expect(clippy::struct_field_names, reason = "the other side calls it so")]
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "session.{session_id}", persistent)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    #[garde(length(min = 1, max = 64))]
    pub(crate) session_id: String,
    #[garde(length(min = 1))]
    pub(crate) user_id: String,
    #[garde(dive)]
    pub(crate) cart: Vec<CartItem>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate)]
pub(crate) struct CartItem {
    #[garde(length(min = 1))]
    pub(crate) sku: String,
    #[garde(range(min = 1, max = 99))]
    pub(crate) quantity: u32,
}

/// As long as it was written here, at most.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "code.{name}", ttl = "50ms")]
pub(crate) struct Code {
    #[garde(skip)]
    pub(crate) name: String,
    #[garde(ascii)]
    pub(crate) digits: String,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "reading.{name}", persistent)]
pub(crate) struct Reading {
    #[garde(skip)]
    pub(crate) name: String,
    #[state(value)]
    #[garde(skip)]
    pub(crate) value: f64,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "count.{name}", persistent)]
pub(crate) struct Count {
    #[garde(skip)]
    pub(crate) name: String,
    #[state(value)]
    #[garde(skip)]
    pub(crate) value: i64,
}

/// Whatever JSON has.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "any.{name}", persistent)]
pub(crate) struct Anything {
    #[garde(skip)]
    pub(crate) name: String,
    #[state(value)]
    #[garde(skip)]
    pub(crate) value: Value,
}

/// Members in an order that JavaScript does not keep.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "members.{name}", persistent)]
pub(crate) struct Members {
    #[garde(skip)]
    pub(crate) name: String,
    #[garde(skip)]
    pub(crate) b: u32,
    #[serde(rename = "10")]
    #[garde(skip)]
    pub(crate) ten: u32,
    #[serde(rename = "2")]
    #[garde(skip)]
    pub(crate) two: u32,
}
