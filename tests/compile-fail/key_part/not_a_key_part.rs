// A newtype around what cannot be a key part.

use state_runtime::KeyPart;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
pub struct Roles(pub Vec<String>);
