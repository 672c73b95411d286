//! `watch`: the latest state of one value, whenever it becomes another.

mod all;
mod hints;

use core::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;

pub use self::all::{Changed, WatchAll};
use self::hints::Hints;
use super::{
    StateStore, StoredIn,
    batches::{Batches, Step},
    path::read,
};
use crate::{
    backend::{self, Backend, GetOptions, WatchRequest},
    error::{Operation, Result, StateError},
    key::Key,
    schema::{StateKey, TypedKey},
};

impl<B: Backend> StateStore<B> {
    /// Tells what a value is, and from then on what it becomes.
    ///
    /// The first item is the present value, `None` where there is none. Then follows the latest
    /// state whenever it is another one: written, removed or expired. It is not a log: of several
    /// quick changes only the last may be told, so a slow reader costs no memory. A value that is
    /// not valid is an `Err` among the others.
    ///
    /// While the backend cannot be reached nothing is told, and afterwards what is then; the watch
    /// ends when the store is closed, and after an error that will not pass. Watching is no reading
    /// that renews a `sliding` type.
    ///
    /// ```standalone_crate
    /// # use state_runtime::{StateError, backends::MemoryBackend, prelude::*};
    /// # #[derive(Debug, PartialEq, StateKey, Validate)]
    /// # #[state(key = "job:{id}", persistent)]
    /// # #[garde(allow_unvalidated)]
    /// # struct Job { id: u32, percent: u8 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StateError> {
    /// # let store = StateStore::new(MemoryBackend::new())?;
    /// let mut progress = store.watch(Job::key(7));
    /// assert_eq!(progress.next().await.transpose()?, Some(None));
    /// store.set(&Job { id: 7, percent: 50 }).await?;
    /// assert_eq!(progress.next().await.transpose()?, Some(Some(Job { id: 7, percent: 50 })));
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch<K>(&self, key: K) -> Watch<K, B>
    where
        K: TypedKey,
        <K::Value as StateKey>::Lifetime: StoredIn<B>,
        B: backend::Watch,
    {
        let watched = self.watched(key);
        let states = watched.map_or_else(|error| Batches::once(Err(error)), Batches::new);
        Watch { states }
    }

    fn watched<K: TypedKey>(&self, key: K) -> Result<Watched<K, B>> {
        self.access.check(Operation::Watch)?;
        let encoded = self.encode_key(&key)?;
        let former = self.former_key(&key);
        let requests = former.iter().chain([&encoded]).cloned().map(WatchRequest::Key);
        let hints = Hints::new(requests.collect());
        let store = self.clone();
        Ok(Watched { store, key, encoded, former, hints, changed: false, told: Told::Nothing })
    }
}

/// The states of one value, as a stream; see [`StateStore::watch`].
///
/// It is a [`Stream`], and [`next`](Self::next) does without one's traits.
#[must_use = "a watch tells nothing until it is polled"]
pub struct Watch<K: TypedKey, B> {
    states: Batches<Watched<K, B>, Item<K>>,
}

type Item<K> = Result<Option<<K as TypedKey>::Value>>;

struct Watched<K, B> {
    store: StateStore<B>,
    key: K,
    encoded: Key,
    former: Option<Key>,
    hints: Hints,
    /// It may have become another since it was told.
    changed: bool,
    told: Told,
}

/// What was told last.
#[derive(PartialEq, Eq)]
enum Told {
    Nothing,
    Absent,
    Value(Bytes),
}

impl<K: TypedKey, B: Backend> Watched<K, B> {
    /// Waits until the value is another than what was told last.
    async fn advance(mut self) -> Step<Self, Item<K>> {
        loop {
            if !self.changed {
                match self.hints.next(&self.store).await {
                    Ok(Some(_)) => self.changed = true,
                    Ok(None) => return (None, [].into()),
                    Err(error) => return (None, [Err(error)].into()),
                }
            }
            match stored(&self.store, &self.encoded, self.former.as_ref()).await {
                Err(StateError::Closed) => return (None, [].into()),
                Err(error) if error.is_retryable() => self.hints.pause().await,
                Err(error) => return (None, [Err(error)].into()),
                Ok(stored) => {
                    self.hints.recovered();
                    self.changed = false;
                    let now = stored.map_or(Told::Absent, Told::Value);
                    if self.told != now {
                        self.told = now;
                        let value = self.value().transpose();
                        return (Some(self), [value].into());
                    }
                }
            }
        }
    }

    /// The value that is told.
    fn value(&self) -> Option<Result<K::Value>> {
        match &self.told {
            Told::Value(bytes) => read(self.key.clone(), &self.encoded, bytes).transpose(),
            Told::Nothing | Told::Absent => None,
        }
    }
}

/// What lies under a key, or else under the one that it had formerly.
async fn stored<B: Backend>(
    store: &StateStore<B>,
    key: &Key,
    former: Option<&Key>,
) -> Result<Option<Bytes>> {
    let options = GetOptions::default();
    // The former one first: values move in the other direction.
    let former = match former {
        Some(former) => store.guard.get(Operation::Watch, former, options).await?,
        None => None,
    };
    let present = store.guard.get(Operation::Watch, key, options).await?;
    Ok(present.or(former).map(|entry| entry.value))
}

impl<K: TypedKey, B: Backend> Watch<K, B> {
    /// The next state; `None` after the end.
    pub async fn next(&mut self) -> Option<Item<K>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<K: TypedKey, B: Backend> Stream for Watch<K, B> {
    type Item = Item<K>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item<K>>> {
        self.states.poll(cx, Watched::advance)
    }
}

impl<K: TypedKey, B> Unpin for Watch<K, B> {}

impl<K: TypedKey, B> fmt::Debug for Watch<K, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}
