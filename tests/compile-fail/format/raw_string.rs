// The place of a fault is right in a raw string too.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = r#"session:{id}:{usr}"#, persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
