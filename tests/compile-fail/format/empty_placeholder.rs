// A placeholder without a name.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
