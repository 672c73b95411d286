// A variant that is written as nothing.

use state_runtime::KeyPart;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
pub enum Place {
    #[state(rename = "")]
    Home,
    Office,
}
