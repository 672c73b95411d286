// A placeholder with a format specifier.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id:08}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
