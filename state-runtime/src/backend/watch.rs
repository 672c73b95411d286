//! Being told of changes.

use core::{fmt, pin::Pin};

use futures_core::Stream;

use super::Result;
use crate::key::Key;

/// A stream of `'static` life that can be sent between threads.
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;

/// What a backend's watch returns: every change after the moment it was returned.
pub type Changes = BoxStream<'static, Result<Change>>;

/// What to watch.
#[derive(Clone)]
pub enum WatchRequest {
    /// One entry.
    Key(Key),
    /// Every entry whose key starts with this text.
    Prefix(String),
}

/// Hides a prefix: fields of a key that are secret may stand in it.
impl fmt::Debug for WatchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.debug_tuple("Key").field(key).finish(),
            Self::Prefix(_) => f.write_str("Prefix(…)"),
        }
    }
}

impl WatchRequest {
    /// Whether `key` is among what is watched.
    #[must_use]
    pub fn covers(&self, key: &str) -> bool {
        match self {
            Self::Key(one) => one.as_str() == key,
            Self::Prefix(prefix) => key.starts_with(prefix.as_str()),
        }
    }
}

/// A hint that something may have changed: read it to learn what it is now.
///
/// A watch tells the latest state, not every change: two quick writes of one key may give one
/// hint, and a hint may come for a write that changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The entry under this key was written, removed, or has expired.
    Key(Key),
    /// Hints were lost (a reconnect, a slow reader): anything may have changed.
    Everything,
}
