// A format without a character.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
