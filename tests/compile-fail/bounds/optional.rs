// A key field that may be missing.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: Option<u64>,
    #[garde(skip)]
    pub user: String,
}
