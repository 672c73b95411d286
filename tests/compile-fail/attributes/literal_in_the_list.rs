// A literal in place of an attribute.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state("session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
