// A letter that is not ASCII.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "séance:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
