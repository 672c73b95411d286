// A format that is a constant.

use state_runtime::prelude::*;

const FORMAT: &str = "session:{id}";

#[derive(StateKey, Validate)]
#[state(key = FORMAT, persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
