// A key field is not in the value.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[state(value)]
    #[garde(skip)]
    pub id: u64,
}
