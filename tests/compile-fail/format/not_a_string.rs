// A format that is no string.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = 5, persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
