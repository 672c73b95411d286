//! Typed, validated state on shared and embedded stores.

extern crate alloc;

pub mod backend;
pub mod backends;
pub mod error;
pub mod key;
pub mod schema;
pub mod store;
pub mod value;

pub mod prelude;

pub use bytes;

pub use self::error::StateError;

/// For generated code only; anything in it may change in any release.
#[doc(hidden)]
pub mod __private {
    pub use garde;
    pub use inventory;
    pub use serde;
}
