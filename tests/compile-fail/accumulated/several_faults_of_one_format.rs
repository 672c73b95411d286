// Several faults of one format.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = ":user session:{id}{usr}::*", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
