// An enum.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub enum Session {
    Open,
    Closed,
}
