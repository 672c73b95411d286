//! The loop beneath `update`: read, change, write under the condition that nothing came in between.

use core::time::Duration;
use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use super::{
    Access, StateStore,
    deadline::within,
    former::remove_former,
    path::read,
    turns::Turn,
    versioned::{contended, overwrite},
};
use crate::{
    backend::{Backend, Condition, GetOptions, RemoveOptions, TtlChange, Want},
    error::{InvalidKey, Operation, Result, StateError},
    key::Key,
    schema::{OnInvalid, StateKey, TypedKey, Writable},
};

/// The pause after the first lost race; each further one may be twice as long, up to the longest.
/// Callers of one store take turns, so a race is lost to another process: a few round trips.
const FIRST_PAUSE: Duration = Duration::from_micros(500);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// What is rewritten, and how long it lives then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rewrite {
    pub(super) operation: Operation,
    /// What becomes of the expiry of a value that exists.
    pub(super) existing: TtlChange,
    /// What becomes of the expiry of one that does not.
    pub(super) created: TtlChange,
}

/// What was found under a key, and the conditions under which it is still that.
pub(super) struct Found<T> {
    pub(super) value: Option<T>,
    pub(super) present: Condition,
    pub(super) former: Option<(Key, Condition)>,
}

impl<B: Backend> StateStore<B> {
    /// Applies `change` to what is stored under `key` until no other writer came in between, and
    /// returns the key and what is stored then. No attempt starts after the store's deadline.
    pub(super) async fn rewrite<K, E, F>(
        &self,
        key: K,
        Rewrite { operation, existing, created }: Rewrite,
        mut change: F,
    ) -> Result<(Key, Option<K::Value>), E>
    where
        K: TypedKey<Value: Writable>,
        E: From<StateError>,
        F: FnMut(&Key, &mut Option<K::Value>) -> Result<(), E>,
    {
        self.access.check(operation)?;
        let encoded = self.encode_key(&key)?;
        let start = Instant::now();
        let mut turn = None;
        if self.guard.turns.is_contended(&encoded) {
            turn = Some(self.turn(operation, &encoded, start).await?);
        }
        let mut races = 0;
        loop {
            if let Some(found) = self.find(&key, &encoded, None).await? {
                let Found { mut value, present, former } = found;
                let existed = value.is_some();
                let ttl = if existed { existing } else { created };
                change(&encoded, &mut value)?;
                let written = match &value {
                    Some(new) => {
                        let write = (self.write_under(&encoded, new)?, ttl);
                        let former =
                            former.as_ref().map(|(key, condition)| (key, condition.clone()));
                        self.put(operation, (&encoded, present), former, write).await
                    }
                    None if existed => {
                        self.remove_found(operation, &encoded, present, former).await
                    }
                    None => Ok(()),
                };
                match written {
                    Err(StateError::Conflict { .. }) => {}
                    written => return Ok(written.map(|()| (encoded.clone(), value))?),
                }
            }
            if start.elapsed() >= self.guard.deadline() {
                return Err(contended(operation).into());
            }
            if turn.is_some() {
                sleep(pause(races)).await;
            } else {
                turn = Some(self.turn(operation, &encoded, start).await?);
            }
            races += 1;
        }
    }

    /// A turn at `key`, if there is one before the deadline.
    pub(super) async fn turn(
        &self,
        operation: Operation,
        key: &Key,
        start: Instant,
    ) -> Result<Turn<'_>> {
        let left = self.guard.deadline().saturating_sub(start.elapsed());
        let turn = within(left, self.guard.turns.take(key)).await;
        turn.ok_or(StateError::Overloaded { operation, source: None })
    }

    /// Reads a value together with the conditions under which it is still what is stored, and
    /// renews its lifetime to `renew`. `None` if an invalid value was set aside, so that it has to
    /// be read again.
    pub(super) async fn find<K: TypedKey>(
        &self,
        key: &K,
        encoded: &Key,
        renew: Option<Duration>,
    ) -> Result<Option<Found<K::Value>>> {
        let options = GetOptions { renew, want: Want::REVISION };
        // The former one first: values move in the other direction.
        let former = match self.former_key(key) {
            None => None,
            Some(former) => Some((self.guard.get(Operation::Get, &former, options).await?, former)),
        };
        let stored = self.guard.get(Operation::Get, encoded, options).await?;
        let (place, found) = match (&stored, &former) {
            (Some(entry), _) => (encoded, Some(entry)),
            (None, Some((Some(entry), former))) => (former, Some(entry)),
            (None, _) => (encoded, None),
        };
        let value = match found.map(|entry| read(key.clone(), place, &entry.value)) {
            None => None,
            Some(Ok(value)) => value,
            Some(Err(error)) if K::Value::NAMESPACE.on_invalid == OnInvalid::Error => {
                return Err(error);
            }
            Some(Err(_)) => {
                let bytes = found.map(|entry| entry.value.clone()).unwrap_or_default();
                self.accept(key.clone(), place, &bytes).await?;
                return Ok(None);
            }
        };
        let former = match former {
            None => None,
            Some((entry, former)) => {
                let condition = overwrite::<K::Value>(&former, entry)?;
                Some((former, condition))
            }
        };
        Ok(Some(Found { value, present: overwrite::<K::Value>(encoded, stored)?, former }))
    }

    async fn remove_found(
        &self,
        operation: Operation,
        encoded: &Key,
        present: Condition,
        former: Option<(Key, Condition)>,
    ) -> Result<()> {
        if !self.access.contains(Access::REMOVE) {
            return Err(StateError::Denied { operation: Operation::Remove });
        }
        let Some((former, condition)) = former else {
            let options = RemoveOptions { condition: present };
            return self.guard.remove(operation, encoded, options).await;
        };
        let batch = vec![remove_former(encoded, present), remove_former(&former, condition)];
        self.guard.apply(operation, batch).await.map(drop)
    }

    /// The stored form of a value that has to live under `encoded`.
    pub(super) fn write_under<T: Writable>(&self, encoded: &Key, value: &T) -> Result<Bytes> {
        let (key, bytes) = self.write(value)?;
        if key == *encoded {
            Ok(bytes)
        } else {
            Err(StateError::invalid_key(key, InvalidKey::Changed))
        }
    }
}

/// A random pause after `races` lost races, so that rivals do not meet again.
pub(super) fn pause(races: u32) -> Duration {
    let most = FIRST_PAUSE.saturating_mul(1 << races.min(16)).min(LONGEST_PAUSE);
    // Each `RandomState` has keys of its own.
    let random = RandomState::new().hash_one(races);
    most / 256 * u32::from(random.to_le_bytes()[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_differ() {
        assert!((0..100).all(|_| pause(0) <= FIRST_PAUSE));
        assert!((0..100).all(|_| pause(u32::MAX) <= LONGEST_PAUSE));
        assert!((0..100).any(|_| pause(10) > FIRST_PAUSE));
        let first = pause(10);
        assert!((0..100).any(|_| pause(10) != first));
    }
}
