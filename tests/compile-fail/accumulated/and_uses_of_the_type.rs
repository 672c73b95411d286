// The uses of a type with a mistake are not told too.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{usr}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}

pub fn key(session: &Session) -> String {
    let first: SessionKey = Session::key(1);
    let second = session.state_key();
    format!("{first} {second}")
}

state_runtime::assert_disjoint!(Session);
