//! Listing all values of a type, or those under a prefix, as a stream that reads page by page.

mod count;
mod keys;
pub(super) mod pages;
mod remove;

use core::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};
use std::collections::VecDeque;

use futures_core::Stream;

use self::pages::{Pages, Wanted};
pub use self::{count::Count, keys::KeyScan, remove::RemoveAll};
use super::{
    StateStore, StoredIn,
    batches::{Batches, Step},
};
use crate::{
    backend::{self, Backend},
    error::{Operation, Result, StateError},
    schema::{Prefix, StateKey},
};

impl<B: Backend> StateStore<B> {
    /// Lists all values of a type, each decoded and validated; with [`within`](Scan::within), those
    /// under a prefix. The order is the backend's.
    ///
    /// Every value that exists throughout the scan is found; one that comes or goes meanwhile may be
    /// found or not. Keys of other types under the same prefix are passed over. Nothing is held in the
    /// backend between two pages. NATS lists in the order of writes: there, of more than a million
    /// values, one that is rewritten meanwhile may be found again.
    ///
    /// A value that is not valid is an `Err` among the others, which names its
    /// [`key`](StateError::key), and the scan goes on behind it. [`all`](Scan::all) stops there
    /// instead, and [`partition`](Scan::partition) tells the two apart. While the backend cannot be
    /// reached, a page is tried again for as long as the store's deadline. Then its error is the last
    /// item. As every read, a scan does with invalid values what `on_invalid` says: what is discarded
    /// or set aside is not among the items.
    ///
    /// ```standalone_crate
    /// # use state_runtime::{backends::MemoryBackend, prelude::*};
    /// #[derive(Debug, StateKey, Validate)]
    /// #[state(key = "order:{order_id}:line:{line}", persistent)]
    /// # #[garde(allow_unvalidated)]
    /// struct Line { order_id: u64, line: u32, article: String }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), state_runtime::StateError> {
    /// # let store = StateStore::new(MemoryBackend::new())?;
    /// store.set(&Line { order_id: 7, line: 1, article: "tea".into() }).await?;
    /// let mut lines = store.scan().within(Line::prefix(7));
    /// while let Some(line) = lines.next().await {
    ///     println!("{}", line?.article);
    /// }
    /// let everything: Vec<Line> = store.scan().all().await?;
    /// # assert_eq!(everything.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn scan<T>(&self) -> Scan<T, B>
    where
        T: StateKey,
        T::Lifetime: StoredIn<B>,
        B: backend::Scan,
    {
        Scan::new(self.clone(), None)
    }
}

/// A stream of values of a type; see [`StateStore::scan`].
///
/// It is a [`Stream`], and [`next`](Self::next) does without one's traits.
#[must_use = "a scan reads nothing until it is polled"]
pub struct Scan<T, B> {
    store: StateStore<B>,
    values: Batches<Pages<T, B>, Result<T>>,
}

impl<T: StateKey, B: backend::Scan> Scan<T, B> {
    fn new(store: StateStore<B>, prefix: Option<&Prefix<T>>) -> Self {
        let pages = store
            .access
            .check(Operation::Scan)
            .and_then(|()| Pages::new(store.clone(), Wanted::Values, prefix));
        let values = pages.map_or_else(|error| Batches::once(Err(error)), Batches::new);
        Self { store, values }
    }

    /// Lists only the values under a prefix. A scan that has begun begins anew.
    #[expect(clippy::needless_pass_by_value, reason = "it is made where it is given away")]
    pub fn within(self, prefix: Prefix<T>) -> Self {
        Self::new(self.store, Some(&prefix))
    }

    /// The next value; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// All values that are left, in memory at the same time.
    ///
    /// # Errors
    ///
    /// The first one, whether a value is not valid or the backend fails.
    pub async fn all(mut self) -> Result<Vec<T>> {
        let mut values = Vec::new();
        while let Some(value) = self.next().await {
            values.push(value?);
        }
        Ok(values)
    }

    /// All values that are left, and why the others are not valid, in memory at the same time.
    ///
    /// # Errors
    ///
    /// Those of the backend: what is missing then is not known to be invalid.
    pub async fn partition(mut self) -> Result<(Vec<T>, Vec<StateError>)> {
        let (mut valid, mut invalid) = (Vec::new(), Vec::new());
        while let Some(value) = self.next().await {
            match value {
                Ok(value) => valid.push(value),
                // Behind an invalid value there is at least one more look.
                Err(error) if self.values.is_done() => return Err(error),
                Err(error) => invalid.push(error),
            }
        }
        Ok((valid, invalid))
    }
}

/// The values of one page. Also of the last one: that there is no other is the next step.
async fn step<T: StateKey, B: backend::Scan>(
    store: StateStore<B>,
    mut pages: Pages<T, B>,
) -> Step<Pages<T, B>, Result<T>> {
    match pages.next().await {
        Err(error) => (None, [Err(error)].into()),
        Ok(None) => (None, [].into()),
        Ok(Some(page)) => {
            let mut values = VecDeque::with_capacity(page.len());
            for found in page {
                let place = found.place().clone();
                values.extend(store.accept(found.key, &place, &found.value).await.transpose());
            }
            (Some(pages), values)
        }
    }
}

impl<T: StateKey, B: backend::Scan> Stream for Scan<T, B> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        let Self { store, values } = &mut *self;
        values.poll(cx, |pages| step(store.clone(), pages))
    }
}

impl<T, B: Backend> Unpin for Scan<T, B> {}

impl<T, B: Backend> fmt::Debug for Scan<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("store", &self.store).finish_non_exhaustive()
    }
}
