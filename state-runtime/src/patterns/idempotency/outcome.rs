//! What is stored of an operation, and what its callers are told.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::error::StateError;

/// What is stored of an operation: that somebody carries it out, or what came of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome<V> {
    /// Somebody carries it out; what is here tells who.
    Running(Box<str>),
    /// It was carried out, and this came of it.
    Done(V),
}

/// Hides what came of it.
impl<V> fmt::Debug for Outcome<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running(_) => "Running(..)",
            Self::Done(_) => "Done(..)",
        })
    }
}

/// The rules of what came of it, for `#[garde(dive)]`.
impl<V: garde::Validate> garde::Validate for Outcome<V> {
    type Context = V::Context;

    fn validate_into(
        &self,
        context: &V::Context,
        parent: &mut dyn FnMut() -> garde::Path,
        report: &mut garde::Report,
    ) {
        if let Self::Done(value) = self {
            value.validate_into(context, parent, report);
        }
    }
}

/// What came of an operation.
#[derive(Clone, PartialEq, Eq)]
pub enum Run<V> {
    /// This call has carried it out.
    Executed(V),
    /// An earlier call had carried it out; this is what came of it then.
    Replayed(V),
}

/// Hides what came of it.
impl<V> fmt::Debug for Run<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Executed(_) => "Executed(..)",
            Self::Replayed(_) => "Replayed(..)",
        })
    }
}

impl<V> Run<V> {
    /// What came of it, whoever carried it out.
    pub fn into_value(self) -> V {
        match self {
            Self::Executed(value) | Self::Replayed(value) => value,
        }
    }

    /// Whether an earlier call had carried it out.
    pub const fn is_replayed(&self) -> bool {
        matches!(self, Self::Replayed(_))
    }
}

/// Why an operation has no outcome that is stored.
pub enum RunError<V, E> {
    /// The operation failed, and said so. Nothing is stored, and another call carries it out anew.
    Operation(E),
    /// The store failed before the operation began: it was not carried out by this call.
    State(StateError),
    /// The operation was carried out and its outcome could not be stored. **Another call may carry
    /// it out once more.**
    NotStored {
        /// What came of it.
        value: V,
        /// Why it could not be stored.
        source: StateError,
    },
}

/// Hides what came of it.
impl<V, E: fmt::Debug> fmt::Debug for RunError<V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation(error) => f.debug_tuple("Operation").field(error).finish(),
            Self::State(error) => f.debug_tuple("State").field(error).finish(),
            Self::NotStored { source, .. } => {
                f.debug_struct("NotStored").field("source", source).finish_non_exhaustive()
            }
        }
    }
}

impl<V, E: fmt::Display> fmt::Display for RunError<V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation(error) => error.fmt(f),
            Self::State(error) => write!(f, "the operation was not carried out: {error}"),
            Self::NotStored { .. } => f.write_str(
                "the operation was carried out, but its outcome could not be stored, \
                 so that another call may carry it out once more",
            ),
        }
    }
}

impl<V, E: core::error::Error + 'static> core::error::Error for RunError<V, E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Operation(error) => error.source(),
            Self::State(error) => error.source(),
            Self::NotStored { source, .. } => Some(source),
        }
    }
}
