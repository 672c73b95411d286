// A struct that borrows.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session<'a> {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: &'a str,
}
