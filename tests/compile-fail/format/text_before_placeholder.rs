// A placeholder with text before it in its segment.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:user-{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
