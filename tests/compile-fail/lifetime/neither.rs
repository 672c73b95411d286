// Neither a TTL nor `persistent`.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}")]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
