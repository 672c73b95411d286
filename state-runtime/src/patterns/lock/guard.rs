//! `LockGuard`: a lock that is held.

use core::fmt;

use tokio::sync::{oneshot, watch};

use super::hold::Hold;
use crate::{
    error::{Operation, Result, StateError},
    key::Key,
    schema::{FencingToken, StateKey},
};

/// A lock that is held, for as long as its lease can be renewed.
///
/// A task renews the lease in the background. Dropping the guard never blocks: the task frees the lock.
/// Where the runtime has ended before, the lock is free when its lease has run out.
#[must_use = "a lock is freed when its guard is dropped"]
pub struct LockGuard<T: StateKey> {
    key: T::Key,
    encoded: Key,
    token: FencingToken<T>,
    holds: watch::Receiver<Hold>,
    /// Dropping it is what tells the task to free the lock.
    stop: oneshot::Sender<oneshot::Sender<Result<()>>>,
}

impl<T: StateKey> LockGuard<T> {
    pub(super) fn new(
        (key, encoded): (T::Key, Key),
        token: u64,
        holds: watch::Receiver<Hold>,
        stop: oneshot::Sender<oneshot::Sender<Result<()>>>,
    ) -> Self {
        Self { key, encoded, token: FencingToken::new(token), holds, stop }
    }

    /// The key of the lock.
    pub const fn key(&self) -> &T::Key {
        &self.key
    }

    /// The number of this holder, greater than that of every holder before. A resource that refuses what
    /// comes with a smaller number than it has seen is safe from holders that do not know they were late.
    pub const fn token(&self) -> FencingToken<T> {
        self.token
    }

    /// Whether the lock is still held, by this program's own monotonic clock. Once it is not, it never is
    /// again.
    ///
    /// What is done next may be late all the same: the program may stand still right after the answer.
    pub fn is_held(&self) -> bool {
        !self.holds.borrow().is_over()
    }

    /// Completes when the lock is no longer held, before anybody else can have it: a sixteenth of the
    /// lease is left then to stop what is done under it.
    ///
    /// ```no_run
    /// # use state_runtime::{patterns::LockGuard, prelude::*};
    /// # async fn write_the_report() {}
    /// # async fn example<T: StateKey>(guard: LockGuard<T>) {
    /// tokio::select! {
    ///     () = write_the_report() => println!("done"),
    ///     () = guard.lost() => println!("somebody else may write it now"),
    /// }
    /// # }
    /// ```
    pub fn lost(&self) -> impl Future<Output = ()> + Send + use<T> {
        Hold::over(self.holds.clone())
    }

    /// Frees the lock and tells whether it was held up to now.
    ///
    /// What may pass is tried again for as long as the lease lasts. The lock is freed even if this
    /// future is dropped.
    ///
    /// # Errors
    ///
    /// [`LeaseLost`](StateError::LeaseLost) if it was not held any more: somebody else may have worked at
    /// the same time. Any other error means that the lock is free when its lease has run out, if not
    /// before.
    pub async fn release(self) -> Result<()> {
        let (reply, outcome) = oneshot::channel();
        let Self { encoded, stop, .. } = self;
        // Where there is no task, there is no answer either.
        let _ = stop.send(reply);
        outcome.await.unwrap_or_else(|_| {
            let operation = Operation::Release;
            Err(StateError::Indeterminate { key: Some(Box::new(encoded)), operation, source: None })
        })
    }
}

impl<T: StateKey> fmt::Debug for LockGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard")
            .field("key", &self.key)
            .field("token", &self.token)
            .field("is_held", &self.is_held())
            .finish_non_exhaustive()
    }
}
