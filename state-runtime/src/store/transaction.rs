//! Transactions: several writes of different types, all or none.

use core::fmt;

use bytes::Bytes;

use super::{
    StateStore, StoredIn,
    former::remove_former,
    many::refuse_repeated,
    versioned::{ATTEMPTS, contended, overwrite},
};
use crate::{
    backend::{
        Backend, Batch, BatchOp, Capability, Condition, Entry, GetOptions, RemoveOptions, Revision,
        SetOptions, TtlChange, Want,
    },
    error::{Operation, Result, StateError},
    key::Key,
    schema::{Removable, TypedKey, Writable},
};

impl<B: Backend> StateStore<B> {
    /// Begins a transaction: writes of different types that happen together or not at all.
    ///
    /// Every value is checked as its write is added, and nothing is sent before
    /// [`commit`](Transaction::commit). It is no lock: what was read before may have changed by then,
    /// and [`replace`](Transaction::replace) is what notices.
    ///
    /// ```standalone_crate
    /// # use state_runtime::{StateError, backends::MemoryBackend, prelude::*};
    /// # #[derive(Debug, PartialEq, StateKey, Validate)]
    /// # #[state(key = "cart:{user}", ttl = "1d")]
    /// # #[garde(allow_unvalidated)]
    /// # struct Cart { user: String, items: Vec<String> }
    /// # #[derive(Debug, PartialEq, StateKey, Validate)]
    /// # #[state(key = "order:{id}", persistent)]
    /// # #[garde(allow_unvalidated)]
    /// # struct Order { id: u32, items: Vec<String> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StateError> {
    /// # let store = StateStore::new(MemoryBackend::new())?;
    /// # store.set(&Cart { user: "ada".into(), items: vec!["tea".into()] }).await?;
    /// let Some(mut cart) = store.get_versioned(Cart::key("ada")).await? else { return Ok(()) };
    /// let order = Order { id: 1, items: std::mem::take(&mut cart.value.items) };
    /// store.transaction().create(&order).replace(&cart.value, &cart.revision).commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn transaction(&self) -> Transaction<'_, B>
    where
        B: Batch,
    {
        Transaction { store: self, steps: Vec::new(), failed: None }
    }
}

/// Writes that happen together or not at all; see [`StateStore::transaction`].
#[must_use = "a transaction writes nothing until it is committed"]
pub struct Transaction<'s, B> {
    store: &'s StateStore<B>,
    steps: Vec<Step>,
    /// The first error: it is what `commit` answers.
    failed: Option<StateError>,
}

struct Step {
    key: Key,
    former: Option<Key>,
    action: Action,
}

enum Action {
    Set { bytes: Bytes, ttl: TtlChange, versioned: Option<Overwrite> },
    Create { bytes: Bytes, ttl: TtlChange },
    Replace { bytes: Bytes, ttl: TtlChange, revision: Revision },
    Remove,
}

/// The condition under which what is stored may be overwritten by a value of a versioned type.
type Overwrite = fn(&Key, Option<Entry>) -> Result<Condition>;

impl<B: Batch> Transaction<'_, B> {
    /// Writes a value, whatever was there before, and starts its lifetime anew.
    pub fn set<T>(self, value: &T) -> Self
    where
        T: Writable,
        T::Lifetime: StoredIn<B>,
        T::Versioning: StoredIn<B>,
    {
        let versioned = (T::NAMESPACE.version > 1).then_some(overwrite::<T> as Overwrite);
        let ttl = self.store.ttl_change::<T>();
        self.write(Operation::Set, value, |bytes| Action::Set { bytes, ttl, versioned })
    }

    /// Writes a value that does not exist yet; if it does, nothing is written and the answer is
    /// [`AlreadyExists`](StateError::AlreadyExists).
    pub fn create<T>(self, value: &T) -> Self
    where
        T: Writable,
        T::Lifetime: StoredIn<B>,
    {
        let ttl = self.store.ttl_change::<T>();
        self.write(Operation::Create, value, |bytes| Action::Create { bytes, ttl })
    }

    /// Writes a value in place of the one that has this revision; if that has changed, nothing is
    /// written and the answer is [`Conflict`](StateError::Conflict).
    pub fn replace<T>(self, value: &T, revision: &Revision) -> Self
    where
        T: Writable,
        T::Lifetime: StoredIn<B>,
    {
        let (ttl, revision) = (self.store.ttl_change::<T>(), revision.clone());
        self.write(Operation::Replace, value, |bytes| Action::Replace { bytes, ttl, revision })
    }

    /// Removes a value. It is no error if there is none.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "keys are made for the call, as in `StateStore::remove`"
    )]
    pub fn remove<K: TypedKey<Value: Removable>>(self, key: K) -> Self {
        let step = self.store.access.check(Operation::Remove).and_then(|()| {
            let encoded = self.store.encode_key(&key)?;
            let former = self.store.former_key(&key);
            Ok(Step { key: encoded, former, action: Action::Remove })
        });
        self.with(step)
    }

    /// Carries out all writes, or none.
    ///
    /// # Errors
    ///
    /// The first error of a value or key that was added, and
    /// [`InvalidKey`](StateError::InvalidKey) if two writes are about one key: nothing was sent.
    /// [`AlreadyExists`](StateError::AlreadyExists) and [`Conflict`](StateError::Conflict) name the
    /// key whose condition did not hold, and those of the backend: nothing was written, except
    /// possibly after [`Indeterminate`](StateError::Indeterminate).
    pub async fn commit(self) -> Result<()> {
        let Self { store, steps, failed } = self;
        if let Some(error) = failed {
            return Err(error);
        }
        refuse_repeated(steps.iter().map(|step| &step.key))?;
        store.guard.require(Capability::Batch)?;
        if steps.is_empty() {
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            let mut batch = Vec::with_capacity(steps.len());
            for step in &steps {
                step.add_to(&mut batch, store).await?;
            }
            let error = match store.guard.apply(Operation::Commit, batch).await {
                Ok(_) => return Ok(()),
                Err(StateError::Conflict { key }) => key,
                Err(error) => return Err(error),
            };
            let step = steps.iter().find(|step| step.is_about(&error));
            let key = step.map_or(error, |step| Box::new(step.key.clone()));
            match step.map(|step| &step.action) {
                Some(Action::Create { .. }) => return Err(StateError::AlreadyExists { key }),
                // Its condition was ours, not the caller's.
                Some(Action::Set { versioned: Some(_), .. }) => {}
                _ => return Err(StateError::Conflict { key }),
            }
        }
        Err(contended(Operation::Commit))
    }

    fn write<T: Writable>(
        self,
        operation: Operation,
        value: &T,
        action: impl FnOnce(Bytes) -> Action,
    ) -> Self {
        let step = self.store.access.check(operation).and_then(|()| {
            let (key, bytes) = self.store.write(value)?;
            let former = self.store.former_key_of(value);
            Ok(Step { key, former, action: action(bytes) })
        });
        self.with(step)
    }

    fn with(mut self, step: Result<Step>) -> Self {
        match step {
            Ok(step) => self.steps.push(step),
            Err(error) => self.failed = self.failed.or(Some(error)),
        }
        self
    }
}

impl Step {
    fn is_about(&self, key: &Key) -> bool {
        self.key == *key || self.former.as_ref() == Some(key)
    }

    /// The operations of the backend that this step consists of.
    async fn add_to<B: Backend>(
        &self,
        batch: &mut Vec<BatchOp>,
        store: &StateStore<B>,
    ) -> Result<()> {
        let former = self.former.as_ref();
        let unconditional = || former.map(|former| (former.clone(), Condition::Always));
        let (write, former) = match &self.action {
            Action::Remove => {
                batch.push(BatchOp::Remove {
                    key: self.key.clone(),
                    options: RemoveOptions::default(),
                });
                (None, unconditional())
            }
            Action::Create { bytes, ttl } => {
                let former = former.map(|former| (former.clone(), Condition::IfAbsent));
                (Some((bytes, *ttl, Condition::IfAbsent)), former)
            }
            Action::Set { bytes, ttl, versioned: None } => {
                (Some((bytes, *ttl, Condition::Always)), unconditional())
            }
            Action::Set { bytes, ttl, versioned: Some(overwrite) } => {
                let former = match former {
                    None => None,
                    Some(former) => {
                        let condition = overwrite(former, stored(store, former).await?)?;
                        Some((former.clone(), condition))
                    }
                };
                let condition = overwrite(&self.key, stored(store, &self.key).await?)?;
                (Some((bytes, *ttl, condition)), former)
            }
            Action::Replace { bytes, ttl, revision } => {
                let (condition, former) = store.still(self.former.clone(), revision).await?;
                (Some((bytes, *ttl, condition)), former)
            }
        };
        if let Some((bytes, ttl, condition)) = write {
            let ttl = store.kept(&self.key, self.former.as_ref(), ttl).await?;
            batch.push(BatchOp::Set {
                key: self.key.clone(),
                value: bytes.clone(),
                options: SetOptions { condition, ttl, want_revision: false },
            });
        }
        batch.extend(former.map(|(former, condition)| remove_former(&former, condition)));
        Ok(())
    }
}

async fn stored<B: Backend>(store: &StateStore<B>, key: &Key) -> Result<Option<Entry>> {
    let options = GetOptions { renew: None, want: Want::REVISION };
    store.guard.get(Operation::Get, key, options).await
}

/// Shows the keys; the values stay hidden.
impl<B> fmt::Debug for Transaction<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.steps.iter().map(|step| &step.key).collect::<Vec<_>>();
        f.debug_struct("Transaction").field("keys", &keys).finish_non_exhaustive()
    }
}
