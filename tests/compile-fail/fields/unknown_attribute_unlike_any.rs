// A field attribute like no other.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[state(indexed)]
    #[garde(skip)]
    pub id: u64,
}
