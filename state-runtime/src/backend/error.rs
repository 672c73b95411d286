//! The outcomes of an untyped operation that are not success.

use core::fmt;
use std::borrow::Cow;

use super::Capability;

/// The result of a backend operation.
pub type Result<T, E = BackendError> = core::result::Result<T, E>;

type Source = Box<dyn core::error::Error + Send + Sync>;

/// Why a backend did not do what it was asked.
///
/// A kind, a sentence for people, and what the driver said. None of it may hold a stored value or
/// a key: a backend that wraps a driver vouches for the error that it passes as source.
///
/// ```
/// use state_runtime::backend::{BackendError, ErrorKind};
///
/// let error = BackendError::new(ErrorKind::Unavailable, "no connection to 127.0.0.1:6379");
/// assert_eq!(error.kind(), ErrorKind::Unavailable);
/// assert_eq!(error.to_string(), "unavailable: no connection to 127.0.0.1:6379");
/// ```
#[derive(Debug)]
pub struct BackendError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<Source>,
}

/// The vocabulary of outcomes.
///
/// The difference that matters most is whether a write can have been applied. Only
/// [`Indeterminate`](Self::Indeterminate) leaves that open; after every other error of a write,
/// nothing was written and nothing will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The condition of operation number `index` of the batch does not hold; 0 for a single one.
    Conflict {
        /// The operation.
        index: usize,
    },
    /// The backend, or this instance of it, cannot do that.
    Unsupported(Capability),
    /// The engine cannot hold such a key.
    InvalidKey,
    /// The engine cannot hold such a time to live.
    InvalidTtl,
    /// The value, or the whole batch, is larger than the engine can hold.
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The most bytes that the engine can hold.
        limit: usize,
    },
    /// `add` found something that is not an integer.
    NotAnInteger,
    /// `throttle` found something that is not a rate window.
    NotAWindow,
    /// `add` would leave the bounds; the integer is as it was.
    OutOfRange,
    /// A write was handed over and its outcome is unknown. It may still take effect later.
    Indeterminate,
    /// The engine cannot be reached. Nothing was applied.
    Unavailable,
    /// The engine refuses more work just now. Nothing was applied.
    Overloaded,
    /// The deadline passed before the operation was handed over. Nothing was applied.
    Timeout,
    /// The engine takes no writes until somebody mends it: a full disk or
    /// memory, a read-only replica.
    ReadOnly,
    /// What is stored is damaged.
    Corrupted,
    /// What is there is sound, but not for this program: something else, or of a newer format.
    Foreign,
    /// The server knows who asks, or does not, and refuses: a wrong password, a missing right.
    Denied,
    /// What has to be there before the first operation is not: a bucket, a component, a database.
    Missing,
    /// The engine is in use by somebody who does not share it.
    Locked,
    /// The backend was closed.
    Closed,
    /// Anything else. Nothing was applied.
    Other,
}

impl ErrorKind {
    /// Whether trying the same again may succeed, and cannot do harm: certainly nothing was applied.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Unavailable | Self::Overloaded | Self::Timeout)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Conflict { .. } => "conflict",
            Self::Unsupported(_) => "unsupported",
            Self::InvalidKey => "invalid key",
            Self::InvalidTtl => "invalid TTL",
            Self::TooLarge { .. } => "too large",
            Self::NotAnInteger => "not an integer",
            Self::NotAWindow => "not a rate window",
            Self::OutOfRange => "out of range",
            Self::Indeterminate => "outcome unknown",
            Self::Unavailable => "unavailable",
            Self::Overloaded => "overloaded",
            Self::Timeout => "timed out",
            Self::ReadOnly => "read-only",
            Self::Corrupted => "corrupted",
            Self::Foreign => "foreign",
            Self::Denied => "denied",
            Self::Missing => "missing",
            Self::Locked => "locked",
            Self::Closed => "closed",
            Self::Other => "failed",
        }
    }
}

impl BackendError {
    /// An error of `kind`, explained by `message`.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None }))
    }

    /// Adds what the driver said. It must not hold a stored value or a key.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Puts what the error is about before its sentence.
    #[cfg(any(feature = "dapr", feature = "file", feature = "nats", feature = "redis"))]
    pub(crate) fn about(mut self, what: impl fmt::Display) -> Self {
        self.0.message = format!("{what}: {}", self.0.message).into();
        self
    }

    /// The condition of operation number `index` does not hold.
    #[must_use]
    pub fn conflict(index: usize) -> Self {
        Self::new(ErrorKind::Conflict { index }, "the condition of the write does not hold")
    }

    /// The backend cannot do that.
    #[must_use]
    pub fn unsupported(capability: Capability) -> Self {
        Self::new(ErrorKind::Unsupported(capability), capability.name())
    }

    /// The backend was closed.
    #[must_use]
    pub fn closed() -> Self {
        Self::new(ErrorKind::Closed, "the backend was closed")
    }

    /// What kind of error it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind.name(), self.0.message)
    }
}

impl core::error::Error for BackendError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
