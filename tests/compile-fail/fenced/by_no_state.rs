// A lock is a type of state.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "page:{id}", persistent, fenced_by = String)]
pub struct Page {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub text: String,
}
