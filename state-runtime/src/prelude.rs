//! What nearly every program needs: `use state_runtime::prelude::*;`.

pub use garde::Validate;

pub use crate::{
    schema::{StateKey, TypedKey},
    store::StateStore,
};
