// The name of a variant on the enum.

use state_runtime::KeyPart;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
#[state(rename = "place")]
pub enum Place {
    Home,
    Office,
}
