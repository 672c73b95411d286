// A tuple struct.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session(#[garde(skip)] u64, #[garde(skip)] String);
