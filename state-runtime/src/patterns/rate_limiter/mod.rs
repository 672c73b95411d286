//! `RateLimiter`: so much in such a time, over all instances of a service together.

mod admission;
mod limit;

use core::{fmt, marker::PhantomData};

pub use self::{admission::Admission, limit::Limit};
use super::settings::require;
use crate::{
    backend::{
        AnyBackend, Backend, Capability, Cas, ErrorKind, Pace, RateWindow, ThrottleOptions, Ttl,
    },
    error::{Result, StateError},
    schema::{Expiring, SoleValue, StateKey},
    store::StateStore,
};

/// What a rate limiter answers when the store cannot decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnOutage {
    /// Every call is admitted: the service goes on without a limit.
    Admit,
    /// Every call is refused: nothing goes on that is not counted.
    Refuse,
}

/// Limits how much is done in a time, over all instances of a service together.
///
/// All instances never admit more than the limit while acknowledged writes survive, and not one less.
/// A refused call takes nothing, so calling again and again pushes nothing further away. A limit may
/// change from one release to the next: it holds from the next check on. Entries expire when all
/// permits are there again.
///
/// ```standalone_crate
/// use core::time::Duration;
/// use state_runtime::{
///     StateError,
///     backends::MemoryBackend,
///     patterns::{Limit, OnOutage, RateLimiter, RateWindow},
///     prelude::*,
/// };
///
/// #[derive(Debug, StateKey, Validate)]
/// #[state(key = "rate:{principal}:{command}", ttl = "2m")]
/// struct Calls {
///     #[garde(length(min = 1))]
///     principal: String,
///     #[garde(length(min = 1))]
///     command: String,
///     #[state(value)]
///     #[garde(skip)]
///     window: RateWindow,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StateError> {
/// # let store = StateStore::new(MemoryBackend::new())?;
/// let limit = Limit::smooth(2, Duration::from_secs(60));
/// let limiter = RateLimiter::<Calls, _>::new(&store, limit, OnOutage::Refuse)?;
/// assert!(limiter.check(Calls::key("ada", "search")).await?.is_admitted());
/// assert!(limiter.check(Calls::key("ada", "search")).await?.is_admitted());
/// let refused = limiter.check(Calls::key("ada", "search")).await?;
/// assert!(!refused.is_admitted());
/// assert!(refused.headers().any(|(name, seconds)| name == "retry-after" && seconds > 0));
/// # Ok(())
/// # }
/// ```
///
/// One round trip where the backend can: on Redis a script, by the clock of the server. Elsewhere a read
/// and, if permits were taken, a write under a condition, by the clock of the machine. To give somebody
/// all permits back, remove the value.
pub struct RateLimiter<T, B = AnyBackend> {
    store: StateStore<B>,
    pace: Pace,
    on_outage: OnOutage,
    windows: PhantomData<fn() -> T>,
}

impl<T, B> RateLimiter<T, B> {
    /// Limits what is stored as `T`. What happens while the store is down has no default.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](StateError::Unsupported) if the backend lacks compare-and-swap or TTL;
    /// [`InvalidSettings`](StateError::InvalidSettings) if the limit admits nothing, or if entries of
    /// `T` expire before all permits are there again.
    pub fn new(store: &StateStore<B>, limit: Limit, on_outage: OnOutage) -> Result<Self>
    where
        T: SoleValue<RateWindow> + StateKey<Lifetime = Expiring>,
        B: Cas + Ttl,
    {
        let () = Self::PLAIN;
        require(store, &[Capability::Cas, Capability::Ttl])?;
        let pace = limit.pace(T::NAMESPACE.ttl.unwrap_or_default())?;
        Ok(Self { store: store.clone(), pace, on_outage, windows: PhantomData })
    }
}

impl<T, B> RateLimiter<T, B>
where
    T: SoleValue<RateWindow> + StateKey<Lifetime = Expiring>,
    B: Cas + Ttl,
{
    /// What a server that writes by itself could not keep to.
    const PLAIN: () = assert!(
        T::PLAIN && T::NAMESPACE.former.is_none() && T::NAMESPACE.max_size >= 64,
        "a server writes a `RateWindow` by itself, without `#[serde(…)]`, rules, `formerly` or a `max_size` below 64 bytes: \
         mark the field `#[garde(skip)]` and remove the rest"
    );

    /// The same with another limit: for a principal who has one of its own.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn with_limit(&self, limit: Limit) -> Result<Self> {
        Self::new(&self.store, limit, self.on_outage)
    }

    /// Takes one permit, if there is one.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](StateError::InvalidKey) before anything is sent,
    /// [`Decode`](StateError::Decode) if something else is stored there,
    /// [`Denied`](StateError::Denied) and [`Closed`](StateError::Closed). That the store is down is no
    /// error but [`Admission::outage`].
    pub async fn check(&self, key: T::Key) -> Result<Admission> {
        self.check_many(key, 1).await
    }

    /// Takes `cost` permits, all or none: for a batch of so many, or a call that weighs as much. With 0
    /// it takes none and tells how many there are.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check).
    pub async fn check_many(&self, key: T::Key, cost: u32) -> Result<Admission> {
        let limit = self.pace.capacity();
        let options = ThrottleOptions { pace: self.pace, cost };
        match self.store.throttle(&key, options).await {
            Ok(throttled) => Ok(Admission::decided(limit, throttled)),
            Err(outage) if is_outage(&outage) => {
                let admitted = self.on_outage == OnOutage::Admit;
                Ok(Admission::assumed(limit, admitted, outage))
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether the store could not decide, for a reason that may pass. A missing right or something else
/// under the key does not, and would admit every call for good.
fn is_outage(error: &StateError) -> bool {
    match error {
        StateError::Unavailable { .. }
        | StateError::Overloaded { .. }
        | StateError::Timeout { .. }
        | StateError::Indeterminate { .. } => true,
        StateError::Backend { source, .. } => {
            !matches!(source.kind(), ErrorKind::Denied | ErrorKind::Foreign | ErrorKind::Corrupted)
        }
        _ => false,
    }
}

impl<T, B> Clone for RateLimiter<T, B> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), ..*self }
    }
}

impl<T, B: Backend> fmt::Debug for RateLimiter<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("store", &self.store)
            .field("pace", &self.pace)
            .field("on_outage", &self.on_outage)
            .finish_non_exhaustive()
    }
}
