//! `add`: a counter that many writers change.

use tokio::time::Instant;

use super::{StateStore, StoredIn, rewrite::Rewrite};
use crate::{
    backend::{AddOptions, Backend, Capability, Cas, TtlChange},
    error::{Operation, Phase, Result, StateError},
    key::Key,
    schema::{Countable, Integer as _, StateKey, TypedKey, Writable},
    value,
};

impl<B: Backend> StateStore<B> {
    /// Adds to a counter, in one atomic step, and returns the sum. A counter that does not exist is
    /// 0, and its lifetime starts when it is created; adding does not prolong it.
    ///
    /// ```standalone_crate
    /// # use state_runtime::{StateError, backends::MemoryBackend, prelude::*};
    /// #[derive(Debug, StateKey, Validate)]
    /// #[state(key = "hits:{page}", ttl = "1h")]
    /// struct Hits {
    ///     #[garde(length(min = 1))]
    ///     page: String,
    ///     #[state(value)]
    ///     #[garde(range(max = 1_000_000))]
    ///     count: u32,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StateError> {
    /// # let store = StateStore::new(MemoryBackend::new())?;
    /// assert_eq!(store.add(Hits::key("home"), 1).await?, 1);
    /// assert_eq!(store.add(Hits::key("home"), 41).await?, 42);
    /// let refused = store.add(Hits::key("home"), 1_000_000).await;
    /// assert!(matches!(refused, Err(StateError::OutOfRange { .. })));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A backend that can ([`Capability::Counter`]) adds by itself; any other one compares and swaps,
    /// and callers of one store that add to the same counter take turns. Rules that are more than a range of literals are run, so that
    /// such a counter compares and swaps on every backend.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](StateError::OutOfRange) if the sum would leave its type or the range of its
    /// rules, [`Invalid`](StateError::Invalid) if it would break another rule,
    /// [`Decode`](StateError::Decode) if what is stored is no integer: then it is as it was.
    /// [`InvalidKey`](StateError::InvalidKey) before anything is sent,
    /// [`Overloaded`](StateError::Overloaded) if other writers were faster until the deadline, and
    /// those of the backend. After [`Indeterminate`](StateError::Indeterminate) it may have been
    /// added: trying again could add twice.
    pub async fn add<K>(
        &self,
        key: K,
        delta: impl Into<i128>,
    ) -> Result<<K::Value as Countable>::Number>
    where
        K: TypedKey<Value: Countable + Writable>,
        <K::Value as StateKey>::Lifetime: StoredIn<B>,
        B: Cas,
    {
        let delta = delta.into();
        let range = K::Value::RANGE.filter(|_| K::Value::NAMESPACE.former.is_none());
        let Some((min, max)) = range else { return self.add_by_rules(key, delta).await };
        self.access.check(Operation::Add)?;
        let encoded = self.encode_key(&key)?;
        let ttl = match self.ttl_change::<K::Value>() {
            TtlChange::After(ttl) => Some(ttl),
            TtlChange::Clear | TtlChange::Keep => None,
        };
        let options = AddOptions { delta, min: min.widen(), max: max.widen(), ttl };
        // A backend that compares and swaps does not tell of the races that it loses, so callers
        // queue before the first.
        let _turn = if self.capabilities().contains(Capability::Counter) {
            None
        } else {
            Some(self.turn(Operation::Add, &encoded, Instant::now()).await?)
        };
        let sum = self.guard.add(&encoded, options).await?;
        <K::Value as Countable>::Number::narrow(sum).ok_or_else(|| out_of_range(&encoded))
    }

    /// Adds by reading and writing, so that all rules are run and a former value moves.
    async fn add_by_rules<K>(&self, key: K, delta: i128) -> Result<<K::Value as Countable>::Number>
    where
        K: TypedKey<Value: Countable + Writable>,
    {
        let rewrite = Rewrite {
            operation: Operation::Add,
            existing: self.keep(),
            created: self.ttl_change::<K::Value>(),
        };
        let (mut added, known) = (None, key.clone());
        let add = |encoded: &Key, value: &mut Option<K::Value>| -> Result<()> {
            let stored = value.as_ref().map_or(Ok(0), |value| number(encoded, value))?;
            let sum = stored.checked_add(delta).and_then(<K::Value as Countable>::Number::narrow);
            let sum = sum.ok_or_else(|| out_of_range(encoded))?;
            let text = sum.widen().to_string();
            let decoded = value::decode::<K::Value>(known.clone(), text.as_bytes());
            let of_value = |error| StateError::of_value(encoded, Phase::Write, error);
            *value = Some(decoded.map_err(of_value)?);
            added = Some(sum);
            Ok(())
        };
        let (encoded, _) = self.rewrite(key, rewrite, add).await?;
        added.ok_or_else(|| out_of_range(&encoded))
    }
}

/// The stored form of a counter, as a number.
fn number<T: Countable>(encoded: &Key, value: &T) -> Result<i128> {
    let bytes =
        value::encode(value).map_err(|error| StateError::of_value(encoded, Phase::Read, error))?;
    serde_json::from_slice(&bytes).map_err(|_| StateError::not_an_integer(encoded))
}

fn out_of_range(key: &Key) -> StateError {
    StateError::OutOfRange { key: Box::new(key.clone()) }
}
