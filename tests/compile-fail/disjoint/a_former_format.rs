// A former format that another type has now.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: String,
    #[garde(skip)]
    pub user: String,
}

#[derive(StateKey, Validate)]
#[state(key = "login:{id}", persistent, formerly = "session:{id}")]
pub struct Login {
    #[garde(skip)]
    pub id: String,
    #[garde(skip)]
    pub user: String,
}

state_runtime::assert_disjoint!(Session, Login);
