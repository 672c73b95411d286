// Only the key is shown to people: values never are.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[state(secret)]
    #[garde(skip)]
    pub password: String,
}
