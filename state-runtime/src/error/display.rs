//! The messages: what happened, to which key, and what to do about it.

use core::fmt;

use super::{InvalidKey, Operation, Phase, StateError};

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidKey { key, reason } => write!(f, "invalid key `{key}`: {reason}"),
            Self::InvalidTtl { key, .. } => {
                write!(f, "the backend cannot hold the time to live of `{key}`")
            }
            Self::Invalid { key, phase: Phase::Write, report } => {
                write!(f, "the value for `{key}` breaks a rule and was not written: {report}")
            }
            Self::Invalid { key, phase: Phase::Read, report } => {
                write!(f, "the stored value of `{key}` breaks a rule: {report}")
            }
            Self::Encode { key, kind } => {
                write!(f, "the value for `{key}` was not written: {kind}")
            }
            Self::Decode { key, path, kind, line, column } => {
                write!(f, "the stored value of `{key}` does not fit its type, at {path}: {kind}")?;
                if *line > 0 { write!(f, " (line {line}, column {column})") } else { Ok(()) }
            }
            Self::Version { key, found, supported } => write!(
                f,
                "the stored value of `{key}` has version {found}, this program knows {supported}; \
                 update the program"
            ),
            Self::TooLarge { key, size, limit } => write!(
                f,
                "the value of `{key}` has {size} bytes, {limit} are allowed; \
                 split it or raise `max_size`"
            ),
            Self::Conflict { key } => {
                write!(f, "`{key}` was changed by another writer; read it again and decide anew")
            }
            Self::LeaseLost { key } => write!(
                f,
                "the lease on `{key}` was lost; another holder may have worked at the same time"
            ),
            Self::Fenced { key, found } => write!(
                f,
                "`{key}` was written by a later holder of its lock, with the token {found}; stop, the lock was lost"
            ),
            Self::AlreadyExists { key } => write!(f, "`{key}` exists already"),
            Self::OutOfRange { key } => write!(
                f,
                "the sum would leave the range of `{key}`, which stays as it was; \
                 widen the range or add less"
            ),
            Self::NotFound { key } => write!(f, "`{key}` does not exist"),
            Self::Denied { operation } => {
                write!(f, "`{operation}` is switched off in the access of this store")
            }
            Self::Unsupported { backend, capability } => {
                write!(f, "the {backend} backend does not offer {capability}")
            }
            Self::Indeterminate { key, operation, .. } => {
                write!(f, "the outcome of `{operation}`")?;
                if let Some(key) = key {
                    write!(f, " on `{key}`")?;
                }
                f.write_str(" is unknown: it may have been applied, or may still be")
            }
            Self::Unavailable { .. } => f.write_str("the backend cannot be reached"),
            Self::Overloaded { operation, source: None } => {
                write!(f, "too many operations are in flight, `{operation}` was not sent")
            }
            Self::Overloaded { operation, source: Some(_) } => {
                write!(f, "the backend is overloaded, `{operation}` was not applied")
            }
            Self::Timeout { operation } => write!(f, "`{operation}` passed its deadline"),
            Self::Backend { operation: Operation::Backend, .. } => {
                f.write_str("the backend failed")
            }
            Self::Backend { operation, .. } => write!(f, "the backend failed at `{operation}`"),
            Self::Closed => f.write_str("the store is closed"),
            Self::NotDurable { risks } => {
                f.write_str("acknowledged state could be lost in production: ")?;
                for (i, risk) in risks.iter().enumerate() {
                    write!(f, "{}{risk}", if i == 0 { "" } else { "; " })?;
                }
                f.write_str("; change that, or accept it with `accept_risk`")
            }
            Self::InvalidSettings { pattern, reason } => {
                write!(f, "`{pattern}` cannot work with its settings: {reason}")
            }
            Self::InvalidUrl(reason) => write!(f, "invalid URL of a backend: {reason}"),
            Self::NamespaceConflict(conflict) => conflict.fmt(f),
        }
    }
}

impl core::error::Error for StateError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::InvalidTtl { source, .. }
            | Self::Unavailable { source }
            | Self::Backend { source, .. } => Some(source),
            Self::Indeterminate { source, .. } | Self::Overloaded { source, .. } => {
                source.as_ref().map(|source| source as _)
            }
            _ => None,
        }
    }
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding(error) => error.fmt(f),
            Self::Rules(report) => report.fmt(f),
            Self::Refused(error) => error.fmt(f),
            Self::Repeated => f.write_str("it stands twice in one call; write each key once"),
            Self::Changed => f.write_str(
                "the closure changed a key field; remove the value and create another one instead",
            ),
            Self::NestedScope => {
                f.write_str("the store is scoped already; scope the unscoped store instead")
            }
        }
    }
}
