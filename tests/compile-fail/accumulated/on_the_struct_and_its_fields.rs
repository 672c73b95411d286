// Mistakes of the struct and of its fields.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{usr}", ttl = "0s", persistent, max_size = "0B")]
pub struct Session {
    #[state(secert)]
    #[garde(skip)]
    pub id: u64,
    #[serde(rename = "$user")]
    #[garde(skip)]
    pub user: String,
}
