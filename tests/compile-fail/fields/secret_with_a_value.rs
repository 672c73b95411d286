// `secret` takes no value.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[state(secret = true)]
    #[garde(skip)]
    pub id: u64,
}
