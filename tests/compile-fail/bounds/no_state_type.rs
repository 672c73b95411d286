// A type that is not state at all.

use state_runtime::prelude::*;

pub struct Session {
    pub id: u64,
}

state_runtime::assert_disjoint!(Session);
