//! What the client and the servers say, in the vocabulary of outcomes.
//!
//! Their texts can quote subjects, so none is kept. Numbers are those of `JetStream`'s errors.

use core::fmt::Display;

use async_nats::{ConnectError, ConnectErrorKind};

use super::api::ApiError;
use crate::backend::{BackendError, ErrorKind, spoken::Spoken};

/// What a refusal means. It proves that what was asked for was not done.
pub(super) fn of_api(error: &ApiError) -> BackendError {
    let (kind, message) = match error.err_code {
        10071 | 10164 => return BackendError::conflict(0),
        10059 => (ErrorKind::Missing, "there is no such bucket"),
        10039 | 10076 => (
            ErrorKind::Missing,
            "JetStream is not enabled; enable it on the servers and for the account",
        ),
        10077 if error.description.contains("maximum") => {
            (ErrorKind::ReadOnly, "the bucket is full; raise its limits or remove entries")
        }
        10077 => (ErrorKind::ReadOnly, "the server cannot store; look at its disk"),
        10002 | 10023 | 10028 | 10047 => (
            ErrorKind::ReadOnly,
            "the storage of the account or of the servers is used up; raise it or remove entries",
        ),
        10109 => (ErrorKind::ReadOnly, "the bucket is sealed: it never takes writes again"),
        10008 | 10009 | 10118 => (ErrorKind::Unavailable, "the bucket has no leader just now"),
        10166 => {
            (ErrorKind::Unavailable, "the bucket was changed: it no longer takes times to live")
        }
        // A batch that finds no place is forgotten from its beginning, so its end finds it incomplete.
        10176 | 10210 | 10211 => (
            ErrorKind::Overloaded,
            "the server has too many unfinished batches; it forgets those of lost connections \
             within seconds",
        ),
        10074 => (ErrorKind::Other, "there are fewer servers than the bucket should have replicas"),
        10058 | 10065 => (ErrorKind::Foreign, "its stream or its subjects are used by another"),
        _ if error.code == 503 => (ErrorKind::Unavailable, "the servers cannot do that just now"),
        number => {
            let message = format!("JetStream refused with error {number}");
            return BackendError::new(ErrorKind::Other, message);
        }
    };
    BackendError::new(kind, message)
}

/// Why there is no connection to a server.
pub(super) fn of_connecting(error: &ConnectError) -> BackendError {
    let (kind, message) = match error.kind() {
        ConnectErrorKind::ServerParse => {
            (ErrorKind::Other, "it is no address; write it as `host:port`")
        }
        ConnectErrorKind::Dns => (ErrorKind::Unavailable, "its name cannot be resolved"),
        ConnectErrorKind::Authentication => {
            (ErrorKind::Denied, "the key cannot sign; is the NKey or the credentials file sound?")
        }
        ConnectErrorKind::AuthorizationViolation => {
            (ErrorKind::Denied, "the server refuses the login; check the credentials")
        }
        ConnectErrorKind::TimedOut => (ErrorKind::Unavailable, "it does not answer"),
        ConnectErrorKind::Tls => (
            ErrorKind::Unavailable,
            "TLS failed; are the certificate files sound, and does the host's name fit?",
        ),
        ConnectErrorKind::Io | ConnectErrorKind::MaxReconnects => (
            ErrorKind::Unavailable,
            "it cannot be reached; is it running, and do both sides use TLS or neither?",
        ),
    };
    BackendError::new(kind, message)
}

/// What is wrong with a server that speaks so, if anything is, for a client with or without `tls`.
pub(super) const fn of_spoken(spoken: Spoken, tls: bool) -> Option<&'static str> {
    Some(match spoken {
        Spoken::Nats { tls: false } if tls => {
            "the server speaks no TLS; leave it out, in a URL by `nats://` in place of `tls+nats://`"
        }
        Spoken::Nats { tls: true } if !tls => {
            "the server speaks TLS, and its certificate is not trusted or it wants to see one; name \
             the files, in a URL by `tls+nats://` with `ca_certificate`"
        }
        Spoken::Nats { .. } => return None,
        Spoken::Redis => {
            "a Redis server answers there; use `redis://`, or the address of a NATS server"
        }
        Spoken::Http | Spoken::Http2 => {
            "an HTTP server answers there; use `dapr://` if it is a Dapr sidecar, or the address of a \
             NATS server, which is not that of its monitoring"
        }
        Spoken::Tls => {
            "what answers there speaks TLS from the first byte, so it is no NATS server, or one with \
             `handshake_first`; leave that out of its settings"
        }
    })
}

/// Nothing was applied: a read, or nothing was sent.
pub(super) fn unavailable(cause: impl Display) -> BackendError {
    BackendError::new(ErrorKind::Unavailable, cause.to_string())
}

/// A write that was handed over, and no answer to it came back.
pub(super) fn indeterminate(cause: impl Display) -> BackendError {
    BackendError::new(
        ErrorKind::Indeterminate,
        format!("the write was sent, but {cause}; read what is there before writing again"),
    )
}

/// The login lacks the right to publish what was asked.
pub(super) fn denied() -> BackendError {
    BackendError::new(
        ErrorKind::Denied,
        "the user may not publish to this subject; see the documentation for the rights it needs",
    )
}

/// The login lacks the right to hear answers.
pub(super) fn deaf() -> BackendError {
    BackendError::new(
        ErrorKind::Denied,
        "the user may not subscribe to `_INBOX.>`, where answers arrive; allow it to",
    )
}

/// Many writers changed an entry, one after the other, each faster than this one.
pub(super) fn contended() -> BackendError {
    BackendError::new(ErrorKind::Overloaded, "too many writers change this entry at once")
}

/// A message that says of its expiry what is no time.
pub(super) fn foreign() -> BackendError {
    BackendError::new(
        ErrorKind::Foreign,
        "the header `State-Expires` of the entry is no time, so another program wrote it; remove or \
         overwrite the entry",
    )
}

/// An answer of a shape that it should not have.
pub(super) fn strange() -> BackendError {
    BackendError::new(ErrorKind::Other, "the server answered something else than was asked for")
}

/// A value of `size` bytes, with its headers, is more than a message may have.
pub(super) fn too_large(size: usize, limit: usize, remedy: &'static str) -> BackendError {
    BackendError::new(
        ErrorKind::TooLarge { size: size.max(limit.saturating_add(1)), limit },
        remedy,
    )
}

/// What to do where the server sets the limit.
pub(super) const SERVER_LIMIT: &str = "the value and its headers are larger than a message of the server can be; raise its `max_payload`";

/// What to do where the bucket sets the limit.
pub(super) const BUCKET_LIMIT: &str = "the value and its headers are larger than a message of the bucket can be; raise its `max_msg_size`";
