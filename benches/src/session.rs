//! The sample: a session of 300 bytes with five items in its cart.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use state_runtime::{prelude::*, value::codec};

/// One item of a cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate)]
pub struct CartItem {
    /// What it is.
    #[garde(length(min = 1, max = 32))]
    pub sku: String,
    /// How many.
    #[garde(range(min = 1, max = 99))]
    pub quantity: u32,
    /// In cents.
    #[garde(range(max = 10_000_000))]
    pub price: u64,
}

/// A session that stays until it is removed.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "session:{session_id}", persistent)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The key.
    #[garde(length(min = 1, max = 64))]
    pub session_id: String,
    /// Whose it is.
    #[garde(length(min = 1))]
    pub user_id: String,
    /// What is to be bought.
    #[garde(dive)]
    pub cart: Vec<CartItem>,
}

/// The same with a lifetime.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "expiring:{session_id}", ttl = "30m")]
#[serde(rename_all = "camelCase")]
pub struct ExpiringSession {
    /// The key.
    #[garde(length(min = 1, max = 64))]
    pub session_id: String,
    /// Whose it is.
    #[garde(length(min = 1))]
    pub user_id: String,
    /// What is to be bought.
    #[garde(dive)]
    pub cart: Vec<CartItem>,
}

/// The id of the session with this number: 32 characters, as a random id would have.
#[must_use]
pub fn id(number: u64) -> String {
    // Spread over all digits, so that neighbours do not share a prefix.
    let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("{spread:016x}{:016x}", spread.swap_bytes())
}

/// The session with this number.
#[must_use]
pub fn sample(number: u64) -> Session {
    let item =
        |n: u64| CartItem { sku: format!("article-{n:05}"), quantity: 2, price: 129_900 + n };
    Session {
        session_id: id(number),
        user_id: format!("customer-{number:09}"),
        cart: (1..=5).map(item).collect(),
    }
}

/// The stored form of the session with this number.
///
/// # Panics
///
/// If the sample breaks its own rules.
#[must_use]
pub fn encoded(number: u64) -> Bytes {
    codec::encode(&sample(number)).expect("the sample is valid")
}

impl From<Session> for ExpiringSession {
    fn from(session: Session) -> Self {
        let Session { session_id, user_id, cart } = session;
        Self { session_id, user_id, cart }
    }
}
