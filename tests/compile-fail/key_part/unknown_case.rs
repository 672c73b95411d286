// A case that does not exist, but almost.

use state_runtime::KeyPart;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
#[state(rename_all = "kebap-case")]
pub enum Place {
    Home,
    Office,
}
