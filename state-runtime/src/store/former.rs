//! `formerly`: values that still lie under the key format of former days.
//!
//! Reading finds them where nothing lies under the present key; writing moves them: the value is
//! written under the present key and, in the same batch where the backend has batches, removed
//! from under the former one.

use bytes::Bytes;

use super::{
    StateStore,
    path::{get_options, ttl_change},
};
use crate::{
    backend::{Backend, BatchOp, Capability, Condition, RemoveOptions, SetOptions},
    error::{Operation, Result, StateError},
    key::{Key, KeyReader},
    schema::{StateKey, TypedKey},
};

impl<B: Backend> StateStore<B> {
    /// The key that `key` had formerly; `None` for a type that says nothing of one.
    pub(super) fn former_key<K: TypedKey>(&self, key: &K) -> Option<Key> {
        K::Value::NAMESPACE.former?;
        let mut writer = self.key_writer();
        key.write_former(&mut writer);
        // A former key that is too long was never written.
        writer.finish().ok()
    }

    /// The key that a value had formerly. Clones its key fields, and only where there is one.
    pub(super) fn former_key_of<T: StateKey>(&self, value: &T) -> Option<Key> {
        T::NAMESPACE.former?;
        self.former_key(&value.state_key())
    }

    /// The typed form of an encoded former key.
    pub(super) fn typed_former_key<T: StateKey>(&self, encoded: &Key) -> Option<T::Key> {
        let format = T::NAMESPACE.former?;
        let text = self.unscoped(encoded)?;
        T::Key::read_former(KeyReader::new(format.as_str(), text)).ok()
    }

    /// Reads the value under the former key, after none was found under the present one.
    pub(super) async fn get_former<K: TypedKey>(&self, key: K) -> Result<Option<K::Value>> {
        let Some(former) = self.former_key(&key) else {
            return Ok(None);
        };
        let options = get_options::<K::Value>();
        if let Some(entry) = self.guard.get(Operation::Get, &former, options).await? {
            return self.accept(key, &former, &entry.value).await;
        }
        // A writer may have moved it between the two reads.
        let encoded = self.encode_key(&key)?;
        match self.guard.get(Operation::Get, &encoded, options).await? {
            Some(entry) => self.accept(key, &encoded, &entry.value).await,
            None => Ok(None),
        }
    }

    /// Writes `bytes` under `key`, and nothing is left under the former key.
    pub(super) async fn put<T: StateKey>(
        &self,
        operation: Operation,
        (key, former): (&Key, Option<&Key>),
        bytes: Bytes,
        condition: Condition,
    ) -> Result<()> {
        let creates = condition == Condition::IfAbsent && operation == Operation::Create;
        let options = SetOptions { condition, ttl: ttl_change::<T>(), want_revision: false };
        let Some(former) = former else {
            return self.guard.set(operation, key, bytes, options).await.map(drop);
        };
        if self.guard.offers(Capability::Batch) {
            let set = BatchOp::Set { key: key.clone(), value: bytes, options };
            let batch = vec![set, remove_former(former, creates)];
            return self.guard.apply(operation, batch).await.map(drop);
        }
        if creates && self.guard.exists(former).await? {
            return Err(StateError::AlreadyExists { key: Box::new(former.clone()) });
        }
        self.guard.set(operation, key, bytes, options).await?;
        // The value is written: what a failure leaves behind is hidden by it, and goes with the
        // next write.
        let _ = self.guard.remove(operation, former, RemoveOptions::default()).await;
        Ok(())
    }
}

/// Removes what lies under a former key. A value that is to be created must not be there either.
pub(super) fn remove_former(former: &Key, creates: bool) -> BatchOp {
    let condition = if creates { Condition::IfAbsent } else { Condition::Always };
    BatchOp::Remove { key: former.clone(), options: RemoveOptions { condition } }
}
