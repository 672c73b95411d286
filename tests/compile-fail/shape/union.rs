// A union.

use state_runtime::prelude::*;

#[derive(StateKey)]
#[state(key = "session:{id}", persistent)]
pub union Session {
    pub id: u64,
    pub bits: f64,
}
