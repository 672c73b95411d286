// One segment with three placeholders is one mistake.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{a}{b}{c}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub a: u64,
    #[garde(skip)]
    pub b: u64,
    #[garde(skip)]
    pub c: u64,
}
