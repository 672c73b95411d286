// An attribute that does not exist.

use state_runtime::KeyPart;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
#[state(secret)]
pub struct UserId(pub u64);
