//! How long entries live: what a write does to it, and changing it without a write.

use core::time::Duration;

use super::{StateStore, StoredIn};
use crate::{
    backend::{Backend, Capability, Ttl, TtlChange},
    error::{Operation, Result},
    schema::{Expiring, StateKey, TypedKey},
};

/// What the writes through a handle do to the lifetime of an entry, in place of what its type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// An entry keeps the expiry that it has; a new one lives for ever.
    Keep,
    /// An entry lives this long from the write.
    For(Duration),
    /// An entry lives until it is removed.
    Forever,
}

impl<B: Backend> StateStore<B> {
    /// The same store, whose writes give entries this lifetime, whatever their type says.
    ///
    /// ```standalone_crate
    /// use core::time::Duration;
    /// use state_runtime::{StateError, backends::MemoryBackend, prelude::*, store::{Lifetime, TimeToLive}};
    ///
    /// #[derive(Debug, StateKey, Validate)]
    /// #[state(key = "session:{id}", ttl = "30m")]
    /// #[garde(allow_unvalidated)]
    /// struct Session { id: String, user: String }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StateError> {
    /// let store = StateStore::new(MemoryBackend::new())?;
    /// let session = Session { id: "abc".into(), user: "ada".into() };
    /// let remembered = store.with_lifetime(Lifetime::For(Duration::from_secs(30 * 86_400)));
    /// remembered.set(&session).await?;
    /// // Written again without starting its lifetime anew:
    /// store.with_lifetime(Lifetime::Keep).set(&session).await?;
    /// let ttl = store.ttl(session.state_key()).await?;
    /// assert!(matches!(ttl, Some(TimeToLive::Left(left)) if left > Duration::from_secs(86_400)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A time that the backend cannot keep is [`InvalidTtl`](crate::StateError::InvalidTtl) where it
    /// is used.
    #[must_use]
    pub fn with_lifetime(&self, lifetime: Lifetime) -> Self
    where
        B: Ttl,
    {
        Self { lifetime: Some(lifetime), ..self.clone() }
    }

    /// Starts the lifetime of a value anew and leaves the value; `false` if there is none.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](crate::StateError::InvalidKey) before anything is sent, and those of the
    /// backend.
    pub async fn touch<K>(&self, key: K) -> Result<bool>
    where
        K: TypedKey<Value: StateKey<Lifetime = Expiring>>,
        B: Ttl,
    {
        let ttl = self.ttl_change::<K::Value>();
        self.change_expiry(key, ttl).await
    }

    /// Lets a value live until it is removed, whatever its type says; `false` if there is none. The
    /// next write gives it the lifetime of its type again.
    ///
    /// # Errors
    ///
    /// Those of [`touch`](Self::touch).
    pub async fn persist<K>(&self, key: K) -> Result<bool>
    where
        K: TypedKey,
        <K::Value as StateKey>::Lifetime: StoredIn<B>,
        B: Ttl,
    {
        self.change_expiry(key, TtlChange::Clear).await
    }

    async fn change_expiry<K: TypedKey>(&self, key: K, ttl: TtlChange) -> Result<bool> {
        self.access.check(Operation::Touch)?;
        let encoded = self.encode_key(&key)?;
        if self.guard.touch(&encoded, ttl).await? {
            return Ok(true);
        }
        let Some(former) = self.former_key(&key) else { return Ok(false) };
        // A writer may move it between two of the tries.
        Ok(self.guard.touch(&former, ttl).await? || self.guard.touch(&encoded, ttl).await?)
    }

    /// What writing a value of `T` does to its expiry.
    pub(super) fn ttl_change<T: StateKey>(&self) -> TtlChange {
        let ttl = match self.lifetime {
            None => T::NAMESPACE.ttl,
            Some(Lifetime::For(ttl)) => Some(ttl),
            Some(Lifetime::Keep) => return self.keep(),
            Some(Lifetime::Forever) => None,
        };
        ttl.map_or(TtlChange::Clear, TtlChange::After)
    }

    /// Leaves the expiry as it is; a backend that knows none has nothing to leave.
    pub(super) fn keep(&self) -> TtlChange {
        if self.guard.offers(Capability::Ttl) { TtlChange::Keep } else { TtlChange::Clear }
    }
}
