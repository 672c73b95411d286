// A list in a key.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{roles}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub roles: Vec<String>,
    #[garde(skip)]
    pub user: String,
}
