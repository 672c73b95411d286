// Rules whose context nobody can make.

use state_runtime::prelude::*;

pub struct Limits {
    pub longest: usize,
}

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
#[garde(context(Limits))]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}
