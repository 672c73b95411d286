// An old version is not written.

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
#[state(key = "page:{id}", persistent, fenced_by = TheLock, superseded)]
pub struct Page {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub text: String,
}
