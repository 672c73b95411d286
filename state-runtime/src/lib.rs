//! Typed, validated state on shared and embedded stores.
//!
//! A service keeps its sessions, counters, jobs and cached results in a state store, which is a map
//! from strings to bytes. With this crate a struct declares its key, its lifetime and its rules
//! once, and the store that is built over it is typed: keys cannot be formatted wrongly, writes are
//! validated before they leave the program, and a value that was not decoded, version-checked and
//! validated cannot be obtained.
//!
//! ```standalone_crate
//! use state_runtime::{StateError, backends::MemoryBackend, prelude::*};
//!
//! #[derive(Debug, PartialEq, StateKey, Validate)]
//! #[state(key = "session:{id}", ttl = "30m")]
//! struct Session {
//!     #[garde(length(min = 1, max = 64))]
//!     id: String,
//!     #[garde(length(min = 1))]
//!     user: String,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), StateError> {
//! let store = StateStore::new(MemoryBackend::new())?;
//! let session = Session { id: "abc123".into(), user: "ada".into() };
//! store.set(&session).await?;
//! assert_eq!(store.get(Session::key("abc123")).await?, Some(session));
//!
//! let nobody = Session { id: "abc123".into(), user: String::new() };
//! assert!(matches!(store.set(&nobody).await, Err(StateError::Invalid { .. })));
//! # Ok(())
//! # }
//! ```
//!
//! `garde` and `serde` have to be dependencies of the program, because the code that their derives
//! generate names them.
//!
//! # Where to find what
//!
//! - [`StateKey`](macro@StateKey): the derive, and every attribute it knows.
//! - [`StateStore`](store::StateStore): the operations, and how a store is built, scoped and
//!   restricted.
//! - [`StateError`]: what can go wrong, and whether a write may have happened all the same.
//! - [`backends`]: those that come with the crate. [`MemoryBackend`](backends::MemoryBackend) is for
//!   development and tests; [`FileBackend`](backends::FileBackend) keeps state in a folder, without
//!   a server, and an acknowledged write survives a loss of power; those for Redis, NATS and Dapr
//!   share state between programs.
//! - [`connect`]: a backend that is chosen at run time, by its URL.
//! - [`Backend`](backend::Backend): three methods, to write one.
//! - [`patterns`]: what is kept in a state store again and again: rate limits, locks, sessions.
//! - [`key`]: how key fields become one string that can be read back.
//!
//! # What is stored
//!
//! Plain JSON of the fields that the key does not name, under the encoded key: the session above is
//! `{"user":"ada"}` under `session:abc123`. A program in any other language can share it. Members
//! whose names start with `$` are the runtime's own.
//!
//! # Features
//!
//! `derive`, `memory` and `file` are on by default; `redis`, `nats` and `dapr` compile a client each;
//! `conformance` is the suite for authors of backends; `uuid`, `chrono` and `jiff` let those types
//! stand in keys. A program compiles the dependencies of the backends that it enables and of no
//! other.

extern crate alloc;

pub mod backend;
pub mod backends;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod connect;
pub mod error;
pub mod key;
pub mod patterns;
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
            Countable, Expiring, Fenced, Instance, KeyFormat, Namespace, OnInvalid, Persistent,
            Prefix, Registration, Removable, Shape, SoleValue, StateKey, Token, TypedKey,
            Unversioned, UpgradeFrom, UpgradeSource, Validated, Versioned, Writable, key_text,
        },
    };
}
