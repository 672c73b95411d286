// The character that escapes start with.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session=1:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
