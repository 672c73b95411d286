// A state type without rules.

use state_runtime::prelude::*;

#[derive(StateKey)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    pub id: u64,
    pub user: String,
}
