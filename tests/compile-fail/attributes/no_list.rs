// The attribute without its list.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
