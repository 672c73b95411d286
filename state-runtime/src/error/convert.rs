//! From the errors of the lower floors to `StateError`, which adds the key and the operation.

use super::{InvalidKey, Operation, Phase, StateError};
use crate::{
    backend::{BackendError, ErrorKind},
    key::Key,
    schema::NamespaceConflict,
    value::ValueError,
};

impl StateError {
    /// Something is wrong with `key` itself.
    pub(crate) fn invalid_key(key: Key, reason: InvalidKey) -> Self {
        Self::InvalidKey { key: Box::new(key), reason: Box::new(reason) }
    }

    /// Something is wrong with the value of `key`.
    pub(crate) fn of_value(key: &Key, phase: Phase, error: ValueError) -> Self {
        let key = Box::new(key.clone());
        match error {
            ValueError::Invalid(report) => Self::Invalid { key, phase, report },
            ValueError::Encode(kind) => Self::Encode { key, kind },
            ValueError::Decode(fault) => Self::Decode {
                key,
                path: fault.path,
                kind: fault.kind,
                line: fault.line,
                column: fault.column,
            },
            ValueError::Version { found, supported } => Self::Version { key, found, supported },
            ValueError::TooLarge { size, limit } => Self::TooLarge { key, size, limit },
        }
    }

    /// The backend called `backend` failed at `operation`, which is about `keys`.
    pub(crate) fn of_backend(
        backend: &'static str,
        operation: Operation,
        keys: &[Key],
        source: BackendError,
    ) -> Self {
        // An operation over several keys names the one at fault where the backend tells.
        let about = |index: usize| keys.get(index).or(keys.first()).cloned().map(Box::new);
        match (source.kind(), about(0)) {
            (ErrorKind::Conflict { index }, _) if let Some(key) = about(index) => match operation {
                Operation::Create => Self::AlreadyExists { key },
                _ => Self::Conflict { key },
            },
            (ErrorKind::TooLarge { size, limit }, Some(key)) => Self::TooLarge { key, size, limit },
            (ErrorKind::InvalidKey, Some(key)) => {
                Self::InvalidKey { key, reason: Box::new(InvalidKey::Refused(source)) }
            }
            (ErrorKind::InvalidTtl, Some(key)) => Self::InvalidTtl { key, source },
            (ErrorKind::Unsupported(capability), _) => Self::Unsupported { backend, capability },
            (ErrorKind::Indeterminate, key) => {
                let key = if keys.len() == 1 { key } else { None };
                Self::Indeterminate { key, operation, source: Some(source) }
            }
            (ErrorKind::Unavailable, _) => Self::Unavailable { source },
            (ErrorKind::Overloaded, _) => Self::Overloaded { operation, source: Some(source) },
            (ErrorKind::Timeout, _) => Self::Timeout { operation },
            (ErrorKind::Closed, _) => Self::Closed,
            _ => Self::Backend { operation, source },
        }
    }
}

/// So that opening a backend and building a store over it can share one `?`.
///
/// ```
/// use state_runtime::{StateError, backends::FileBackend, prelude::*};
///
/// async fn open(folder: &str) -> Result<StateStore<FileBackend>, StateError> {
///     StateStore::production(FileBackend::open(folder).await?).await
/// }
/// ```
impl From<BackendError> for StateError {
    fn from(source: BackendError) -> Self {
        Self::of_backend("chosen", Operation::Backend, &[], source)
    }
}

impl From<NamespaceConflict> for StateError {
    fn from(conflict: NamespaceConflict) -> Self {
        Self::NamespaceConflict(Box::new(conflict))
    }
}
