//! From a URL to a backend, chosen at run time: `redis://…`, `nats://…`, `file:…`.
//!
//! [`StateStore::connect`] gives a store, [`backend`] the backend for a store that is to be
//! configured:
//!
//! ```standalone_crate
//! use state_runtime::{StateError, connect, prelude::*};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), StateError> {
//! let store = StateStore::connect("memory:").await?;
//!
//! let backend = connect::backend("memory:?max_bytes=16MiB").await?;
//! let store = StateStore::builder(backend).scope("acme").build()?;
//! # Ok(())
//! # }
//! ```
//!
//! | URL | backend | feature |
//! |---|---|---|
//! | `memory:` | memory | `memory` |
//! | `file:path`, `file:///path` | a folder | `file` |
//! | `redis://user:password@host:6379/0` | Redis or Valkey, one server | `redis` |
//! | `redis+cluster://host:6379,host:6379` | a cluster, of which these are some nodes | `redis` |
//! | `redis+sentinel://host:26379,host:26379/mymaster` | what sentinels call `mymaster` | `redis` |
//! | `rediss://…`, `rediss+cluster://…`, `rediss+sentinel://…` | the same with TLS | `redis` |
//! | `nats://user:password@host:4222,host:4222/bucket` | a key-value bucket of NATS | `nats` |
//! | `tls+nats://…` | the same with TLS | `nats` |
//! | `dapr://host:3500/store` | a state store of a Dapr sidecar | `dapr` |
//!
//! Settings follow as `?name=value&name=value`. Each is called like the method of the typed
//! configuration that sets it: `client_name` is `with_client_name`. A time is written like `500ms`, a
//! size like `16MiB`. Special characters are percent-encoded, `@` in a password as `%40`. A name that
//! the backend does not know is an error that lists those that it does.
//!
//! # Secrets
//!
//! A URL can hold a password or a token, so no error repeats what could be one, however the URL was
//! mistyped, and the `Debug` form of what it opens does not show it.

#![cfg_attr(
    not(all(
        feature = "dapr",
        feature = "file",
        feature = "memory",
        feature = "nats",
        feature = "redis"
    )),
    allow(dead_code, reason = "each backend uses a part of what they share")
)]

#[cfg(feature = "dapr")]
mod dapr;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "nats")]
mod nats;
mod options;
#[cfg(feature = "redis")]
mod redis;
mod scheme;
#[cfg(test)]
mod tests;
mod units;
mod url;

use core::future::ready;

use self::url::Url;
use crate::{backend::AnyBackend, error::Result, store::StateStore};

/// Opens the backend that `url` names.
///
/// # Errors
///
/// [`InvalidUrl`](crate::StateError::InvalidUrl) where the URL names none, with what it could name:
/// an unknown scheme or option, a value that does not fit, a feature that is switched off. Otherwise
/// what the backend says when it is opened.
#[allow(
    unreachable_patterns,
    clippy::match_single_binding,
    clippy::match_wildcard_for_single_variants,
    reason = "what is left depends on the features"
)]
pub async fn backend(url: &str) -> Result<AnyBackend> {
    let url = Url::parse(url)?;
    match url.scheme.kind {
        #[cfg(feature = "memory")]
        scheme::Kind::Memory => ready(memory::open(url)).await,
        #[cfg(feature = "file")]
        scheme::Kind::File => file::open(url).await,
        #[cfg(feature = "redis")]
        scheme::Kind::Redis { .. } => redis::open(url).await,
        #[cfg(feature = "dapr")]
        scheme::Kind::Dapr => dapr::open(url).await,
        #[cfg(feature = "nats")]
        scheme::Kind::Nats { .. } => nats::open(url).await,
        _ => ready(Err(url.scheme.not_compiled().into())).await,
    }
}

impl StateStore<AnyBackend> {
    /// A store over the backend that `url` names, with the default settings of
    /// [`StoreBuilder`](crate::store::StoreBuilder). What a URL can say is told in
    /// [`connect`](crate::connect).
    ///
    /// ```standalone_crate
    /// use state_runtime::{StateError, prelude::*};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StateError> {
    /// let store = StateStore::connect("memory:?max_entries=1000").await?;
    /// store.health().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// For production, `StateStore::production(connect::backend(url).await?)` refuses a backend that
    /// could lose acknowledged state.
    ///
    /// # Errors
    ///
    /// Those of [`connect::backend`](crate::connect::backend) and of [`StateStore::new`].
    pub async fn connect(url: &str) -> Result<Self> {
        Self::new(backend(url).await?)
    }
}
