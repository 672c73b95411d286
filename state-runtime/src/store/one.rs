//! The operations on one entry.

use core::time::Duration;

use super::{
    StateStore, StoredIn,
    path::{get_options, is_mark, read},
    versioned::{ATTEMPTS, contended},
};
use crate::{
    backend::{Backend, Cas, Condition, Expiry, GetOptions, RemoveOptions, Want},
    error::{Operation, Result, StateError},
    key::Key,
    schema::{Removable, StateKey, TypedKey, Writable},
};

/// How long an entry still lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeToLive {
    /// Until it is removed.
    Forever,
    /// This long, unless it is renewed.
    Left(Duration),
}

impl<B: Backend> StateStore<B> {
    /// Reads a value: decoded, of a version that this program knows, and valid by its rules.
    ///
    /// A type that is `sliding` has its lifetime renewed by this.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](StateError::InvalidKey) before anything is sent;
    /// [`Decode`](StateError::Decode), [`Invalid`](StateError::Invalid),
    /// [`Version`](StateError::Version) and [`TooLarge`](StateError::TooLarge) for a stored value
    /// that is no valid `K::Value`; those of the backend.
    pub async fn get<K>(&self, key: K) -> Result<Option<K::Value>>
    where
        K: TypedKey,
        <K::Value as StateKey>::Lifetime: StoredIn<B>,
    {
        self.access.check(Operation::Get)?;
        let encoded = self.encode_key(&key)?;
        let options = get_options::<K::Value>();
        match self.guard.get(Operation::Get, &encoded, options).await? {
            None => self.get_former(key).await,
            Some(entry) => self.accept(key, &encoded, &entry.value).await,
        }
    }

    /// Writes a value, whatever was there before, and starts its lifetime anew.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](StateError::InvalidKey), [`Invalid`](StateError::Invalid),
    /// [`Encode`](StateError::Encode) and [`TooLarge`](StateError::TooLarge) before anything is
    /// sent; for a versioned type, [`Version`](StateError::Version) if the stored value is of a
    /// newer one, and [`Overloaded`](StateError::Overloaded) if other writers kept changing it;
    /// those of the backend.
    pub async fn set<T>(&self, value: &T) -> Result<()>
    where
        T: Writable,
        T::Lifetime: StoredIn<B>,
        T::Versioning: StoredIn<B>,
    {
        self.access.check(Operation::Set)?;
        let (key, bytes) = self.write(value)?;
        let former = self.former_key_of(value);
        if T::NAMESPACE.version > 1 {
            return self.set_versioned::<T>(&key, former.as_ref(), bytes).await;
        }
        let former = former.as_ref().map(|former| (former, Condition::Always));
        let write = (bytes, self.ttl_change::<T>());
        self.put(Operation::Set, (&key, Condition::Always), former, write).await
    }

    /// Writes a value that does not exist yet.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](StateError::AlreadyExists), and those of [`set`](Self::set).
    pub async fn create<T>(&self, value: &T) -> Result<()>
    where
        T: Writable,
        T::Lifetime: StoredIn<B>,
        B: Cas,
    {
        self.access.check(Operation::Create)?;
        let (key, bytes) = self.write(value)?;
        let former = self.former_key_of(value);
        let former = former.as_ref().map(|former| (former, Condition::IfAbsent));
        let write = (bytes, self.ttl_change::<T>());
        self.put(Operation::Create, (&key, Condition::IfAbsent), former, write).await
    }

    /// Removes a value. It is no error if there is none.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](StateError::InvalidKey) before anything is sent, and those of the backend.
    pub async fn remove<K>(&self, key: K) -> Result<()>
    where
        K: TypedKey<Value: Removable>,
    {
        self.access.check(Operation::Remove)?;
        let encoded = self.encode_key(&key)?;
        // The former one first: should the second removal fail, no older value comes to light.
        if let Some(former) = self.former_key(&key) {
            self.guard.remove(Operation::Remove, &former, RemoveOptions::default()).await?;
        }
        self.guard.remove(Operation::Remove, &encoded, RemoveOptions::default()).await
    }

    /// Reads a value and removes it. Of several callers at once, one gets it.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get): then the value stays. [`Overloaded`](StateError::Overloaded)
    /// if other writers kept changing the value.
    pub async fn take<K>(&self, key: K) -> Result<Option<K::Value>>
    where
        K: TypedKey<Value: Removable>,
        B: Cas,
    {
        self.access.check(Operation::Take)?;
        let encoded = self.encode_key(&key)?;
        let former = self.former_key(&key);
        let present = (&encoded, former.as_ref());
        if let Some(taken) = self.take_at(key.clone(), present).await? {
            return Ok(Some(taken));
        }
        let Some(former) = &former else { return Ok(None) };
        match self.take_at(key.clone(), (former, None)).await? {
            // A writer may have moved it between the two reads.
            None => self.take_at(key, present).await,
            taken => Ok(taken),
        }
    }

    /// Takes the value under `encoded`, and what it hides under `hidden` goes with it.
    async fn take_at<K: TypedKey>(
        &self,
        key: K,
        (encoded, hidden): (&Key, Option<&Key>),
    ) -> Result<Option<K::Value>> {
        for _ in 0..ATTEMPTS {
            let options = GetOptions { renew: None, want: Want::REVISION };
            let Some(entry) = self.guard.get(Operation::Get, encoded, options).await? else {
                return Ok(None);
            };
            let Some(value) = read(key.clone(), encoded, &entry.value)? else { return Ok(None) };
            // First, as in `remove`: no older value comes to light.
            if let Some(hidden) = hidden {
                self.guard.remove(Operation::Take, hidden, RemoveOptions::default()).await?;
            }
            let condition = entry.revision.map_or(Condition::Always, Condition::IfRevision);
            match self.guard.remove(Operation::Take, encoded, RemoveOptions { condition }).await {
                Err(StateError::Conflict { .. }) => {}
                removed => return removed.map(|()| Some(value)),
            }
        }
        Err(contended(Operation::Take))
    }

    /// Whether there is a value, valid or not.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](StateError::InvalidKey) before anything is sent, and those of the backend.
    pub async fn exists<K: TypedKey>(&self, key: K) -> Result<bool> {
        self.access.check(Operation::Exists)?;
        let encoded = self.encode_key(&key)?;
        if K::Value::NAMESPACE.fenced {
            let options = GetOptions::default();
            let found = self.guard.get(Operation::Exists, &encoded, options).await?;
            return Ok(found.is_some_and(|entry| !is_mark::<K::Value>(&entry.value)));
        }
        if self.guard.exists(&encoded).await? {
            return Ok(true);
        }
        let Some(former) = self.former_key(&key) else { return Ok(false) };
        // A writer may move it between two of the looks.
        Ok(self.guard.exists(&former).await? || self.guard.exists(&encoded).await?)
    }

    /// How long a value still lives; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](StateError::InvalidKey) before anything is sent, and those of the backend.
    pub async fn ttl<K: TypedKey>(&self, key: K) -> Result<Option<TimeToLive>> {
        self.access.check(Operation::Ttl)?;
        let encoded = self.encode_key(&key)?;
        let mut expiry = self.guard.expiry(&encoded).await?;
        if let (None, Some(former)) = (expiry, self.former_key(&key)) {
            expiry = self.guard.expiry(&former).await?;
            if expiry.is_none() {
                // A writer may have moved it between the two looks.
                expiry = self.guard.expiry(&encoded).await?;
            }
        }
        Ok(expiry.map(|expiry| match expiry {
            Expiry::At(time) => TimeToLive::Left(time.since(self.guard.backend.now())),
            Expiry::Never | Expiry::Unknown => TimeToLive::Forever,
        }))
    }
}
