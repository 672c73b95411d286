// Two placeholders with nothing between them.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}{user}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
