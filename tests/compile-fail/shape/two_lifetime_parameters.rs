// A struct that borrows twice.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session<'a, 'b> {
    #[garde(skip)]
    pub id: &'a str,
    #[garde(skip)]
    pub user: &'b str,
}
