// A placeholder that is a field misspelt.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{usr}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
