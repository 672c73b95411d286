//! From the errors of the lower floors to `StateError`, which adds the key and the operation.

use super::{InvalidKey, InvalidUrl, Operation, Phase, StateError};
use crate::{
    backend::{BackendError, ErrorKind},
    key::Key,
    schema::NamespaceConflict,
    value::{DecodeKind, FieldPath, ValueError},
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

    /// What is stored under `key` cannot be added to.
    pub(crate) fn not_an_integer(key: &Key) -> Self {
        Self::wrong_type(key, "something that is no integer")
    }

    /// What is stored under `key` is `found` and not what an operation works on.
    fn wrong_type(key: &Key, found: &'static str) -> Self {
        Self::Decode {
            key: Box::new(key.clone()),
            path: FieldPath::default(),
            kind: DecodeKind::WrongType(found),
            line: 0,
            column: 0,
        }
    }

    /// The backend called `backend` failed at `operation`, which is about `keys`.
    pub(crate) fn of_backend(
        backend: &'static str,
        operation: Operation,
        keys: &[Key],
        source: BackendError,
    ) -> Self {
        let kind = source.kind();
        // Of several keys, the one at fault is named where the backend tells which it is.
        let key = match (kind, keys) {
            (ErrorKind::Conflict { index }, keys) => keys.get(index).or(keys.first()),
            (_, [key]) => Some(key),
            _ => None,
        };
        match (kind, key.cloned().map(Box::new)) {
            (ErrorKind::Conflict { .. }, Some(key)) if operation == Operation::Create => {
                Self::AlreadyExists { key }
            }
            (ErrorKind::Conflict { .. }, Some(key)) => Self::Conflict { key },
            (ErrorKind::TooLarge { size, limit }, Some(key)) => Self::TooLarge { key, size, limit },
            (ErrorKind::InvalidKey, Some(key)) => {
                Self::InvalidKey { key, reason: Box::new(InvalidKey::Refused(source)) }
            }
            (ErrorKind::OutOfRange, Some(key)) => Self::OutOfRange { key },
            (ErrorKind::NotAnInteger, Some(key)) => Self::not_an_integer(&key),
            (ErrorKind::NotAWindow, Some(key)) => {
                Self::wrong_type(&key, "something that is no rate window")
            }
            (ErrorKind::InvalidTtl, Some(key)) => Self::InvalidTtl { key, source },
            (ErrorKind::Unsupported(capability), _) => Self::Unsupported { backend, capability },
            (ErrorKind::Indeterminate, key) => {
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

impl From<InvalidUrl> for StateError {
    fn from(reason: InvalidUrl) -> Self {
        Self::InvalidUrl(Box::new(reason))
    }
}
