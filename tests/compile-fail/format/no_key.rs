// A state type without a key.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
