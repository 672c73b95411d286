//! `Cached`: a value that is computed once, by one of all who ask for it.

mod early;
mod entry;

use core::{fmt, future::Future, time::Duration};
use std::sync::Arc;

use tokio::time::Instant;

pub use self::entry::{CacheEntry, Refresh};
use super::{
    claim::{Claims, Edit, Edited, Life, Looks},
    random,
    settings::check,
};
use crate::{
    backend::{AnyBackend, Backend, Cas, Timestamp, Ttl},
    error::{Result, StateError},
    schema::{Expiring, SoleValue, StateKey, Writable},
    store::{StateStore, Turns},
};

/// Values that are dear to compute: one of all who ask for one computes it, in all tasks and processes, and
/// the others wait for it.
///
/// ```standalone_crate
/// use core::time::Duration;
/// use state_runtime::{
///     StateError,
///     backends::MemoryBackend,
///     patterns::{CacheEntry, Cached},
///     prelude::*,
/// };
///
/// #[derive(Debug, StateKey, Validate)]
/// #[state(key = "report:{year}", ttl = "1h")]
/// struct Report {
///     #[garde(skip)]
///     year: u16,
///     #[state(value)]
///     #[garde(skip)]
///     entry: CacheEntry<String>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StateError> {
/// # let store = StateStore::new(MemoryBackend::new())?;
/// let reports = Cached::<Report, String, _>::new(&store, Duration::from_secs(10))?;
/// let computed = async || Ok::<_, StateError>("a long text".to_owned());
/// let text = reports.get_or_compute(Report::key(2026_u16), computed).await?;
/// assert_eq!(text, "a long text");
///
/// let not_again = async || -> Result<String, StateError> { unreachable!("it is stored") };
/// assert_eq!(reports.get_or_compute(Report::key(2026_u16), not_again).await?, text);
/// # Ok(())
/// # }
/// ```
///
/// A value lives as long as the type says. It is forgotten earlier by removing it: what is being computed
/// just then is not stored any more.
pub struct Cached<T: StateKey, V, B = AnyBackend> {
    claims: Claims<T, CacheEntry<V>, B>,
    /// The callers of this program that wait for one key.
    turns: Arc<Turns<T::Key>>,
    fresh_for: Duration,
    beta: f64,
}

impl<T: StateKey, V, B> Cached<T, V, B> {
    /// Values are stored as `T`. A caller that dies while it computes delays others by at most `lease`.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](StateError::Unsupported) if the backend lacks compare-and-swap or TTL;
    /// [`InvalidSettings`](StateError::InvalidSettings) if the lease is longer than the `ttl` of `T`.
    pub fn new(store: &StateStore<B>, lease: Duration) -> Result<Self>
    where
        T: SoleValue<CacheEntry<V>> + Writable + StateKey<Lifetime = Expiring>,
        V: Clone,
        B: Cas + Ttl,
    {
        let claims = Claims::new(store, lease, "Cached")?;
        let fresh_for = T::NAMESPACE.ttl.unwrap_or_default();
        Ok(Self { claims, turns: Arc::default(), fresh_for, beta: 1.0 })
    }
}

impl<T, V, B> Cached<T, V, B>
where
    T: SoleValue<CacheEntry<V>> + Writable + StateKey<Lifetime = Expiring>,
    V: Clone,
    B: Cas + Ttl,
{
    /// A value is fresh for so long and stale from then on, until its `ttl` ends. Of those who find a
    /// stale value one computes it anew, and the others go on with what there is.
    ///
    /// # Errors
    ///
    /// [`InvalidSettings`](StateError::InvalidSettings) if it is longer than the `ttl` of `T`.
    pub fn with_fresh_for(self, fresh_for: Duration) -> Result<Self> {
        check(
            Some(fresh_for) <= T::NAMESPACE.ttl,
            "Cached",
            "values expire before they are stale; let them be fresh for less than their `ttl`",
        )?;
        Ok(Self { fresh_for, ..self })
    }

    /// How early a fresh value may be computed anew, by chance and by one caller, so that it does not
    /// expire for all at once: 1 unless said otherwise, more is earlier, 0 is never.
    ///
    /// # Errors
    ///
    /// [`InvalidSettings`](StateError::InvalidSettings) if it is negative or no number.
    pub fn with_early_refresh(self, beta: f64) -> Result<Self> {
        let sound = beta >= 0.0 && beta.is_finite();
        check(sound, "Cached", "how early values are refreshed is a number from 0 on; 1 is usual")?;
        Ok(Self { beta, ..self })
    }

    /// The value, from the store or computed now.
    ///
    /// While somebody else computes it, this waits: for their value, or for their lease to end. A value
    /// that could not be stored is returned all the same. Errors are not stored; to keep them, let them
    /// be part of the value.
    ///
    /// # Errors
    ///
    /// Those of `compute`, unless there is a value yet: then that is returned, and the next attempt is made
    /// after the lease. Those of the store before anything was computed.
    pub async fn get_or_compute<F, E>(
        &self,
        key: T::Key,
        compute: impl FnOnce() -> F,
    ) -> Result<V, E>
    where
        F: Future<Output = Result<V, E>>,
        E: From<StateError>,
    {
        let (mut turn, mut looks) = (None, Looks::new());
        loop {
            match self.claims.get(&key).await? {
                Some(CacheEntry::Ready { value, took, fresh_until, refresh }) => {
                    let now = self.now().as_millis();
                    let taken = refresh.is_some_and(|refresh| refresh.until > now);
                    let chance = early::random();
                    if taken || !early::is_due(now, fresh_until, took, self.beta, chance) {
                        return Ok(value);
                    }
                    return Ok(self.refresh(&key, value, compute()).await);
                }
                // One caller of this program looks, and the others wait for it.
                _ if turn.is_none() => turn = Some(self.turns.take(&key).await),
                Some(CacheEntry::Computing(_)) => looks.pause().await,
                None => {
                    if let Some(nonce) = self.claim(&key).await? {
                        return self.first(&key, &nonce, compute()).await;
                    }
                }
            }
        }
    }

    /// A claim to compute what is not there; `None` if something is.
    async fn claim(&self, key: &T::Key) -> Result<Option<Box<str>>> {
        let nonce: Box<str> = random::hex()?.into();
        let claimed = self.claims.edit(key, Life::Lease, |found| match found {
            None => Edit::Put(CacheEntry::Computing(nonce.clone())),
            Some(_) => Edit::Leave,
        });
        Ok(matches!(claimed.await?, Edited::Done).then_some(nonce))
    }

    /// Computes a value that is not there.
    async fn first<E>(
        &self,
        key: &T::Key,
        nonce: &str,
        compute: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let is_own =
            |found: &CacheEntry<V>| matches!(found, CacheEntry::Computing(by) if **by == *nonce);
        let renew = || async {
            let renewed = self.claims.edit(key, Life::Lease, |found| match found {
                Some(found) if is_own(found) => Edit::Put(found.clone()),
                _ => Edit::Leave,
            });
            Ok(matches!(renewed.await?, Edited::Done))
        };
        let start = Instant::now();
        let computed = self.claims.renewing(compute, renew).await;
        let took = start.elapsed();
        let stored = self.claims.edit(key, Life::Whole, |found| match (found, &computed) {
            (Some(found), Ok(value)) if is_own(found) => Edit::Put(self.ready(value, took)),
            (Some(found), Err(_)) if is_own(found) => Edit::Remove,
            _ => Edit::Leave,
        });
        if stored.await.is_err() {
            tracing::debug!("a computed value was not stored, its claim ends with its lease");
        }
        computed
    }

    /// Computes a value anew, unless somebody else does; `value` is what there is.
    async fn refresh<E>(
        &self,
        key: &T::Key,
        value: V,
        compute: impl Future<Output = Result<V, E>>,
    ) -> V {
        let Ok(nonce) = random::hex() else { return value };
        let nonce: Box<str> = nonce.into();
        let own = || {
            let until = self.now().after(self.claims.lease()).as_millis();
            Refresh { by: nonce.clone(), until }
        };
        let begun = self.claims.edit(key, Life::Same, |found| match found {
            Some(CacheEntry::Ready { refresh: Some(refresh), .. })
                if refresh.until > self.now().as_millis() =>
            {
                Edit::Leave
            }
            found => marked(found, own()),
        });
        // A store that takes no writes just now has a value all the same.
        if !matches!(begun.await, Ok(Edited::Done)) {
            return value;
        }
        let is_own = |found: &CacheEntry<V>| matches!(found, CacheEntry::Ready { refresh: Some(refresh), .. } if refresh.by == nonce);
        let renew = || async {
            let renewed = self.claims.edit(key, Life::Same, |found| match found {
                Some(own_entry) if is_own(own_entry) => marked(found, own()),
                _ => Edit::Leave,
            });
            Ok(matches!(renewed.await?, Edited::Done))
        };
        let start = Instant::now();
        let Ok(computed) = self.claims.renewing(compute, renew).await else {
            tracing::debug!("a cached value could not be computed anew and is used on");
            return value;
        };
        let took = start.elapsed();
        let stored = self.claims.edit(key, Life::Whole, |found| match found {
            Some(found) if is_own(found) => Edit::Put(self.ready(&computed, took)),
            _ => Edit::Leave,
        });
        if stored.await.is_err() {
            tracing::debug!("a value that was computed anew was not stored");
        }
        computed
    }

    fn ready(&self, value: &V, took: Duration) -> CacheEntry<V> {
        CacheEntry::Ready {
            value: value.clone(),
            took: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            fresh_until: self.now().after(self.fresh_for).as_millis(),
            refresh: None,
        }
    }

    fn now(&self) -> Timestamp {
        self.claims.store().backend().now()
    }
}

/// The same value, marked as being computed anew.
fn marked<V: Clone>(found: Option<&CacheEntry<V>>, mark: Refresh) -> Edit<CacheEntry<V>> {
    match found {
        Some(CacheEntry::Ready { value, took, fresh_until, .. }) => {
            let (value, took, fresh_until) = (value.clone(), *took, *fresh_until);
            Edit::Put(CacheEntry::Ready { value, took, fresh_until, refresh: Some(mark) })
        }
        _ => Edit::Leave,
    }
}

impl<T: StateKey, V, B> Clone for Cached<T, V, B> {
    fn clone(&self) -> Self {
        let (claims, turns) = (self.claims.clone(), Arc::clone(&self.turns));
        Self { claims, turns, ..*self }
    }
}

impl<T: StateKey, V, B: Backend> fmt::Debug for Cached<T, V, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached")
            .field("claims", &self.claims)
            .field("fresh_for", &self.fresh_for)
            .field("beta", &self.beta)
            .finish_non_exhaustive()
    }
}
