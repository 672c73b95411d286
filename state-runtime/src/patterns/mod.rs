//! The patterns floor: what services keep in a state store again and again, made once.
//!
//! A pattern works on a namespace that the program declares, so its keys are checked like all others and
//! its values are readable JSON. It names no backend: what it needs of one is a bound where the backend's
//! type is known, and [`StateError::Unsupported`](crate::StateError::Unsupported) at its construction
//! where it is not.

mod cached;
mod claim;
mod idempotency;
mod lock;
mod random;
mod rate_limiter;
mod sessions;
mod settings;

pub use self::{
    cached::{CacheEntry, Cached, Refresh},
    idempotency::{Idempotency, Outcome, Run, RunError},
    lock::{Lease, Lock, LockGuard},
    rate_limiter::{Admission, Limit, OnOutage, RateLimiter},
    sessions::{SessionId, Sessions},
};
pub use crate::backend::RateWindow;
