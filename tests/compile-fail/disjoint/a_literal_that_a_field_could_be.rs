// A literal where the other format has a field.

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
#[state(key = "session:admin", persistent)]
pub struct Admin {
    #[garde(skip)]
    pub id: String,
    #[garde(skip)]
    pub user: String,
}

state_runtime::assert_disjoint!(Session, Admin);
