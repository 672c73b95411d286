// Three mistakes in one attribute.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session::{usr}", ttl = "soon", sildding)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
