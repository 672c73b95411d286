// Each variant with data is told.

use state_runtime::KeyPart;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
pub enum Place {
    Home,
    At(String),
    Near { city: String },
}
