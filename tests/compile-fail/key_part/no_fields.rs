// A tuple struct without a field.

use state_runtime::KeyPart;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
pub struct Nothing();
