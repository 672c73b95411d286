// A reserved name for reading alone.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[serde(alias = "$user")]
    #[garde(skip)]
    pub user: String,
}
