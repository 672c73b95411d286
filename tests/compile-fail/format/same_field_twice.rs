// A field that the format names twice.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
