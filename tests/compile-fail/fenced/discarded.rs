// Whoever discards a value discards its token.

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
#[state(key = "page:{id}", persistent, fenced_by = TheLock, on_invalid = "discard")]
pub struct Page {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub text: String,
}
