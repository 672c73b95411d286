//! The typed store: `StateStore`, its operations and what surrounds each of them.

mod access;
mod add;
mod backoff;
mod batches;
mod builder;
mod deadline;
mod fenced;
mod former;
mod gate;
mod guard;
mod invalid;
mod lifetime;
mod many;
mod one;
mod optimistic;
mod parallel;
mod path;
mod rename;
mod rewrite;
mod scan;
mod stored_in;
mod throttle;
mod transaction;
mod tuple;
mod turns;
mod update;
mod versioned;
mod watch;

use core::{fmt, time::Duration};
use std::sync::Arc;

pub(crate) use self::turns::Turns;
pub use self::{
    access::Access,
    builder::StoreBuilder,
    fenced::FencedStore,
    lifetime::Lifetime,
    one::TimeToLive,
    optimistic::Revised,
    path::decode,
    scan::{Count, KeyScan, RemoveAll, Scan},
    stored_in::StoredIn,
    transaction::Transaction,
    tuple::{Keys, Namespaces},
    update::Change,
    watch::{Changed, Watch, WatchAll},
};
use self::{guard::Guard, path::Scope};
use crate::{
    backend::{AnyBackend, Backend, Capabilities},
    error::{Operation, Result},
};

/// A typed state store: typed, validated operations over a backend that knows only bytes.
///
/// Cheap to clone: clones share the backend, the bound on operations in flight, and the closing.
///
/// # Functions over any backend
///
/// A function that is generic over the backend names the capabilities that it needs, the same words
/// that the compiler uses when one is missing:
///
/// ```
/// use state_runtime::{StateError, backend::{Cas, Ttl}, prelude::*};
/// # #[derive(Debug, StateKey, Validate)]
/// # #[state(key = "session:{id}", ttl = "30m")]
/// # #[garde(allow_unvalidated)]
/// # struct Session { id: String, user: String }
///
/// async fn begin<B: Ttl + Cas>(store: &StateStore<B>, id: &str) -> Result<(), StateError> {
///     store.create(&Session { id: id.into(), user: "ada".into() }).await
/// }
/// ```
///
/// A program that chooses its backend at run time uses `StateStore`, which is
/// `StateStore<AnyBackend>`.
///
/// # Deadlines and dropped futures
///
/// Every operation has a deadline ([`StoreBuilder::deadline`]) that includes waiting for its turn,
/// and runs on a Tokio runtime with time enabled. Any of its futures may be dropped: a write that
/// was handed over by then may still happen, the store stays consistent and usable.
///
/// ```standalone_crate
/// use state_runtime::{backends::MemoryBackend, prelude::*};
///
/// #[derive(Debug, PartialEq, StateKey, Validate)]
/// #[state(key = "session:{session_id}", ttl = "30m")]
/// struct Session {
///     #[garde(length(min = 1, max = 64))]
///     session_id: String,
///     #[garde(length(min = 1))]
///     user_id: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), state_runtime::StateError> {
/// let store = StateStore::new(MemoryBackend::new())?;
/// let session = Session { session_id: "abc123".into(), user_id: "ada".into() };
/// store.set(&session).await?;
/// assert_eq!(store.get(Session::key("abc123")).await?, Some(session));
/// assert_eq!(store.get(Session::key("nobody")).await?, None);
/// # Ok(())
/// # }
/// ```
pub struct StateStore<B = AnyBackend> {
    guard: Arc<Guard<B>>,
    scope: Option<Scope>,
    access: Access,
    lifetime: Option<Lifetime>,
}

impl<B: Backend> StateStore<B> {
    /// A store over `backend` with the default settings of [`StoreBuilder`].
    ///
    /// # Errors
    ///
    /// [`NamespaceConflict`](crate::StateError::NamespaceConflict) if two types of state that are
    /// linked into the program can share a key.
    pub fn new(backend: B) -> Result<Self> {
        Self::builder(backend).build()
    }

    /// A store for production: it refuses a backend that could lose acknowledged state.
    ///
    /// ```standalone_crate
    /// use state_runtime::{StateError, backends::MemoryBackend, prelude::*};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let refused = StateStore::production(MemoryBackend::new()).await;
    /// assert!(matches!(refused, Err(StateError::NotDurable { .. })));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotDurable`](crate::StateError::NotDurable) with the risks, those of [`new`](Self::new),
    /// and those of the backend when it is asked.
    pub async fn production(backend: B) -> Result<Self> {
        Self::builder(backend).build_production().await
    }

    /// A store whose settings are to be chosen.
    pub fn builder(backend: B) -> StoreBuilder<B> {
        StoreBuilder::new(backend)
    }

    /// The same store within the scope of an application or a tenant.
    ///
    /// All keys of a scope start with `/name/`, which no key format can, so scopes never share a
    /// key with one another or with the unscoped store.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](crate::StateError::InvalidKey) if the name is empty or too long, or if this
    /// store is scoped already: scopes do not nest.
    pub fn scoped(&self, name: &str) -> Result<Self> {
        let scope = Some(Scope::new(self.scope.as_ref(), name)?);
        Ok(Self { scope, ..self.clone() })
    }

    /// The same store with no more than these rights.
    ///
    /// Rights are about state: reading a `sliding` type renews it, as the type says, and every
    /// handle may [`close`](Self::close) the store for all.
    #[must_use]
    pub fn restricted(&self, access: Access) -> Self {
        Self { access: self.access.and(access), ..self.clone() }
    }

    /// The rights of this store.
    #[must_use]
    pub const fn access(&self) -> Access {
        self.access
    }

    /// What the backend can do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.guard.backend.capabilities()
    }

    /// The backend itself, for what it offers beyond the contract.
    #[must_use]
    pub fn backend(&self) -> &B {
        &self.guard.backend
    }

    /// Checks that the backend can take a write right now.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    pub async fn health(&self) -> Result<()> {
        self.access.check(Operation::Health)?;
        self.guard.health().await
    }

    /// Closes the store and all its clones: refuses new operations, waits for those in flight, and
    /// closes the backend, all of it within `deadline`.
    ///
    /// # Errors
    ///
    /// [`Timeout`](crate::StateError::Timeout) if operations were still in flight at the deadline,
    /// and what the backend says.
    pub async fn close(&self, deadline: Duration) -> Result<()> {
        self.access.check(Operation::Close)?;
        self.guard.close(deadline).await
    }
}

impl<B> Clone for StateStore<B> {
    fn clone(&self) -> Self {
        Self {
            guard: Arc::clone(&self.guard),
            scope: self.scope.clone(),
            access: self.access,
            lifetime: self.lifetime,
        }
    }
}

impl<B: Backend> fmt::Debug for StateStore<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateStore")
            .field("backend", &self.guard.backend)
            .field("scope", &self.scope)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}
