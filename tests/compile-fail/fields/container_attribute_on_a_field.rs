// A container attribute on a field.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[state(ttl = "30m")]
    #[garde(skip)]
    pub user: String,
}
