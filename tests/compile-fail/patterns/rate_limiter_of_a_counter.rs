//! A rate limiter counts by a `RateWindow`, which this namespace does not keep.

use core::time::Duration;

use state_runtime::{
    StateError,
    patterns::{Limit, OnOutage, RateLimiter},
    prelude::*,
};

#[derive(StateKey, Validate)]
#[state(key = "calls:{user}", ttl = "1h")]
#[garde(allow_unvalidated)]
struct Calls {
    user: String,
    #[state(value)]
    count: i64,
}

fn limiter(store: &StateStore) -> Result<(), StateError> {
    let limit = Limit::smooth(10, Duration::from_secs(60));
    RateLimiter::<Calls>::new(store, limit, OnOutage::Refuse)?;
    Ok(())
}

fn main() {}
