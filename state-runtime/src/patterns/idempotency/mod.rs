//! `Idempotency`: an operation that is carried out once, however often it is asked for.

mod outcome;

use core::{fmt, future::Future, time::Duration};

pub use self::outcome::{Outcome, Run, RunError};
use super::{
    claim::{Claims, Edit, Edited, Life, Looks},
    random,
};
use crate::{
    backend::{AnyBackend, Backend, Cas, Ttl},
    error::Result,
    schema::{Expiring, SoleValue, StateKey, Writable},
    store::StateStore,
};

/// Carries out an operation once for a key, and tells all others who ask for it what came of it.
///
/// For requests that a client sends again because it has not heard of the first: a payment, an order, a
/// mail. The key is the one that the client made up for its request. The outcome is stored as long as the
/// type says, and a request that comes later than that is a new one.
///
/// ```standalone_crate
/// use core::{convert::Infallible, time::Duration};
/// use state_runtime::{
///     StateError,
///     backends::MemoryBackend,
///     patterns::{Idempotency, Outcome, RunError},
///     prelude::*,
/// };
///
/// #[derive(Debug, StateKey, Validate)]
/// #[state(key = "payment:{request}", ttl = "24h")]
/// struct Payment {
///     #[garde(length(min = 8, max = 64))]
///     request: String,
///     #[state(value)]
///     #[garde(skip)]
///     outcome: Outcome<u32>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), RunError<u32, Infallible>> {
/// # let store = StateStore::new(MemoryBackend::new()).map_err(RunError::State)?;
/// let payments = Idempotency::<Payment, u32, _>::new(&store, Duration::from_secs(10))
///     .map_err(RunError::State)?;
/// let receipt = async || Ok::<u32, Infallible>(7001);
/// let first = payments.run(Payment::key("c0ffee11"), receipt).await?;
/// assert!(!first.is_replayed());
/// let again = payments.run(Payment::key("c0ffee11"), receipt).await?;
/// assert!(again.is_replayed());
/// assert_eq!(again.into_value(), 7001);
/// # Ok(())
/// # }
/// ```
///
/// # At least once
///
/// While an operation goes on, a claim in the store keeps others from it, for a lease that is renewed
/// every third of it. If the process dies midway, nobody can know how far it came; when the lease is
/// over, **the next call carries the operation out once more**. The same goes for a process that stands
/// still for longer than the lease, and for an operation that blocks its thread, so that nothing can be
/// renewed. What must not happen twice even then has to be told apart by whom it happens to: hand the key
/// on to the payment service, or use a fenced lock.
pub struct Idempotency<T, V, B = AnyBackend> {
    claims: Claims<T, Outcome<V>, B>,
}

impl<T, V, B> Idempotency<T, V, B> {
    /// Outcomes are stored as `T`. A caller that dies delays others by at most `lease`.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::StateError::Unsupported) if the backend lacks compare-and-swap or TTL;
    /// [`InvalidSettings`](crate::StateError::InvalidSettings) if the lease is longer than the `ttl` of
    /// `T`.
    pub fn new(store: &StateStore<B>, lease: Duration) -> Result<Self>
    where
        T: SoleValue<Outcome<V>> + Writable + StateKey<Lifetime = Expiring>,
        V: Clone,
        B: Cas + Ttl,
    {
        Ok(Self { claims: Claims::new(store, lease, "Idempotency")? })
    }
}

impl<T, V, B> Idempotency<T, V, B>
where
    T: SoleValue<Outcome<V>> + Writable + StateKey<Lifetime = Expiring>,
    V: Clone,
    B: Cas + Ttl,
{
    /// Carries out `operation`, or tells what came of it before. While somebody else carries it out,
    /// this waits: for their outcome, or for their lease to end.
    ///
    /// A dropped future leaves a claim that nobody renews.
    ///
    /// # Errors
    ///
    /// [`RunError`].
    pub async fn run<F, E>(
        &self,
        key: T::Key,
        operation: impl FnOnce() -> F,
    ) -> Result<Run<V>, RunError<V, E>>
    where
        F: Future<Output = Result<V, E>>,
    {
        let mut looks = Looks::new();
        let nonce = loop {
            match self.claim(&key).await.map_err(RunError::State)? {
                Claim::Own(nonce) => break nonce,
                Claim::Done(value) => return Ok(Run::Replayed(value)),
                Claim::Running => looks.pause().await,
            }
        };
        self.carry_out(&key, &nonce, operation()).await
    }

    /// As [`run`](Self::run), but `None` while somebody else carries it out.
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run).
    pub async fn try_run<F, E>(
        &self,
        key: T::Key,
        operation: impl FnOnce() -> F,
    ) -> Result<Option<Run<V>>, RunError<V, E>>
    where
        F: Future<Output = Result<V, E>>,
    {
        match self.claim(&key).await.map_err(RunError::State)? {
            Claim::Own(nonce) => self.carry_out(&key, &nonce, operation()).await.map(Some),
            Claim::Done(value) => Ok(Some(Run::Replayed(value))),
            Claim::Running => Ok(None),
        }
    }

    async fn claim(&self, key: &T::Key) -> Result<Claim<V>> {
        let nonce: Box<str> = random::hex()?.into();
        let claimed = self.claims.edit(key, Life::Lease, |found| match found {
            None => Edit::Put(Outcome::Running(nonce.clone())),
            Some(_) => Edit::Leave,
        });
        Ok(match claimed.await? {
            Edited::Done => Claim::Own(nonce),
            Edited::Left(Some(Outcome::Done(value))) => Claim::Done(value),
            Edited::Left(_) => Claim::Running,
        })
    }

    async fn carry_out<E>(
        &self,
        key: &T::Key,
        nonce: &str,
        operation: impl Future<Output = Result<V, E>>,
    ) -> Result<Run<V>, RunError<V, E>> {
        let is_own = |found: &Outcome<V>| matches!(found, Outcome::Running(by) if **by == *nonce);
        let renew = || async {
            let renewed = self.claims.edit(key, Life::Lease, |found| match found {
                Some(found) if is_own(found) => Edit::Put(found.clone()),
                _ => Edit::Leave,
            });
            Ok(matches!(renewed.await?, Edited::Done))
        };
        let value = match self.claims.renewing(operation, renew).await {
            Ok(value) => value,
            Err(error) => {
                let released = self.claims.edit(key, Life::Whole, |found| match found {
                    Some(found) if is_own(found) => Edit::Remove,
                    _ => Edit::Leave,
                });
                if released.await.is_err() {
                    tracing::debug!("a claim could not be released and ends with its lease");
                }
                return Err(RunError::Operation(error));
            }
        };
        // It was carried out, so that is stored even where the claim has expired meanwhile and somebody
        // else has one: they find it when they are done. All are told what was stored first.
        let stored = self.claims.edit(key, Life::Whole, |found| match found {
            Some(Outcome::Done(_)) => Edit::Leave,
            _ => Edit::Put(Outcome::Done(value.clone())),
        });
        match stored.await {
            Ok(Edited::Left(Some(Outcome::Done(value)))) => Ok(Run::Replayed(value)),
            Ok(_) => Ok(Run::Executed(value)),
            Err(source) => Err(RunError::NotStored { value, source }),
        }
    }
}

/// Who carries out an operation.
enum Claim<V> {
    /// This call, under this nonce.
    Own(Box<str>),
    /// Somebody else, just now.
    Running,
    /// Somebody else has.
    Done(V),
}

impl<T, V, B> Clone for Idempotency<T, V, B> {
    fn clone(&self) -> Self {
        Self { claims: self.claims.clone() }
    }
}

impl<T, V, B: Backend> fmt::Debug for Idempotency<T, V, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idempotency").field("claims", &self.claims).finish()
    }
}
