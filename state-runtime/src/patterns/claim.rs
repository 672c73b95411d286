//! Claims: one of many callers carries something out, and the others can tell.
//!
//! A claim is a stored value with a nonce that lives for a lease. Its owner renews it while it works; if
//! the owner dies, it expires by the clock of the backend, and somebody else may claim. What comes of the
//! work is written only in place of the owner's own claim. The nonce tells claims apart where revisions
//! would not.

use core::{
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::pin,
    task::Poll,
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::settings::{check, require};
use crate::{
    backend::{Backend, Capability, Cas, MIN_TTL, Ttl},
    error::{Result, StateError},
    schema::{Expiring, SoleValue, StateKey, Writable},
    store::{Lifetime, StateStore},
};

/// The longest pause between two looks at what somebody else carries out.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Values of type `S` that may be claims, in the namespace of `T`.
pub(super) struct Claims<T, S, B> {
    store: StateStore<B>,
    claiming: StateStore<B>,
    keeping: StateStore<B>,
    lease: Duration,
    values: PhantomData<fn() -> (T, S)>,
}

/// What becomes of a stored value.
pub(super) enum Edit<S> {
    Put(S),
    Remove,
    Leave,
}

/// How long a value lives after it was edited.
#[derive(Clone, Copy)]
pub(super) enum Life {
    /// As long as a claim.
    Lease,
    /// As long as its type says.
    Whole,
    /// As long as before.
    Same,
}

/// What came of an edit.
pub(super) enum Edited<S> {
    Done,
    /// Nothing was written; this is stored.
    Left(Option<S>),
}

/// Why a write was not made.
enum Stop<S> {
    Left(Option<S>),
    Failed(StateError),
}

impl<S> From<StateError> for Stop<S> {
    fn from(error: StateError) -> Self {
        Self::Failed(error)
    }
}

impl<T, S, B> Claims<T, S, B>
where
    T: SoleValue<S> + Writable + StateKey<Lifetime = Expiring>,
    S: Clone,
    B: Cas + Ttl,
{
    const SOUND: () = assert!(
        !T::NAMESPACE.sliding,
        "a read would keep the claim of one who died alive: remove `sliding` from the type"
    );

    /// Claims of `pattern` that last for `lease` without renewal.
    pub(super) fn new(
        store: &StateStore<B>,
        lease: Duration,
        pattern: &'static str,
    ) -> Result<Self> {
        let () = Self::SOUND;
        require(store, &[Capability::Cas, Capability::Ttl])?;
        check(
            lease >= MIN_TTL && Some(lease) <= T::NAMESPACE.ttl,
            pattern,
            "the lease is shorter than a millisecond or longer than the `ttl` of the type",
        )?;
        Ok(Self {
            store: store.clone(),
            claiming: store.with_lifetime(Lifetime::For(lease)),
            keeping: store.with_lifetime(Lifetime::Keep),
            lease,
            values: PhantomData,
        })
    }

    pub(super) const fn store(&self) -> &StateStore<B> {
        &self.store
    }

    pub(super) const fn lease(&self) -> Duration {
        self.lease
    }

    /// What is stored.
    pub(super) async fn get(&self, key: &T::Key) -> Result<Option<S>> {
        Ok(self.store.get(key.clone()).await?.map(T::into_field))
    }

    /// Puts in place of what is stored what `edit` makes of it, whoever else writes.
    pub(super) async fn edit(
        &self,
        key: &T::Key,
        life: Life,
        mut edit: impl FnMut(Option<&S>) -> Edit<S>,
    ) -> Result<Edited<S>> {
        let store = match life {
            Life::Lease => &self.claiming,
            Life::Whole => &self.store,
            Life::Same => &self.keeping,
        };
        let edited = store.try_update_option(key.clone(), |stored: &mut Option<T>| {
            let found = stored.as_ref().map(T::field);
            *stored = match edit(found) {
                Edit::Put(next) => Some(T::with_key(key.clone(), next)),
                Edit::Remove => None,
                Edit::Leave => return Err(Stop::Left(found.cloned())),
            };
            Ok(())
        });
        match edited.await {
            Ok(()) => Ok(Edited::Done),
            Err(Stop::Left(found)) => Ok(Edited::Left(found)),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// Does `work` and beside it calls `renew` often enough for a lease, until it says `false`: a
    /// claim that is lost does not come back. A renewal that fails or hangs leaves time for another;
    /// giving one up is safe, since it holds under the nonce only.
    pub(super) async fn renewing<W, R>(&self, work: W, renew: impl Fn() -> R) -> W::Output
    where
        W: Future,
        R: Future<Output = Result<bool>>,
    {
        let renewals = async {
            let every = self.lease / 3;
            let mut ticks = interval_at(Instant::now() + every, every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                if let Ok(Ok(false)) = timeout(self.lease / 4, renew()).await {
                    return;
                }
            }
        };
        beside(work, renewals).await
    }
}

impl<T, S, B> Clone for Claims<T, S, B> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            claiming: self.claiming.clone(),
            keeping: self.keeping.clone(),
            lease: self.lease,
            values: PhantomData,
        }
    }
}

impl<T, S, B: Backend> fmt::Debug for Claims<T, S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("store", &self.store)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

/// The output of `work`; `other` makes progress for as long as that takes.
async fn beside<W: Future>(work: W, other: impl Future<Output = ()>) -> W::Output {
    let (mut work, mut other) = (pin!(work), pin!(other));
    let mut others = true;
    poll_fn(|cx| {
        if let Poll::Ready(output) = work.as_mut().poll(cx) {
            return Poll::Ready(output);
        }
        others = others && other.as_mut().poll(cx).is_pending();
        Poll::Pending
    })
    .await
}

/// Pauses between looks at what somebody else carries out, each longer than the one before.
pub(super) struct Looks(Duration);

impl Looks {
    pub(super) const fn new() -> Self {
        Self(Duration::from_millis(5))
    }

    pub(super) async fn pause(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}
