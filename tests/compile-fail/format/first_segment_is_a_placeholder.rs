// A format whose first segment is a placeholder.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "{id}:session", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
