// A TTL below zero.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", ttl = "-5m")]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
