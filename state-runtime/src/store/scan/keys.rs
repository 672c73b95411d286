//! Listing the keys of a type, without reading the values.

use core::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::pages::{Pages, Wanted};
use crate::{
    backend::{self, Backend},
    error::{Operation, Result},
    schema::{Prefix, StateKey},
    store::{
        StateStore,
        batches::{Batches, Step},
    },
};

impl<B: Backend> StateStore<B> {
    /// Lists the keys of all values of a type; with [`within`](KeyScan::within), those under a
    /// prefix. The values are not read: they may be invalid, and so may the keys by their rules.
    ///
    /// Otherwise it is as [`scan`](Self::scan): an error of the backend is the last item.
    ///
    /// ```standalone_crate
    /// # use state_runtime::{backends::MemoryBackend, prelude::*};
    /// # #[derive(Debug, StateKey, Validate)]
    /// # #[state(key = "order:{order_id}:line:{line}", persistent)]
    /// # #[garde(allow_unvalidated)]
    /// # struct Line { order_id: u64, line: u32, article: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), state_runtime::StateError> {
    /// # let store = StateStore::new(MemoryBackend::new())?;
    /// # store.set(&Line { order_id: 7, line: 1, article: "tea".into() }).await?;
    /// let mut keys = store.keys().within(Line::prefix(7));
    /// while let Some(key) = keys.next().await {
    ///     println!("{}", key?.line);
    /// }
    /// # assert_eq!(store.keys::<Line>().all().await?, [Line::key(7, 1)]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn keys<T>(&self) -> KeyScan<T, B>
    where
        T: StateKey,
        B: backend::Scan,
    {
        KeyScan::new(self.clone(), None)
    }
}

/// A stream of keys of a type; see [`StateStore::keys`].
///
/// It is a [`Stream`], and [`next`](Self::next) does without one's traits.
#[must_use = "a scan reads nothing until it is polled"]
pub struct KeyScan<T: StateKey, B> {
    store: StateStore<B>,
    keys: Batches<Pages<T, B>, Result<T::Key>>,
}

impl<T: StateKey, B: backend::Scan> KeyScan<T, B> {
    fn new(store: StateStore<B>, prefix: Option<&Prefix<T>>) -> Self {
        let pages = store
            .access
            .check(Operation::Scan)
            .and_then(|()| Pages::new(store.clone(), Wanted::Keys, prefix));
        let keys = pages.map_or_else(|error| Batches::once(Err(error)), Batches::new);
        Self { store, keys }
    }

    /// Lists only the keys under a prefix. A scan that has begun begins anew.
    #[expect(clippy::needless_pass_by_value, reason = "it is made where it is given away")]
    pub fn within(self, prefix: Prefix<T>) -> Self {
        Self::new(self.store, Some(&prefix))
    }

    /// The next key; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<T::Key>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// All keys that are left, in memory at the same time.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](crate::StateError::InvalidKey) for a prefix that no key can have, and those of
    /// the backend.
    pub async fn all(mut self) -> Result<Vec<T::Key>> {
        let mut keys = Vec::new();
        while let Some(key) = self.next().await {
            keys.push(key?);
        }
        Ok(keys)
    }
}

async fn step<T: StateKey, B: backend::Scan>(
    mut pages: Pages<T, B>,
) -> Step<Pages<T, B>, Result<T::Key>> {
    match pages.next().await {
        Err(error) => (None, [Err(error)].into()),
        Ok(None) => (None, [].into()),
        Ok(Some(page)) => (Some(pages), page.into_iter().map(|found| Ok(found.key)).collect()),
    }
}

impl<T: StateKey, B: backend::Scan> Stream for KeyScan<T, B> {
    type Item = Result<T::Key>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.keys.poll(cx, step)
    }
}

impl<T: StateKey, B> Unpin for KeyScan<T, B> {}

impl<T: StateKey, B: Backend> fmt::Debug for KeyScan<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyScan").field("store", &self.store).finish_non_exhaustive()
    }
}
