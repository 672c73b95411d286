//! Counting the values of a type, without reading them.

use core::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
};

use super::pages::{Pages, Wanted};
use crate::{
    backend::{self, Backend},
    error::{Operation, Result},
    schema::{Prefix, StateKey},
    store::StateStore,
};

impl<B: Backend> StateStore<B> {
    /// Counts the values of a type, valid or not; with [`within`](Count::within), those under a
    /// prefix. It goes through all of their keys.
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
    /// assert_eq!(store.count().within(Line::prefix(7)).await?, 0);
    /// store.set(&Line { order_id: 7, line: 1, article: "tea".into() }).await?;
    /// assert_eq!(store.count::<Line>().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn count<T>(&self) -> Count<'static, T, B>
    where
        T: StateKey,
        B: backend::Scan,
    {
        Count { store: self.clone(), prefix: None, progress: None }
    }
}

/// A count that begins when it is awaited; see [`StateStore::count`].
///
/// It fails as [`KeyScan::all`](super::KeyScan::all) does.
#[must_use = "nothing is counted until it is awaited"]
pub struct Count<'p, T, B> {
    store: StateStore<B>,
    prefix: Option<Prefix<T>>,
    progress: Option<Box<dyn FnMut(u64) + Send + 'p>>,
}

impl<T: StateKey, B: backend::Scan> Count<'_, T, B> {
    /// Counts only the values under a prefix.
    pub fn within(self, prefix: Prefix<T>) -> Self {
        Self { prefix: Some(prefix), ..self }
    }

    /// Calls `progress` after each page with how many were counted until then.
    pub fn on_progress<'q>(self, progress: impl FnMut(u64) + Send + 'q) -> Count<'q, T, B> {
        Count { store: self.store, prefix: self.prefix, progress: Some(Box::new(progress)) }
    }

    async fn count(self) -> Result<u64> {
        let Self { store, prefix, mut progress } = self;
        store.access.check(Operation::Scan)?;
        let mut pages = Pages::<T, B>::new(store, Wanted::Keys, prefix.as_ref())?;
        let mut count = 0;
        while let Some(page) = pages.next().await? {
            count += page.len() as u64;
            if let Some(progress) = &mut progress {
                progress(count);
            }
        }
        Ok(count)
    }
}

impl<'p, T: StateKey, B: backend::Scan> IntoFuture for Count<'p, T, B> {
    type Output = Result<u64>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'p>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.count())
    }
}

impl<T: StateKey, B: Backend> fmt::Debug for Count<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, prefix, .. } = self;
        f.debug_struct("Count")
            .field("store", store)
            .field("prefix", prefix)
            .finish_non_exhaustive()
    }
}
