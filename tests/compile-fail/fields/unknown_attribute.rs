// A field attribute that does not exist, but almost.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[state(secert)]
    #[garde(skip)]
    pub id: u64,
}
