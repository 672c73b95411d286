// A union.

use state_runtime::KeyPart;

#[derive(KeyPart)]
pub union Bits {
    pub id: u64,
    pub bits: f64,
}
