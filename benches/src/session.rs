//! The sample: a session of 300 bytes with five items in its cart.

use std::fmt::Write as _;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use state_runtime::{prelude::*, value::codec};

use crate::by_hand;

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
    let mut id = String::with_capacity(32);
    write_id(&mut id, number);
    id
}

fn write_id(id: &mut String, number: u64) {
    // Spread over all digits, so that neighbours do not share a prefix.
    let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    id.clear();
    // Writing to a string cannot fail.
    let _ = write!(id, "{spread:016x}{:016x}", spread.swap_bytes());
}

/// A session of either side of a comparison.
pub trait Sample: for<'a> From<&'a Session> + Send + Sync + 'static {
    /// Its id and its user.
    fn texts(&mut self) -> (&mut String, &mut String);

    /// Gives it the id of the session with the number `id`, and a user that makes it a value that
    /// was not there before. That takes as long for either side, and allocates nothing.
    fn renew(&mut self, id: u64, user: u64) {
        let (session_id, user_id) = self.texts();
        write_id(session_id, id);
        user_id.clear();
        let _ = write!(user_id, "customer-{user:09}");
    }
}

impl From<&Session> for Session {
    fn from(session: &Session) -> Self {
        session.clone()
    }
}

impl Sample for Session {
    fn texts(&mut self) -> (&mut String, &mut String) {
        (&mut self.session_id, &mut self.user_id)
    }
}

impl Sample for by_hand::Session {
    fn texts(&mut self) -> (&mut String, &mut String) {
        (&mut self.session_id, &mut self.user_id)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewed_session_is_another_value_of_the_same_size_under_the_id_it_was_given() {
        let mut session = sample(7);
        session.renew(8, 123_456);
        assert_eq!(session.session_id, id(8));
        let encoded = codec::encode(&session).unwrap();
        assert_eq!(encoded.len(), 300);
        assert_ne!(encoded, super::encoded(8));
    }
}
