//! Random pauses, and which errors are worth one.

use core::time::Duration;
use std::hash::{BuildHasher as _, RandomState};

use crate::error::StateError;

/// A random time below `most`, so that those who wait do not meet again.
pub(super) fn below(most: Duration) -> Duration {
    // Each `RandomState` has keys of its own.
    let random = RandomState::new().hash_one(());
    most / 256 * u32::from(random.to_le_bytes()[0])
}

/// Whether it may be different the next time. What a write of unknown outcome has done is seen by
/// reading, because a lease tells whose it is.
pub(super) fn passes(error: &StateError) -> bool {
    matches!(
        error,
        StateError::Conflict { .. }
            | StateError::AlreadyExists { .. }
            | StateError::Indeterminate { .. }
    ) || error.is_retryable()
}
