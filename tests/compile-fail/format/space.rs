// A space in a literal.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "user session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
