//! What nearly every program needs: `use state_runtime::prelude::*;`.

pub use garde::Validate;
#[cfg(feature = "derive")]
pub use state_macros::{KeyPart, StateKey};

pub use crate::{
    key::KeyPart,
    schema::{StateKey, TypedKey},
    store::StateStore,
};
