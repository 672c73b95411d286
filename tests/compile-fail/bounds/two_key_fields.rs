// Each of two key fields is told once.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{a}:{b}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub a: f32,
    #[garde(skip)]
    pub b: Vec<u8>,
    #[garde(skip)]
    pub user: String,
}
