//! `Lock`: one holder at a time, over all instances of a service together.

mod attempt;
mod guard;
mod hold;
mod keeper;
mod lease;
mod pause;
mod sightings;

use core::{fmt, time::Duration};
use std::sync::Arc;

use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep},
};

use self::{
    attempt::{Attempt, Claim},
    hold::Hold,
    keeper::Keeper,
    lease::Nonce,
    pause::{below, passes},
    sightings::Sightings,
};
pub use self::{guard::LockGuard, lease::Lease};
use super::settings::{check, require};
use crate::{
    backend::{AnyBackend, Backend, Capability, Cas},
    error::{Operation, Result, StateError},
    schema::{Persistent, SoleValue, StateKey, Writable},
    store::StateStore,
};

/// A lease has to be long beside a round trip, and beside what a busy machine takes to run a task.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest mean pause between two looks at a lock that somebody holds.
const LOOK: Duration = Duration::from_millis(50);

/// Locks: of each key there is one holder at a time, over all instances of a service together.
///
/// A lock is a **lease**: its holder renews it in the background, and if that stops, another one takes
/// over. So a holder that stands still for longer than its lease does not know that it has lost it, and
/// what it does next comes late. No lock of this kind can exclude that. What can is the **token** that
/// [`LockGuard::token`] tells: it grows with every holder, and a resource that refuses smaller ones than it has seen is safe.
///
/// ```standalone_crate
/// use core::time::Duration;
/// use state_runtime::{
///     StateError,
///     backends::MemoryBackend,
///     patterns::{Lease, Lock},
///     prelude::*,
/// };
///
/// #[derive(Debug, StateKey, Validate)]
/// #[state(key = "lock:report:{name}", persistent)]
/// struct ReportLock {
///     #[garde(length(min = 1))]
///     name: String,
///     #[state(value)]
///     #[garde(skip)]
///     lease: Lease,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StateError> {
/// # let store = StateStore::new(MemoryBackend::new())?;
/// let lock = Lock::<ReportLock, _>::new(&store, Duration::from_secs(10))?;
/// let guard = lock.acquire(ReportLock::key("nightly"), Duration::from_secs(5)).await?;
/// assert!(lock.try_acquire(ReportLock::key("nightly")).await?.is_none());
/// guard.release().await?;
/// assert!(lock.try_acquire(ReportLock::key("nightly")).await?.is_some());
/// # Ok(())
/// # }
/// ```
///
/// Clones share what they have seen of locks; keep one for the whole program.
///
/// # How a dead holder is found out
///
/// No clocks of two machines are compared. Whoever waits looks at the lease now and then; when it has seen
/// it unchanged for its whole length, by its own monotonic clock, it takes over. So after a crash the
/// lock is had by the next one at most a lease and a look later.
///
/// # Tokens
///
/// A token is the one before plus one, or the time in microseconds if that is more. The entry of a free lock stays,
/// with its token. So tokens grow through expiry, release, restarts of the server and a clock that steps
/// back; and if the entry is removed by somebody else, as long as the clocks of the machines are not
/// further behind than the last token is old.
pub struct Lock<T: StateKey, B = AnyBackend> {
    store: StateStore<B>,
    length: Duration,
    sightings: Arc<Sightings<T::Key>>,
}

impl<T, B> Lock<T, B>
where
    T: SoleValue<Lease> + Writable<Lifetime = Persistent>,
    B: Cas,
{
    /// Locks whose holders are given up `lease` after their last sign of life: long enough for a busy
    /// machine to send one, every third of it.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](StateError::Unsupported) if the backend has no compare-and-swap, or one whose revisions do not
    /// stand for the content; [`InvalidSettings`](StateError::InvalidSettings) if the lease is shorter than
    /// 100 ms or longer than a day.
    pub fn new(store: &StateStore<B>, lease: Duration) -> Result<Self> {
        check(lease >= SHORTEST, "Lock", "the lease is shorter than 100 ms; make it longer")?;
        check(lease <= LONGEST, "Lock", "the lease is longer than a day; make it shorter")?;
        require_exact(store)?;
        Ok(Self { store: store.clone(), length: lease, sightings: Arc::default() })
    }

    /// Takes the lock, and waits up to `within` while somebody else holds it.
    ///
    /// All who wait look again after random pauses of the same mean, however long they have waited: each has
    /// the same chance. If this future is dropped, there is at most one lease left that nobody renews.
    ///
    /// # Errors
    ///
    /// [`Timeout`](StateError::Timeout) if somebody held it all the time; if the backend could not be reached
    /// in the end, why. After [`Indeterminate`](StateError::Indeterminate) the lock may be held by nobody until a
    /// lease has passed. Those of [`StateStore::update`] otherwise.
    pub async fn acquire(&self, key: T::Key, within: Duration) -> Result<LockGuard<T>> {
        let (start, nonce) = (Instant::now(), Nonce::new());
        let look = (self.length / 16).min(LOOK);
        let mut failed = None;
        loop {
            let pause = match self.attempt(&key, &nonce).await {
                Ok(Attempt::Taken(claim)) => return self.keep(key, nonce, claim),
                Ok(Attempt::Lost) => Duration::ZERO,
                Ok(Attempt::Held(left)) => {
                    failed = None;
                    left.min(below(look * 2))
                }
                Err(error) if passes(&error) => {
                    failed = Some(error);
                    below(look * 2)
                }
                Err(error) => return Err(error),
            };
            let left = within.saturating_sub(start.elapsed());
            if left.is_zero() {
                let operation = Operation::Acquire;
                return Err(failed.unwrap_or(StateError::Timeout { operation }));
            }
            sleep(pause.min(left)).await;
        }
    }

    /// Takes the lock, or answers `None` if somebody holds it.
    ///
    /// Of a holder that is dead this knows only what earlier calls have seen: called again after a whole
    /// lease, it takes over.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Self::acquire), but for `Timeout`.
    pub async fn try_acquire(&self, key: T::Key) -> Result<Option<LockGuard<T>>> {
        let nonce = Nonce::new();
        let mut unknown = None;
        loop {
            match self.attempt(&key, &nonce).await {
                Ok(Attempt::Taken(claim)) => return self.keep(key, nonce, claim).map(Some),
                Ok(Attempt::Held(_)) => return Ok(None),
                Ok(Attempt::Lost) => {}
                // Whether it was taken can be read, once.
                Err(error @ StateError::Indeterminate { .. }) if unknown.is_none() => {
                    unknown = Some(error);
                }
                Err(error) => return Err(unknown.unwrap_or(error)),
            }
        }
    }

    /// Starts to renew the lease.
    fn keep(&self, key: T::Key, nonce: Nonce, claim: Claim) -> Result<LockGuard<T>> {
        let Claim { lease, revision, sent } = claim;
        let (holds, hold) = watch::channel(Hold::of(sent, self.length));
        let (stop, stopped) = oneshot::channel();
        let encoded = self.store.encode_key(&key)?;
        let guard = LockGuard::new((key.clone(), encoded.clone()), lease.token(), hold, stop);
        let lock = self.clone();
        let keeper = Keeper { lock, key, encoded, nonce, lease, revision, holds };
        tokio::spawn(keeper.run(sent, stopped));
        Ok(guard)
    }
}

/// Refuses a backend with which a late write could pass for one that is in time.
fn require_exact<B: Backend>(store: &StateStore<B>) -> Result<()> {
    require(store, &[Capability::Cas])?;
    if store.capabilities().contains(Capability::UniqueRevision) {
        return Ok(());
    }
    require(store, &[Capability::ExactRevision])
}

impl<T: StateKey, B> Clone for Lock<T, B> {
    fn clone(&self) -> Self {
        let sightings = Arc::clone(&self.sightings);
        Self { store: self.store.clone(), length: self.length, sightings }
    }
}

impl<T: StateKey, B: Backend> fmt::Debug for Lock<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("store", &self.store)
            .field("lease", &self.length)
            .finish_non_exhaustive()
    }
}
