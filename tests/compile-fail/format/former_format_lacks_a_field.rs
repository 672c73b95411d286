// The former format names other fields than the format.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}:{user}", formerly = "login:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
