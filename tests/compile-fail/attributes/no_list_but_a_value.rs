// The attribute with a value in place of its list.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state = "session:{id}"]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
