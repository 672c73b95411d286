// Fields that borrow, for ever.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
#[garde(allow_unvalidated)]
pub struct Session {
    pub id: &'static str,
    pub user: &'static str,
    #[serde(skip)]
    pub origin: &'static str,
}
