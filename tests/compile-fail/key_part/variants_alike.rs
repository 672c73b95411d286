// Two variants that are written alike.

use state_runtime::KeyPart;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
pub enum Place {
    Home,
    #[state(rename = "Home")]
    House,
}
