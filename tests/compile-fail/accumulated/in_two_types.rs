// Mistakes of two types.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{usr}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}

#[derive(StateKey, Validate)]
#[state(key = "login:{id}", ttl = "0s")]
pub struct Login {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
