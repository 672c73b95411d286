// A newtype that borrows.

use state_runtime::KeyPart;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
pub struct Name<'a>(pub &'a str);
