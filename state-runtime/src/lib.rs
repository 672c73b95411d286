//! Typed, validated state on shared and embedded stores.

extern crate alloc;

pub mod backend;
pub mod backends;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod error;
pub mod key;
pub mod schema;
pub mod store;
pub mod value;

pub mod prelude;

pub use bytes;

pub use self::error::StateError;
#[cfg(feature = "derive")]
pub use state_macros::{KeyPart, StateKey};

/// For generated code only; anything in it may change in any release.
#[doc(hidden)]
pub mod __private {
    pub use garde;
    pub use inventory;
    pub use serde;

    pub use crate::{
        key::{KeyError, KeyPart, KeyReader, KeyWriter, PartError, Segment},
        schema::{
            Expiring, Instance, KeyFormat, Namespace, OnInvalid, Persistent, Registration, Shape,
            StateKey, Token, TypedKey, Unversioned, UpgradeFrom, UpgradeSource, Validated,
            Versioned, Writable, key_text,
        },
    };
}
