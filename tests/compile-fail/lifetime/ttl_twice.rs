// Two TTLs.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", ttl = "30m", ttl = "1h")]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
