// A newtype without `#[derive(KeyPart)]`.

use state_runtime::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub u64);

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: UserId,
    #[garde(skip)]
    pub user: String,
}
