// A name for a function that makes prefixes of a key that has none.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent, prefix_fn = of_user)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
