// A placeholder by number.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{0}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
