//! `StateError`: everything that can go wrong between a typed call and its backend.

mod convert;
mod display;
mod url;

use core::fmt;

use crate::{
    backend::{BackendError, Capability, Risk},
    key::{Key, KeyError},
    schema::NamespaceConflict,
    value::{DecodeKind, FieldPath, Report},
};

pub use self::url::InvalidUrl;
pub use crate::value::EncodeKind;

/// The result of a typed operation.
pub type Result<T, E = StateError> = core::result::Result<T, E>;

/// Why a typed operation failed.
///
/// No message, no `Debug` form and no source holds a stored value, and keys are shown without
/// their secret fields: an error may be logged as it is.
///
/// The question after a failed write is whether it may have happened. Only after
/// [`Indeterminate`](Self::Indeterminate) it may; after every other error it did not.
///
/// ```
/// use state_runtime::{StateError, prelude::*};
///
/// fn status(error: &StateError) -> u16 {
///     match error {
///         StateError::NotFound { .. } => 404,
///         StateError::Conflict { .. } | StateError::AlreadyExists { .. } => 409,
///         StateError::InvalidKey { .. } | StateError::Invalid { .. } => 422,
///         error if error.is_retryable() => 503,
///         _ => 500,
///     }
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum StateError {
    /// A key field is empty or breaks a rule, or the key is too long. Nothing was sent.
    #[non_exhaustive]
    InvalidKey {
        /// The key, as far as it could be written.
        key: Box<Key>,
        /// What is wrong with it.
        reason: Box<InvalidKey>,
    },
    /// The backend cannot hold such a time to live. Nothing was applied.
    #[non_exhaustive]
    InvalidTtl {
        /// The key.
        key: Box<Key>,
        /// What the backend says.
        source: BackendError,
    },
    /// A value breaks the rules of its type.
    #[non_exhaustive]
    Invalid {
        /// The key.
        key: Box<Key>,
        /// Whether the value was about to be written or was found in the store.
        phase: Phase,
        /// The rules that are not met.
        report: Report,
    },
    /// A value could not be serialised. Nothing was sent.
    #[non_exhaustive]
    Encode {
        /// The key.
        key: Box<Key>,
        /// What is wrong with it.
        kind: EncodeKind,
    },
    /// A stored value does not fit its type.
    #[non_exhaustive]
    Decode {
        /// The key.
        key: Box<Key>,
        /// Where in the value.
        path: FieldPath,
        /// Why.
        kind: DecodeKind,
        /// The line in the stored text, from 1; 0 where there is none.
        line: u32,
        /// The column in the line, from 1; 0 where there is none.
        column: u32,
    },
    /// A stored value was written by a newer version of its type. It is neither read nor
    /// overwritten.
    #[non_exhaustive]
    Version {
        /// The key.
        key: Box<Key>,
        /// The version of the stored value.
        found: u64,
        /// The newest version that this program knows.
        supported: u32,
    },
    /// A value is larger than its type or the backend allows.
    #[non_exhaustive]
    TooLarge {
        /// The key.
        key: Box<Key>,
        /// The size in bytes.
        size: usize,
        /// The most bytes that are allowed.
        limit: usize,
    },
    /// Somebody else changed the entry in the meantime.
    #[non_exhaustive]
    Conflict {
        /// The key.
        key: Box<Key>,
    },
    /// A lock was no longer held when it was released: its lease ran out, or somebody removed it.
    #[non_exhaustive]
    LeaseLost {
        /// The key of the lock.
        key: Box<Key>,
    },
    /// A later holder of the lock has written. This one is late; nothing was applied.
    #[non_exhaustive]
    Fenced {
        /// The key.
        key: Box<Key>,
        /// The token of the later holder.
        found: u64,
    },
    /// An entry that was to be created exists already.
    #[non_exhaustive]
    AlreadyExists {
        /// The key.
        key: Box<Key>,
    },
    /// A sum would leave the range of its type or of its rules. The stored number is as it was.
    #[non_exhaustive]
    OutOfRange {
        /// The key.
        key: Box<Key>,
    },
    /// An entry that has to exist does not.
    #[non_exhaustive]
    NotFound {
        /// The key.
        key: Box<Key>,
    },
    /// The store was built without the right to do this. Nothing was sent.
    #[non_exhaustive]
    Denied {
        /// What was to be done.
        operation: Operation,
    },
    /// The backend cannot do what the operation needs. Nothing was applied.
    #[non_exhaustive]
    Unsupported {
        /// The backend.
        backend: &'static str,
        /// What it lacks.
        capability: Capability,
    },
    /// The write was handed over and its outcome is unknown. It may still take effect later.
    #[non_exhaustive]
    Indeterminate {
        /// The key, where the operation is about one.
        key: Option<Box<Key>>,
        /// What was to be done.
        operation: Operation,
        /// What the backend says, unless the deadline passed.
        source: Option<BackendError>,
    },
    /// The backend cannot be reached. Nothing was applied.
    #[non_exhaustive]
    Unavailable {
        /// What the backend says.
        source: BackendError,
    },
    /// Too many operations are in flight. Nothing was sent.
    #[non_exhaustive]
    Overloaded {
        /// What was to be done.
        operation: Operation,
        /// What the backend says, if it was the backend that refused.
        source: Option<BackendError>,
    },
    /// The deadline passed. Nothing was applied.
    #[non_exhaustive]
    Timeout {
        /// What was to be done.
        operation: Operation,
    },
    /// Anything else that the backend says. Nothing was applied.
    #[non_exhaustive]
    Backend {
        /// What was to be done.
        operation: Operation,
        /// What the backend says.
        source: BackendError,
    },
    /// The store was closed.
    Closed,
    /// The backend could lose acknowledged state, and the store was built for production.
    #[non_exhaustive]
    NotDurable {
        /// In which ways; those that were accepted are not among them.
        risks: Box<[Risk]>,
    },
    /// The URL of a backend says nothing that can be opened. Nothing was connected to.
    InvalidUrl(Box<InvalidUrl>),
    /// A pattern cannot work with the settings that it was given. Nothing was sent.
    #[non_exhaustive]
    InvalidSettings {
        /// The pattern.
        pattern: &'static str,
        /// What is wrong, and what to do about it.
        reason: &'static str,
    },
    /// Two types of state that are linked into the program can share a key.
    NamespaceConflict(Box<NamespaceConflict>),
}

impl StateError {
    /// Whether the same call may succeed if it is tried again, and cannot do harm: certainly
    /// nothing was applied.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::Overloaded { .. } | Self::Timeout { .. } => true,
            Self::Backend { source, .. } => source.kind().is_retryable(),
            _ => false,
        }
    }

    /// The key that the error is about.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        match self {
            Self::InvalidKey { key, .. }
            | Self::InvalidTtl { key, .. }
            | Self::Invalid { key, .. }
            | Self::Encode { key, .. }
            | Self::Decode { key, .. }
            | Self::Version { key, .. }
            | Self::TooLarge { key, .. }
            | Self::Conflict { key }
            | Self::LeaseLost { key }
            | Self::Fenced { key, .. }
            | Self::AlreadyExists { key }
            | Self::OutOfRange { key }
            | Self::NotFound { key } => Some(key),
            Self::Indeterminate { key, .. } => key.as_deref(),
            _ => None,
        }
    }
}

/// What is wrong with a key.
#[derive(Debug)]
#[non_exhaustive]
pub enum InvalidKey {
    /// It cannot be encoded.
    Encoding(KeyError),
    /// Its fields break rules.
    Rules(Report),
    /// The backend cannot hold it.
    Refused(BackendError),
    /// It stands twice among keys that have to differ.
    Repeated,
    /// A closure changed a key field, but the value has to stay where it is.
    Changed,
    /// The store is scoped already, and scopes do not nest.
    NestedScope,
}

/// On which way a value broke a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It was found in the store.
    Read,
    /// It was about to be written. Nothing was sent.
    Write,
}

/// What a store can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Read values.
    Get,
    /// Write values.
    Set,
    /// Write a value that must not exist.
    Create,
    /// Remove a value.
    Remove,
    /// Read a value and remove it.
    Take,
    /// Write a value in place of the one that was read.
    Replace,
    /// Write several values, all or none.
    Commit,
    /// Add to a value.
    Add,
    /// Take permits of a rate limit.
    Throttle,
    /// Change a value, whoever else does.
    Update,
    /// Wait for a lock.
    Acquire,
    /// Free a lock.
    Release,
    /// Ask whether there is a value.
    Exists,
    /// Ask how long a value lives.
    Ttl,
    /// Renew the lifetime of a value.
    Touch,
    /// List values.
    Scan,
    /// Be told what a value becomes.
    Watch,
    /// Ask whether the backend can take a write.
    Health,
    /// Close the store.
    Close,
    /// Open a backend, or call one without the store.
    Backend,
}

impl Operation {
    /// Whether it can change what is stored.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(
            self,
            Self::Set
                | Self::Create
                | Self::Remove
                | Self::Take
                | Self::Touch
                | Self::Add
                | Self::Throttle
                | Self::Update
                | Self::Replace
                | Self::Commit
                | Self::Acquire
                | Self::Release
        )
    }

    /// The name, as the method of the store is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Create => "create",
            Self::Remove => "remove",
            Self::Take => "take",
            Self::Replace => "replace",
            Self::Commit => "commit",
            Self::Add => "add",
            Self::Throttle => "throttle",
            Self::Update => "update",
            Self::Acquire => "acquire",
            Self::Release => "release",
            Self::Exists => "exists",
            Self::Ttl => "ttl",
            Self::Touch => "touch",
            Self::Scan => "scan",
            Self::Watch => "watch",
            Self::Health => "health",
            Self::Close => "close",
            Self::Backend => "backend",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Errors are returned by value through every layer, so they stay small.
const _: () = assert!(size_of::<StateError>() <= 64);
