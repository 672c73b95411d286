// A state type that says nothing at all.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
