//! The operations on several entries at once.

use std::collections::HashSet;

use super::{
    Keys, StateStore, StoredIn,
    former::remove_former,
    path::get_options,
    versioned::{ATTEMPTS, contended, overwrite},
};
use crate::{
    backend::{Backend, Batch, BatchOp, Condition, GetOptions, SetOptions, Want},
    error::{InvalidKey, Operation, Result, StateError},
    key::Key,
    schema::{StateKey, TypedKey, Writable},
};

impl<B: Backend> StateStore<B> {
    /// Reads values of different types in one call to the backend, and fails on its first error.
    ///
    /// ```standalone_crate
    /// # use state_runtime::{backends::MemoryBackend, prelude::*};
    /// # #[derive(Debug, PartialEq, StateKey, Validate)]
    /// # #[state(key = "user:{id}", persistent)]
    /// # #[garde(allow_unvalidated)]
    /// # struct User { id: u32, name: String }
    /// # #[derive(Debug, PartialEq, StateKey, Validate)]
    /// # #[state(key = "visits:{id}", ttl = "1d")]
    /// # #[garde(allow_unvalidated)]
    /// # struct Visits { id: u32, #[state(value)] count: u64 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), state_runtime::StateError> {
    /// # let store = StateStore::new(MemoryBackend::new())?;
    /// store.set(&Visits { id: 7, count: 41 }).await?;
    /// let (user, visits) = store.get_many((User::key(7), Visits::key(7))).await?;
    /// assert_eq!(user, None);
    /// assert_eq!(visits, Some(Visits { id: 7, count: 41 }));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    pub async fn get_many<K: Keys<B>>(&self, keys: K) -> Result<K::Values> {
        self.access.check(Operation::Get)?;
        let requests = keys.requests(self)?;
        let entries = self.guard.get_many(Operation::Get, &requests).await?;
        keys.accept(self, requests, entries).await
    }

    /// Reads values of one type in one call to the backend, in the order of `keys`, and fails on
    /// its first error.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    pub async fn get_all<K, I>(&self, keys: I) -> Result<Vec<Option<K::Value>>>
    where
        K: TypedKey,
        I: IntoIterator<Item = K>,
        <K::Value as StateKey>::Lifetime: StoredIn<B>,
    {
        self.access.check(Operation::Get)?;
        let keys: Vec<K> = keys.into_iter().collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let request = |key| Ok((self.encode_key(key)?, get_options::<K::Value>()));
        let requests: Vec<_> = keys.iter().map(request).collect::<Result<_>>()?;
        let entries = self.guard.get_many(Operation::Get, &requests).await?;
        let mut values = Vec::with_capacity(keys.len());
        for ((key, (encoded, _)), entry) in keys.into_iter().zip(requests).zip(entries) {
            values.push(match entry {
                None => self.get_former(key).await?,
                Some(entry) => self.accept(key, &encoded, &entry.value).await?,
            });
        }
        Ok(values)
    }

    /// Writes values of one type in one call to the backend: all of them or none.
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set), and [`InvalidKey`](StateError::InvalidKey) if two of the values
    /// have the same key. Every value is checked before anything is sent.
    pub async fn set_all<'v, T, I>(&self, values: I) -> Result<()>
    where
        T: Writable,
        I: IntoIterator<Item = &'v T>,
        T::Lifetime: StoredIn<B>,
        T::Versioning: StoredIn<B>,
        B: Batch,
    {
        self.access.check(Operation::Set)?;
        let (mut writes, mut moved) = (Vec::new(), Vec::new());
        for value in values {
            writes.push(self.write(value)?);
            moved.extend(self.former_key_of(value));
        }
        refuse_repeated(writes.iter().map(|(key, _)| key))?;
        if writes.is_empty() {
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            // What would be removed may be of a newer version, too.
            let former = self.conditions::<T>(moved.iter()).await?;
            let conditions = self.conditions::<T>(writes.iter().map(|(key, _)| key)).await?;
            let op = |((key, value), condition): (&(Key, _), Condition)| BatchOp::Set {
                key: key.clone(),
                value: bytes::Bytes::clone(value),
                options: SetOptions {
                    condition,
                    ttl: self.ttl_change::<T>(),
                    want_revision: false,
                },
            };
            let sets = writes.iter().zip(conditions).map(op);
            let removes = moved.iter().zip(former);
            let removes = removes.map(|(key, condition)| remove_former(key, condition));
            let batch = sets.chain(removes).collect();
            match self.guard.apply(Operation::Set, batch).await {
                Err(StateError::Conflict { .. }) if T::NAMESPACE.version > 1 => {}
                applied => return applied.map(drop),
            }
        }
        Err(contended(Operation::Set))
    }

    /// The conditions under which the entries may be overwritten by values of `T`.
    async fn conditions<T: StateKey>(
        &self,
        keys: impl Iterator<Item = &Key> + Clone,
    ) -> Result<Vec<Condition>> {
        if T::NAMESPACE.version == 1 || keys.clone().next().is_none() {
            return Ok(keys.map(|_| Condition::Always).collect());
        }
        let options = GetOptions { renew: None, want: Want::REVISION };
        let requests: Vec<_> = keys.clone().map(|key| (key.clone(), options)).collect();
        let stored = self.guard.get_many(Operation::Get, &requests).await?;
        keys.zip(stored).map(|(key, entry)| overwrite::<T>(key, entry)).collect()
    }
}

pub(super) fn refuse_repeated<'k>(keys: impl Iterator<Item = &'k Key>) -> Result<()> {
    let mut seen = HashSet::new();
    for key in keys {
        if !seen.insert(key) {
            return Err(StateError::invalid_key(key.clone(), InvalidKey::Repeated));
        }
    }
    Ok(())
}
