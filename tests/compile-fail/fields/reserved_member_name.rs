// A member name that is the runtime's.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[serde(rename = "$v")]
    #[garde(skip)]
    pub user: String,
}
