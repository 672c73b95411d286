//! What a read does with a stored value that is not valid: `on_invalid`.

use super::{Access, StateStore, path::read};
use crate::{
    backend::{Backend, Capability, Condition, GetOptions, RemoveOptions, SetOptions, Want},
    error::{Operation, Phase, Result, StateError},
    key::{Key, MAX_KEY_LEN},
    schema::{OnInvalid, StateKey, TypedKey},
};

/// How often setting a value aside starts again when other writers are faster.
const ATTEMPTS: usize = 8;

/// What the keys of values in quarantine start with; no key format can start with `=`.
const QUARANTINE: &str = "=invalid:";

impl<B: Backend> StateStore<B> {
    /// Reads what was found under a key, and applies the type's `on_invalid` if it is not valid.
    pub(super) async fn accept<K: TypedKey>(
        &self,
        key: K,
        encoded: &Key,
        bytes: &[u8],
    ) -> Result<Option<K::Value>> {
        if K::Value::NAMESPACE.on_invalid == OnInvalid::Error {
            return read(key, encoded, bytes);
        }
        match read(key.clone(), encoded, bytes) {
            // In a box, so that the future of every read is the smaller for it.
            Err(error) if self.may_set_aside::<K>(&error) => {
                Box::pin(self.set_aside(key, encoded, error)).await
            }
            read => read,
        }
    }

    /// A value of a newer version, or one that is only too large, is somebody's good state.
    fn may_set_aside<K: TypedKey>(&self, error: &StateError) -> bool {
        let needed = match K::Value::NAMESPACE.on_invalid {
            OnInvalid::Quarantine => Access::REMOVE.with(Access::WRITE),
            _ => Access::REMOVE,
        };
        let invalid = matches!(
            error,
            StateError::Decode { .. } | StateError::Invalid { phase: Phase::Read, .. }
        );
        invalid && self.access.contains(needed) && self.guard.offers(Capability::Cas)
    }

    /// Removes the invalid value, or moves it to quarantine, unless it has become valid meanwhile.
    /// Where that cannot be done, the answer is the error of the read.
    async fn set_aside<K: TypedKey>(
        &self,
        key: K,
        encoded: &Key,
        error: StateError,
    ) -> Result<Option<K::Value>> {
        for _ in 0..ATTEMPTS {
            let options = GetOptions { renew: None, want: Want::REVISION };
            let Ok(found) = self.guard.get(Operation::Get, encoded, options).await else { break };
            let Some(entry) = found else { return Ok(None) };
            match read(key.clone(), encoded, &entry.value) {
                Err(again) if self.may_set_aside::<K>(&again) => {}
                read => return read,
            }
            let Some(revision) = entry.revision else { break };
            if K::Value::NAMESPACE.on_invalid == OnInvalid::Quarantine {
                // Copied before it is removed: a crash in between leaves both, never neither.
                let Some(aside) = quarantine_key(encoded) else { break };
                let options = SetOptions::default();
                if self.guard.set(Operation::Set, &aside, entry.value, options).await.is_err() {
                    break;
                }
            }
            let options = RemoveOptions { condition: Condition::IfRevision(revision) };
            match self.guard.remove(Operation::Remove, encoded, options).await {
                Err(StateError::Conflict { .. }) => {}
                Err(_) => break,
                Ok(()) => {
                    tracing::warn!(key = %encoded, %error, "set an invalid value aside");
                    return Ok(None);
                }
            }
        }
        Err(error)
    }
}

fn quarantine_key(encoded: &Key) -> Option<Key> {
    let text = [QUARANTINE, encoded.as_str()].concat();
    (text.len() <= MAX_KEY_LEN).then(|| Key::from_stored(text))
}
