//! Writing with a fencing token: who is late is refused.

use core::fmt;

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    Change, StateStore,
    path::read,
    versioned::{contended, overwrite},
};
use crate::{
    backend::{Backend, Cas, Condition, GetOptions, SetOptions, TtlChange, Want},
    error::{InvalidKey, Operation, Result, StateError},
    key::Key,
    schema::{Fenced, FencingToken, StateKey, TypedKey},
    value,
};

impl<B: Backend> StateStore<B> {
    /// The same store for one holder of a lock of type `L`: what it writes carries the holder's token, and
    /// is refused once something was written with a greater one.
    ///
    /// Types that say `fenced_by = L` are written by this alone; they are read as all others. A value and
    /// its token are one entry, written under the condition that nothing came in between, so this holds on
    /// every backend with compare-and-swap. [`LockGuard::token`](crate::patterns::LockGuard::token) gives the
    /// token.
    ///
    /// ```standalone_crate
    /// # use core::time::Duration;
    /// # use state_runtime::{StateError, backends::MemoryBackend, patterns::{Lease, Lock}, prelude::*};
    /// #[derive(Debug, StateKey, Validate)]
    /// #[state(key = "lock:report:{name}", persistent)]
    /// struct ReportLock { #[garde(skip)] name: String, #[state(value)] #[garde(skip)] lease: Lease }
    ///
    /// #[derive(Debug, PartialEq, StateKey, Validate)]
    /// #[state(key = "report:{name}", persistent, fenced_by = ReportLock)]
    /// struct Report { #[garde(skip)] name: String, #[garde(skip)] text: String }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StateError> {
    /// # let store = StateStore::new(MemoryBackend::new())?;
    /// let lock = Lock::<ReportLock, _>::new(&store, Duration::from_secs(10))?;
    /// let late = lock.acquire(ReportLock::key("nightly"), Duration::from_secs(1)).await?;
    /// # store.remove(ReportLock::key("nightly")).await?;
    /// // Time passes, and somebody else takes over.
    /// let next = lock.acquire(ReportLock::key("nightly"), Duration::from_secs(1)).await?;
    /// let report = |text: &str| Report { name: "nightly".into(), text: text.into() };
    /// store.fenced(next.token()).set(&report("new")).await?;
    /// let refused = store.fenced(late.token()).set(&report("old")).await;
    /// assert!(matches!(refused, Err(StateError::Fenced { .. })));
    /// assert_eq!(store.get(Report::key("nightly")).await?, Some(report("new")));
    /// # Ok(())
    /// # }
    /// ```
    pub fn fenced<L: StateKey>(&self, token: FencingToken<L>) -> FencedStore<L, B> {
        FencedStore { store: self.clone(), token }
    }
}

/// A store that writes with the token of one holder of a lock; see [`StateStore::fenced`].
///
/// Each operation reads, compares the tokens and writes, and does so again if somebody came in
/// between, up to the store's deadline. A token is compared with what is stored; so a holder that is late is
/// refused from the first write of the next one on, not before.
pub struct FencedStore<L, B> {
    store: StateStore<B>,
    token: FencingToken<L>,
}

/// What a fenced write makes of what is stored.
struct Found<T> {
    value: Option<T>,
    condition: Condition,
    /// Whether there is something of which a mark has to stay.
    is_stored: bool,
}

impl<L: StateKey, B: Cas> FencedStore<L, B> {
    /// The token that is written with.
    pub const fn token(&self) -> FencingToken<L> {
        self.token
    }

    /// Writes a value, whatever an earlier holder has written.
    ///
    /// # Errors
    ///
    /// [`Fenced`](StateError::Fenced) if a later holder has written, and those of
    /// [`StateStore::set`].
    pub async fn set<T: Fenced<L>>(&self, value: &T) -> Result<()> {
        let (encoded, bytes) = self.store.write(value)?;
        let start = Instant::now();
        self.store.access.check(Operation::Update)?;
        loop {
            let condition = self.condition::<T>(&encoded).await?.0;
            match self.put::<T>(&encoded, condition, &bytes).await {
                Err(StateError::Conflict { .. }) => self.again(start)?,
                written => return written,
            }
        }
    }

    /// Changes a value that exists.
    ///
    /// # Errors
    ///
    /// [`NotFound`](StateError::NotFound) if there is none, and those of
    /// [`update_option`](Self::update_option).
    pub async fn update<K, C>(
        &self,
        key: K,
        mut change: impl FnMut(&mut K::Value) -> C,
    ) -> Result<K::Value>
    where
        K: TypedKey<Value: Fenced<L>>,
        C: Change,
    {
        let encoded = self.store.encode_key(&key)?;
        let not_found = || StateError::NotFound { key: Box::new(encoded.clone()) };
        let changed = self.update_option(key, |value| match value {
            Some(value) => change(value).outcome(),
            None => Err(not_found()),
        });
        changed.await?.ok_or_else(not_found)
    }

    /// Changes what may or may not be there: the closure can insert a value, change it, remove it by leaving
    /// `None`, or leave it absent. It may run several times.
    ///
    /// # Errors
    ///
    /// [`Fenced`](StateError::Fenced) if a later holder has written, the closure's own, and those of
    /// [`StateStore::update`].
    pub async fn update_option<K, C>(
        &self,
        key: K,
        mut change: impl FnMut(&mut Option<K::Value>) -> C,
    ) -> Result<Option<K::Value>>
    where
        K: TypedKey<Value: Fenced<L>>,
        C: Change,
    {
        self.store.access.check(Operation::Update)?;
        let encoded = self.store.encode_key(&key)?;
        let start = Instant::now();
        loop {
            let Found { mut value, condition, is_stored } = self.find(&key, &encoded).await?;
            change(&mut value).outcome()?;
            let written = match &value {
                Some(value) => {
                    let (at, bytes) = self.store.write(value)?;
                    if at != encoded {
                        return Err(StateError::invalid_key(at, InvalidKey::Changed));
                    }
                    self.put::<K::Value>(&encoded, condition, &bytes).await
                }
                None if is_stored => self.mark(&encoded, condition).await,
                None => Ok(()),
            };
            match written {
                Err(StateError::Conflict { .. }) => self.again(start)?,
                written => return written.map(|()| value),
            }
        }
    }

    /// Removes a value. A mark with the token stays, so that a late holder cannot bring the value back; it
    /// reads as if there were nothing.
    ///
    /// # Errors
    ///
    /// [`Fenced`](StateError::Fenced) if a later holder has written, and those of
    /// [`StateStore::remove`].
    pub async fn remove<K>(&self, key: K) -> Result<()>
    where
        K: TypedKey<Value: Fenced<L>>,
    {
        self.store.access.check(Operation::Remove)?;
        let encoded = self.store.encode_key(&key)?;
        let start = Instant::now();
        loop {
            let (condition, _) = self.condition::<K::Value>(&encoded).await?;
            match self.mark(&encoded, condition).await {
                Err(StateError::Conflict { .. }) => self.again(start)?,
                marked => return marked,
            }
        }
    }

    async fn find<K>(&self, key: &K, encoded: &Key) -> Result<Found<K::Value>>
    where
        K: TypedKey<Value: Fenced<L>>,
    {
        let (condition, bytes) = self.condition::<K::Value>(encoded).await?;
        let is_stored = bytes.is_some();
        let value = match bytes {
            Some(bytes) => read(key.clone(), encoded, &bytes)?,
            None => None,
        };
        Ok(Found { value, condition, is_stored })
    }

    /// What is stored, and the condition under which it is still that; refused if a later holder has
    /// written it.
    async fn condition<T: StateKey>(&self, encoded: &Key) -> Result<(Condition, Option<Bytes>)> {
        let options = GetOptions { renew: None, want: Want::REVISION };
        let stored = self.store.guard.get(Operation::Get, encoded, options).await?;
        let bytes = stored.as_ref().map(|entry| entry.value.clone());
        let found = bytes.as_deref().map_or(0, value::stored_fence);
        if found > self.token.get() {
            return Err(StateError::Fenced { key: Box::new(encoded.clone()), found });
        }
        Ok((overwrite::<T>(encoded, stored)?, bytes))
    }

    async fn put<T: StateKey>(
        &self,
        encoded: &Key,
        condition: Condition,
        object: &[u8],
    ) -> Result<()> {
        let bytes = value::with_fence(self.token.get(), object);
        let (size, limit) = (bytes.len(), T::NAMESPACE.max_size);
        if size > limit {
            return Err(StateError::TooLarge { key: Box::new(encoded.clone()), size, limit });
        }
        self.write(encoded, condition, bytes).await
    }

    async fn mark(&self, encoded: &Key, condition: Condition) -> Result<()> {
        self.write(encoded, condition, value::removed(self.token.get())).await
    }

    async fn write(&self, encoded: &Key, condition: Condition, bytes: Vec<u8>) -> Result<()> {
        let options = SetOptions { condition, ttl: TtlChange::Clear, want_revision: false };
        let set = self.store.guard.set(Operation::Update, encoded, bytes.into(), options);
        set.await.map(drop)
    }

    /// Another attempt, unless the deadline has passed. Holders are few, so nobody queues.
    fn again(&self, start: Instant) -> Result<()> {
        if start.elapsed() < self.store.guard.deadline() {
            return Ok(());
        }
        Err(contended(Operation::Update))
    }
}

impl<L, B> Clone for FencedStore<L, B> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), token: self.token }
    }
}

impl<L, B: Backend> fmt::Debug for FencedStore<L, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FencedStore")
            .field("store", &self.store)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}
