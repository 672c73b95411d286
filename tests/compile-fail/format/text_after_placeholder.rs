// A placeholder with text after it in its segment.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}-v1", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
