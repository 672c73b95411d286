// A format that is a placeholder alone.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
