// A placeholder that is like no field.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{tenant}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
