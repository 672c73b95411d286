//! The namespace keeps texts, and the cache is of numbers.

use core::time::Duration;

use state_runtime::{
    StateError,
    patterns::{CacheEntry, Cached},
    prelude::*,
};

#[derive(StateKey, Validate)]
#[state(key = "report:{name}", ttl = "1h")]
#[garde(allow_unvalidated)]
struct Report {
    name: String,
    #[state(value)]
    entry: CacheEntry<String>,
}

fn reports(store: &StateStore) -> Result<(), StateError> {
    Cached::<Report, u32>::new(store, Duration::from_secs(10))?;
    Ok(())
}

fn main() {}
