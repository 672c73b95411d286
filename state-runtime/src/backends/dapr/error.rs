//! What a sidecar's refusals mean. The text of a component can hold keys, so it is looked at here
//! and kept nowhere.

use serde::Deserialize;

use super::link::Reply;
use crate::backend::{BackendError, ErrorKind, spoken::Spoken};

/// What an exchange was for: it decides what a failure leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Nothing is changed.
    Read,
    /// Something is changed, whatever is there.
    Write,
    /// Something is changed under a condition. What a refusal contains that stems from the
    /// condition and not from another failure of the component.
    Guarded {
        /// As in [`Behaviour::mismatch`](super::component::Behaviour).
        mismatch: Option<&'static str>,
    },
}

impl Access {
    /// What is known when no answer came to what was handed over.
    const fn unanswered(self) -> ErrorKind {
        match self {
            Self::Read => ErrorKind::Unavailable,
            Self::Write | Self::Guarded { .. } => ErrorKind::Indeterminate,
        }
    }
}

/// What the body of a refusal holds.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Refusal {
    #[serde(rename = "errorCode")]
    code: String,
    message: String,
}

/// Parts of the messages of components that prove what happened, whatever was asked. Each holds a
/// space, which no key can.
const PROOFS: [(&str, ErrorKind, &str); 14] = [
    ("WRONGTYPE Operation", ErrorKind::Foreign, "there is something else under the key"),
    ("required hash field", ErrorKind::Foreign, "there is something else under the key"),
    ("OOM command not allowed", ErrorKind::ReadOnly, "the memory of the database is full"),
    ("READONLY You can", ErrorKind::ReadOnly, "the database is a read-only replica"),
    ("MISCONF ", ErrorKind::ReadOnly, "the database cannot write its disk and takes no writes"),
    ("attempt to write a readonly", ErrorKind::ReadOnly, "the database is read-only"),
    ("disk is full", ErrorKind::ReadOnly, "the disk of the database is full"),
    ("database is locked", ErrorKind::Overloaded, "other writers kept the database busy"),
    ("NOAUTH Authentication", ErrorKind::Denied, "the database wants a password"),
    ("WRONGPASS ", ErrorKind::Denied, "the database refuses the password of the component"),
    ("NOPERM ", ErrorKind::Denied, "the database denies the user of the component a right"),
    ("stream too large", ErrorKind::Other, LARGE),
    ("request body too large", ErrorKind::Other, LARGE),
    ("invalid etag value", ErrorKind::Conflict { index: 0 }, "no entry can have such an etag"),
];

/// The sidecar does not tell its limit, so this is not what is answered to a value above the limit
/// that this backend knows.
const LARGE: &str = "the request is larger than the sidecar takes; give it a larger \
                     --max-body-size, or say its own to the configuration";

/// Parts of the messages of the Redis component about what it does after it has written.
const AFTER_THE_WRITE: [&str; 3] = [" ttl: ", "failed to persist key", "redis waiting for"];

/// The text of every etag that does not match, whatever the component.
const MISMATCH: &str = "possible etag mismatch";

/// What a reply other than success means.
pub(super) fn refused(reply: &Reply, access: Access) -> BackendError {
    let refusal: Refusal = serde_json::from_slice(&reply.body).unwrap_or_default();
    match (reply.status, refusal.code.as_str()) {
        (401 | 403, _) => BackendError::new(
            ErrorKind::Denied,
            "the sidecar refuses the API token; set the one that it was started with",
        ),
        (_, "ERR_STATE_STORE_NOT_FOUND" | "ERR_STATE_STORE_NOT_CONFIGURED") => {
            BackendError::new(ErrorKind::Missing, "the sidecar has no such state store any more")
        }
        (404 | 405, _) => BackendError::new(
            ErrorKind::Missing,
            "the sidecar has no state API; it may be switched off by its configuration",
        ),
        // Before the words of a mismatch, which such a message may begin with.
        (status, code) if access != Access::Read && follows_a_write(&refusal.message) => {
            unproven(status, code, access)
        }
        (409, _) if is_mismatch(&refusal.message, access) => BackendError::conflict(0),
        (400, "ERR_MALFORMED_REQUEST") if proof(&refusal.message).is_none() => {
            BackendError::new(ErrorKind::Other, "the sidecar does not understand the request")
        }
        (status, code) => proof(&refusal.message).unwrap_or_else(|| unproven(status, code, access)),
    }
}

/// What answers in HTTP, but not as a sidecar does.
pub(super) fn no_sidecar() -> BackendError {
    BackendError::new(
        ErrorKind::Other,
        "what answers there is no Dapr sidecar, or one whose metadata API is switched off; give the \
         `host:port` of its HTTP API",
    )
}

/// What is wrong with a server that speaks so, if anything is.
pub(super) const fn of_spoken(spoken: Spoken) -> Option<&'static str> {
    Some(match spoken {
        Spoken::Http => return None,
        Spoken::Http2 => {
            "what answers there speaks gRPC; give the `host:port` of the sidecar's HTTP API"
        }
        Spoken::Tls => {
            "what answers there speaks TLS, as no sidecar does; give the `host:port` of the sidecar's \
             HTTP API"
        }
        Spoken::Redis => {
            "a Redis server answers there; use `redis://`, or the `host:port` of a sidecar"
        }
        Spoken::Nats { .. } => {
            "a NATS server answers there; use `nats://`, or the `host:port` of a sidecar"
        }
    })
}

/// Whether a component failed at what it does after it has written, so that nothing is proven.
fn follows_a_write(message: &str) -> bool {
    AFTER_THE_WRITE.iter().any(|part| message.contains(part))
}

/// What the error of one entry of a bulk read means.
pub(super) fn refused_item(message: &str) -> BackendError {
    proof(message).unwrap_or_else(|| {
        BackendError::new(ErrorKind::Unavailable, "the component failed to read an entry")
    })
}

/// Whether a transaction was refused because a condition of it does not hold.
pub(super) fn is_failed_transaction_guard(reply: &Reply) -> bool {
    let refusal: Refusal = serde_json::from_slice(&reply.body).unwrap_or_default();
    refusal.code == "ERR_STATE_TRANSACTION" && refusal.message.contains(MISMATCH)
}

/// What was handed over got no answer, for the reason that is given.
pub(super) fn unanswered(access: Access, reason: &'static str) -> BackendError {
    BackendError::new(access.unanswered(), reason)
}

fn is_mismatch(message: &str, access: Access) -> bool {
    match access {
        Access::Guarded { mismatch } => mismatch.is_none_or(|text| message.contains(text)),
        Access::Read | Access::Write => false,
    }
}

fn proof(message: &str) -> Option<BackendError> {
    let found = PROOFS.iter().find(|(part, ..)| message.contains(part));
    found.map(|&(_, kind, sentence)| BackendError::new(kind, sentence))
}

/// The component failed, and did not say whether before, while or after it wrote.
fn unproven(status: u16, code: &str, access: Access) -> BackendError {
    let plain = code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let code = if plain { code } else { "" };
    let text = format!("the component behind the sidecar failed (status {status} {code})");
    BackendError::new(access.unanswered(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_after_the_write_does_not_prove_that_nothing_was_written() {
        for text in [
            "failed to set key a ttl: NOPERM this user has no permissions",
            "failed to persist key a: READONLY You can't write against a read only replica",
            "redis waiting for 1 replicas to acknowledge: MISCONF x",
        ] {
            let body = format!(r#"{{"errorCode":"ERR_STATE_SAVE","message":"{text}"}}"#);
            let reply = Reply { status: 500, etag: None, expire_time: None, body: body.into() };
            assert_eq!(refused(&reply, Access::Write).kind(), ErrorKind::Indeterminate, "{text}");
        }
    }
}
