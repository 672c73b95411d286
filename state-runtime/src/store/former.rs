//! `formerly`: values that still lie under the key format of former days.
//!
//! Reading finds them where nothing lies under the present key; writing moves them: one batch writes
//! the value under the present key and removes it from under the former one. Without batches, a
//! value could come back to light from under the former key when the present one expires; so a
//! backend that has none takes no writes of such a type.

use bytes::Bytes;

use super::{StateStore, path::get_options};
use crate::{
    backend::{Backend, BatchOp, Condition, Expiry, MIN_TTL, RemoveOptions, SetOptions, TtlChange},
    error::{Operation, Result},
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

    /// Writes `bytes` under `key` and removes what lies under the former key, each under its
    /// condition, in one batch.
    pub(super) async fn put(
        &self,
        operation: Operation,
        (key, condition): (&Key, Condition),
        former: Option<(&Key, Condition)>,
        (bytes, ttl): (Bytes, TtlChange),
    ) -> Result<()> {
        let options = SetOptions { condition, ttl, want_revision: false };
        let Some((former, condition)) = former else {
            return self.guard.set(operation, key, bytes, options).await.map(drop);
        };
        let options = SetOptions { ttl: self.kept(key, Some(former), ttl).await?, ..options };
        let set = BatchOp::Set { key: key.clone(), value: bytes, options };
        self.guard.apply(operation, vec![set, remove_former(former, condition)]).await.map(drop)
    }
}

impl<B: Backend> StateStore<B> {
    /// What a write that keeps the expiry has to say where the value may move from its former key:
    /// the backend would keep that of the present key, where there is none.
    pub(super) async fn kept(
        &self,
        key: &Key,
        former: Option<&Key>,
        ttl: TtlChange,
    ) -> Result<TtlChange> {
        let (TtlChange::Keep, Some(former)) = (ttl, former) else { return Ok(ttl) };
        if self.guard.expiry(key).await?.is_some() {
            return Ok(ttl);
        }
        Ok(match self.guard.expiry(former).await? {
            Some(Expiry::At(time)) => {
                TtlChange::After(time.since(self.guard.backend.now()).max(MIN_TTL))
            }
            Some(Expiry::Never | Expiry::Unknown) | None => TtlChange::Clear,
        })
    }
}

/// Removes what lies under a former key.
pub(super) fn remove_former(former: &Key, condition: Condition) -> BatchOp {
    BatchOp::Remove { key: former.clone(), options: RemoveOptions { condition } }
}
