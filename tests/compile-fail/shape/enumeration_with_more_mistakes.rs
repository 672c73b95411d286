// An enum is one mistake, whatever its attributes are.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{nobody}", ttl = "0s", sliding)]
pub enum Session {
    Open,
    Closed,
}
