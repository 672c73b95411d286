// A version below zero.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent, superseded)]
pub struct OldSession {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub name: String,
}

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent, version = -1, upgrade_from = OldSession)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}

impl From<OldSession> for Session {
    fn from(old: OldSession) -> Self {
        Self { id: old.id, user: old.name }
    }
}
