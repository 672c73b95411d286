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
//! | `memory:` | [`MemoryBackend`] | `memory` |
//! | `file:path`, `file:///path` | [`FileBackend`] | `file` |
//!
//! [`MemoryBackend`]: crate::backends::memory::MemoryBackend
//! [`FileBackend`]: crate::backends::file::FileBackend

#[cfg(feature = "dapr")]
mod dapr;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "memory")]
mod memory;
#[allow(dead_code, reason = "each backend uses a part of it")]
mod options;
#[cfg(feature = "redis")]
mod redis;
mod scheme;
mod suggest;
#[cfg(test)]
mod tests;
mod units;
#[allow(dead_code, reason = "each backend uses a part of it")]
mod url;

use core::future::ready;

use self::{scheme::Kind, url::Url};
use crate::{backend::AnyBackend, error::Result, store::StateStore};

/// Opens the backend that `url` names.
///
/// # Errors
///
/// [`InvalidUrl`](crate::StateError::InvalidUrl) where the URL names none, with what it could name:
/// an unknown scheme or option, a value that does not fit, a feature that is switched off. Otherwise
/// what the backend says when it is opened.
pub async fn backend(url: &str) -> Result<AnyBackend> {
    let url = Url::parse(url)?;
    match url.scheme.kind {
        #[cfg(feature = "memory")]
        Kind::Memory => ready(memory::open(url)).await,
        #[cfg(feature = "file")]
        Kind::File => file::open(url).await,
        #[cfg(feature = "redis")]
        Kind::Redis { .. } => redis::open(url).await,
        #[cfg(feature = "dapr")]
        Kind::Dapr => dapr::open(url).await,
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
