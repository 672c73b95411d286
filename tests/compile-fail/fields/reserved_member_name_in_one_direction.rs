// A reserved name for writing alone.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[serde(rename(serialize = "$user", deserialize = "user"))]
    #[garde(skip)]
    pub user: String,
}
