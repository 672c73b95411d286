//! Several writes as one.

use bytes::Bytes;

use super::{RemoveOptions, SetOptions};
use crate::key::Key;

/// One operation of a batch.
#[derive(Clone)]
pub enum BatchOp {
    /// Writes an entry.
    Set {
        /// Its key.
        key: Key,
        /// Its value.
        value: Bytes,
        /// How.
        options: SetOptions,
    },
    /// Removes an entry.
    Remove {
        /// Its key.
        key: Key,
        /// How.
        options: RemoveOptions,
    },
}

impl BatchOp {
    /// The key it is about.
    #[must_use]
    pub const fn key(&self) -> &Key {
        match self {
            Self::Set { key, .. } | Self::Remove { key, .. } => key,
        }
    }
}

/// Hides the value.
impl core::fmt::Debug for BatchOp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Set { key, value, options } => f
                .debug_struct("Set")
                .field("key", key)
                .field("value", &format_args!("<{} bytes>", value.len()))
                .field("options", options)
                .finish(),
            Self::Remove { key, options } => {
                f.debug_struct("Remove").field("key", key).field("options", options).finish()
            }
        }
    }
}
