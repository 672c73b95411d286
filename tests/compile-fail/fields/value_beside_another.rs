// A field beside the one that is the whole value.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[state(value)]
    #[garde(skip)]
    pub count: u64,
    #[garde(skip)]
    pub total: u64,
}
