// State is no lock of itself.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "page:{id}", persistent, fenced_by = Page)]
pub struct Page {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub text: String,
}
