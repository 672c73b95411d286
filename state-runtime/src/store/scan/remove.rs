//! Removing all values of a type, or those under a prefix.

use core::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
};

use super::pages::{Found, Pages, Wanted};
use crate::{
    backend::{self, Backend, RemoveOptions},
    error::{Operation, Result},
    key::Key,
    schema::{Prefix, Removable, StateKey},
    store::{StateStore, backoff::Patience, parallel::parallel},
};

impl<B: Backend> StateStore<B> {
    /// Removes all values of a type, valid or not; with [`within`](RemoveAll::within), those under a
    /// prefix. Returns how many it found and removed.
    ///
    /// It goes through their keys page by page and removes those of a page at the same time, each on
    /// its own. So it is not one step: a value that is written meanwhile may be removed or stay, and
    /// where the future is dropped or fails halfway, what was removed stays removed. Needs the rights
    /// to read and to remove.
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
    /// let removed = store
    ///     .remove_all()
    ///     .within(Line::prefix(7))
    ///     .on_progress(|removed| println!("{removed} so far"))
    ///     .await?;
    /// assert_eq!(removed, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn remove_all<T>(&self) -> RemoveAll<'static, T, B>
    where
        T: Removable,
        B: backend::Scan,
    {
        RemoveAll { store: self.clone(), prefix: None, progress: None }
    }
}

/// A removal that begins when it is awaited; see [`StateStore::remove_all`].
///
/// It fails with [`InvalidKey`](crate::StateError::InvalidKey) for a prefix that no key can have, with
/// what the backend says of a page that it could not list for as long as the store's deadline, and
/// with what it says of a removal. [`Indeterminate`](crate::StateError::Indeterminate) is never tried
/// again.
#[must_use = "nothing is removed until it is awaited"]
pub struct RemoveAll<'p, T, B> {
    store: StateStore<B>,
    prefix: Option<Prefix<T>>,
    progress: Option<Box<dyn FnMut(u64) + Send + 'p>>,
}

impl<T: StateKey, B: backend::Scan> RemoveAll<'_, T, B> {
    /// Removes only the values under a prefix.
    pub fn within(self, prefix: Prefix<T>) -> Self {
        Self { prefix: Some(prefix), ..self }
    }

    /// Calls `progress` after each page with how many were removed until then, also where the page
    /// could not be removed completely.
    pub fn on_progress<'q>(self, progress: impl FnMut(u64) + Send + 'q) -> RemoveAll<'q, T, B> {
        RemoveAll { store: self.store, prefix: self.prefix, progress: Some(Box::new(progress)) }
    }

    async fn remove(self) -> Result<u64> {
        let Self { store, prefix, mut progress } = self;
        store.access.check(Operation::Scan)?;
        store.access.check(Operation::Remove)?;
        let mut pages = Pages::new(store.clone(), Wanted::Keys, prefix.as_ref())?;
        let mut removed = 0;
        while let Some(page) = pages.next().await? {
            let removals: Vec<_> = page.iter().map(|found| remove::<T, B>(&store, found)).collect();
            let outcomes = parallel(removals).await;
            removed += outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64;
            if let Some(progress) = &mut progress {
                progress(removed);
            }
            outcomes.into_iter().collect::<Result<()>>()?;
        }
        Ok(removed)
    }
}

/// Removes an entry, and what its present value may hide under its former key.
async fn remove<T: StateKey, B: Backend>(
    store: &StateStore<B>,
    found: &Found<T::Key>,
) -> Result<()> {
    // The former one first: should the second removal fail, no older value comes to light.
    if let Some(former) = store.former_key(&found.key) {
        remove_key(store, &former).await?;
    }
    remove_key(store, &found.encoded).await
}

/// Removes what lies under a key, and tries again what was certainly not done.
async fn remove_key<B: Backend>(store: &StateStore<B>, key: &Key) -> Result<()> {
    let mut patience = Patience::new(store.guard.deadline());
    loop {
        match store.guard.remove(Operation::Remove, key, RemoveOptions::default()).await {
            Err(error) if error.is_retryable() && patience.pause().await => {}
            removed => return removed,
        }
    }
}

impl<'p, T: StateKey, B: backend::Scan> IntoFuture for RemoveAll<'p, T, B> {
    type Output = Result<u64>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'p>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.remove())
    }
}

impl<T: StateKey, B: Backend> fmt::Debug for RemoveAll<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, prefix, .. } = self;
        f.debug_struct("RemoveAll")
            .field("store", store)
            .field("prefix", prefix)
            .finish_non_exhaustive()
    }
}
