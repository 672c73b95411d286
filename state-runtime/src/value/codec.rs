//! The one encode and the one decode on their own, for the benchmarks.

use bytes::Bytes;

use crate::schema::StateKey;

/// The stored form of a value; `None` if it is not valid.
pub fn encode<T: StateKey>(value: &T) -> Option<Bytes> {
    super::encode(value).ok()
}

/// The value of a key; `None` if what is stored is not valid.
pub fn decode<T: StateKey>(key: T::Key, stored: &[u8]) -> Option<T> {
    super::decode(key, stored).ok()
}
