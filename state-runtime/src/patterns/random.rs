//! Numbers that nobody can guess, as text.

use crate::{
    backend::{BackendError, ErrorKind},
    error::{Operation, Result, StateError},
};

/// 128 random bits of the system, as 32 lower-case hexadecimal digits.
pub(super) fn hex() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| StateError::Backend {
        operation: Operation::Create,
        source: BackendError::new(ErrorKind::Other, "the system has no random numbers"),
    })?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
