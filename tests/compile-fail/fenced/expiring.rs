// The token would expire with the value.

use state_runtime::{patterns::Lease, prelude::*};

#[derive(StateKey, Validate)]
#[state(key = "lock:{name}", persistent)]
pub struct TheLock {
    #[garde(skip)]
    pub name: String,
    #[state(value)]
    #[garde(skip)]
    pub lease: Lease,
}

#[derive(StateKey, Validate)]
#[state(key = "page:{id}", ttl = "1h", fenced_by = TheLock)]
pub struct Page {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub text: String,
}
