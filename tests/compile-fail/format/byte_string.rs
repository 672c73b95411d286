// A format that is a byte string.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = b"session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
