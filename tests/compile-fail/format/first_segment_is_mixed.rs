// A format whose first segment is not wholly literal.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "s{id}:session", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
