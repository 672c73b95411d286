//! Typed, validated state on shared and embedded stores.

extern crate alloc;

// The derive names this crate from the outside; the crate's own tests are inside.
extern crate self as state_runtime;

pub mod backend;
pub mod backends;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod key;
pub mod schema;
pub mod store;

pub mod prelude;

/// For generated code only; anything in it may change in any release.
#[doc(hidden)]
pub mod __private {
    pub use garde;
    pub use inventory;
    pub use serde;
}
