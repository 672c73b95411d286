//! What a pattern is built with, checked before it is used.

use crate::{
    backend::{Backend, Capability},
    error::{Result, StateError},
    store::StateStore,
};

/// Refuses a backend whose instance lacks one of `capabilities`.
pub(super) fn require<B: Backend>(
    store: &StateStore<B>,
    capabilities: &[Capability],
) -> Result<()> {
    let offered = store.capabilities();
    match capabilities.iter().find(|capability| !offered.contains(**capability)) {
        None => Ok(()),
        Some(capability) => Err(StateError::Unsupported {
            backend: store.backend().name(),
            capability: *capability,
        }),
    }
}

/// Refuses settings of `pattern` for `reason` unless they are `sound`.
pub(super) const fn check(sound: bool, pattern: &'static str, reason: &'static str) -> Result<()> {
    if sound { Ok(()) } else { Err(StateError::InvalidSettings { pattern, reason }) }
}
