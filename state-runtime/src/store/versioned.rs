//! Writes of versioned types: a value of a newer version is never overwritten.

use bytes::Bytes;

use super::StateStore;
use crate::{
    backend::{Backend, BackendError, Condition, Entry, ErrorKind, GetOptions, Want},
    error::{Operation, Result, StateError},
    key::Key,
    schema::StateKey,
    value,
};

/// How often an operation starts again when other writers are faster.
pub(super) const ATTEMPTS: usize = 64;

impl<B: Backend> StateStore<B> {
    /// Writes `bytes` unless what is stored is of a newer version of `T`.
    pub(super) async fn set_versioned<T: StateKey>(
        &self,
        key: &Key,
        former: Option<&Key>,
        bytes: Bytes,
    ) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let options = GetOptions { renew: None, want: Want::REVISION };
            let former = match former {
                None => None,
                Some(former) => {
                    let stored = self.guard.get(Operation::Get, former, options).await?;
                    Some((former, overwrite::<T>(former, stored)?))
                }
            };
            let stored = self.guard.get(Operation::Get, key, options).await?;
            let present = (key, overwrite::<T>(key, stored)?);
            let write = (bytes.clone(), self.ttl_change::<T>());
            match self.put(Operation::Set, present, former, write).await {
                Err(StateError::Conflict { .. }) => {}
                written => return written,
            }
        }
        Err(contended(Operation::Set))
    }
}

/// Other writers were faster each time. Nothing was applied.
pub(super) fn contended(operation: Operation) -> StateError {
    let message = "too many writers change this entry at once";
    let source = BackendError::new(ErrorKind::Overloaded, message);
    StateError::Overloaded { operation, source: Some(source) }
}

/// The condition under which `stored` may be overwritten by a value of `T`.
pub(super) fn overwrite<T: StateKey>(key: &Key, stored: Option<Entry>) -> Result<Condition> {
    let Some(entry) = stored else {
        return Ok(Condition::IfAbsent);
    };
    let supported = T::NAMESPACE.version;
    match value::stored_version(&entry.value) {
        Some(found) if found > u64::from(supported) => {
            Err(StateError::Version { key: Box::new(key.clone()), found, supported })
        }
        _ => Ok(entry.revision.map_or(Condition::Always, Condition::IfRevision)),
    }
}
