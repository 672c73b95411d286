// The same mark twice on one field.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[state(value, value)]
    #[garde(skip)]
    pub count: u64,
}
