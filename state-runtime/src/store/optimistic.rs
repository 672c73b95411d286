//! Optimistic locking: a value with its revision, and a write in place of exactly that one.

use core::ops::Deref;

use super::{
    StateStore, StoredIn,
    former::remove_former,
    guard::no_revision,
    path::get_options,
    rewrite::Found,
    versioned::{ATTEMPTS, contended},
};
use crate::{
    backend::{Backend, BatchOp, Cas, Condition, GetOptions, Revision, SetOptions, Want},
    error::{Operation, Result},
    key::Key,
    schema::{StateKey, TypedKey, Writable},
};

/// A value, and the revision that it was read at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revised<T> {
    /// The value.
    pub value: T,
    /// Its revision: opaque, and as text fit for an HTTP `ETag`.
    pub revision: Revision,
}

impl<T> Deref for Revised<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// # Locking without a lock
///
/// Where a change is decided elsewhere (a user edits a form, a client sends `If-Match`), nothing
/// can be held in between. The value is read with its revision, the revision travels along, and
/// the write happens only if the value is still that one.
impl<B: Backend> StateStore<B> {
    /// Reads a value and its revision.
    ///
    /// ```standalone_crate
    /// # use state_runtime::{StateError, backend::Revision, backends::MemoryBackend, prelude::*};
    /// # #[derive(Debug, PartialEq, StateKey, Validate)]
    /// # #[state(key = "page:{id}", persistent)]
    /// # #[garde(allow_unvalidated)]
    /// # struct Page { id: u32, text: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StateError> {
    /// # let store = StateStore::new(MemoryBackend::new())?;
    /// store.set(&Page { id: 1, text: "draft".into() }).await?;
    /// let Some(page) = store.get_versioned(Page::key(1)).await? else { return Ok(()) };
    /// let etag = format!("\"{}\"", page.revision);
    ///
    /// // Later, with the header `If-Match` of a request:
    /// let revision: Revision = etag.trim_matches('"').parse().expect("the one from above");
    /// let next = store.replace(&Page { id: 1, text: "final".into() }, &revision).await?;
    /// let again = store.replace(&Page { id: 1, text: "other".into() }, &revision).await;
    /// assert!(matches!(again, Err(crate::StateError::Conflict { .. })));
    /// # drop(next);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    pub async fn get_versioned<K>(&self, key: K) -> Result<Option<Revised<K::Value>>>
    where
        K: TypedKey,
        <K::Value as StateKey>::Lifetime: StoredIn<B>,
        B: Cas,
    {
        self.access.check(Operation::Get)?;
        let encoded = self.encode_key(&key)?;
        let renew = get_options::<K::Value>().renew;
        for _ in 0..ATTEMPTS {
            let Some(found) = self.find(&key, &encoded, renew).await? else { continue };
            let Found { value: Some(value), present, former } = found else { return Ok(None) };
            return match (present, former) {
                (Condition::IfRevision(revision), _)
                | (_, Some((_, Condition::IfRevision(revision)))) => {
                    Ok(Some(Revised { value, revision }))
                }
                _ => Ok(None),
            };
        }
        Err(contended(Operation::Get))
    }

    /// Writes a value in place of the one that has this revision, starts its lifetime anew, and
    /// returns the new revision.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::StateError::Conflict) if the stored value has another revision by now or is
    /// gone, and those of [`set`](Self::set).
    pub async fn replace<T>(&self, value: &T, revision: &Revision) -> Result<Revision>
    where
        T: Writable,
        T::Lifetime: StoredIn<B>,
        B: Cas,
    {
        let operation = Operation::Replace;
        self.access.check(operation)?;
        let (key, bytes) = self.write(value)?;
        let former = self.former_key_of(value);
        let (condition, former) = self.still(former, revision).await?;
        let options = SetOptions { condition, ttl: self.ttl_change::<T>(), want_revision: true };
        let written = match former {
            None => self.guard.set(operation, &key, bytes, options).await?,
            Some((former, condition)) => {
                let ttl = self.kept(&key, Some(&former), options.ttl).await?;
                let options = SetOptions { ttl, ..options };
                let set = BatchOp::Set { key, value: bytes, options };
                let batch = vec![set, remove_former(&former, condition)];
                self.guard.apply(operation, batch).await?.into_iter().next().flatten()
            }
        };
        written.ok_or_else(|| no_revision(operation))
    }

    /// The conditions, of the present and of the former entry, under which the value is still the
    /// one that has this revision: that may lie under the former key.
    pub(super) async fn still(
        &self,
        former: Option<Key>,
        revision: &Revision,
    ) -> Result<(Condition, Option<(Key, Condition)>)> {
        let still = Condition::IfRevision(revision.clone());
        let Some(former) = former else { return Ok((still, None)) };
        let options = GetOptions { renew: None, want: Want::REVISION };
        let stored = self.guard.get(Operation::Get, &former, options).await?;
        Ok(match stored.and_then(|entry| entry.revision) {
            Some(found) if found == *revision => (Condition::IfAbsent, Some((former, still))),
            Some(found) => (still, Some((former, Condition::IfRevision(found)))),
            None => (still, Some((former, Condition::IfAbsent))),
        })
    }
}
