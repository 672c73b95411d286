// A case for a type without variants.

use state_runtime::KeyPart;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
#[state(rename_all = "kebab-case")]
pub struct UserId(pub u64);
