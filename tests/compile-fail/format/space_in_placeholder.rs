// A placeholder with spaces.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{ id }", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
