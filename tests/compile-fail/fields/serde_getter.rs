// A getter belongs to a definition for another type.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[serde(getter = "Session::user")]
    #[garde(skip)]
    pub user: String,
}
