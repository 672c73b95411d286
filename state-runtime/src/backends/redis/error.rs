//! What the client and the server say, in the vocabulary of outcomes.
//!
//! Texts of either can quote keys, values and passwords, so none is kept: only the code with which
//! an error reply begins is looked at, and the few texts that are listed here.

use core::fmt::Display;
use std::{borrow::Cow, io};

use redis::{RedisError, ServerError};

use super::config::RedisConfig;
use crate::backend::{BackendError, Capability, ErrorKind, spoken::Spoken};

/// What an error reply means. It proves that its command was not applied.
pub(super) fn of_reply(error: &ServerError) -> BackendError {
    let text = error.details().unwrap_or_default();
    let (kind, message) = match code(error) {
        "ERR" | "" if IN_SCRIPTS.iter().any(|part| text.contains(part)) => return of_rights(text),
        "WRONGTYPE" => (
            ErrorKind::Foreign,
            "the key holds a list, a hash or the like, not a string; use another key or remove it",
        ),
        "OOM" => (
            ErrorKind::ReadOnly,
            "the memory of the server is full; raise its `maxmemory` or remove entries",
        ),
        "READONLY" => (ErrorKind::ReadOnly, "the server is a replica; connect to its master"),
        "MISCONF" => (
            ErrorKind::ReadOnly,
            "the server cannot write to its disk and takes no writes until it can",
        ),
        "NOREPLICAS" => {
            (ErrorKind::ReadOnly, "too few replicas follow the server for it to take writes")
        }
        "NOAUTH" => (ErrorKind::Denied, "the server asks for a password; configure one"),
        "WRONGPASS" => (ErrorKind::Denied, "the server knows no such user with this password"),
        "NOPERM" => return of_rights(text),
        "LOADING" => (ErrorKind::Unavailable, "the server is still loading its data"),
        "BUSY" => (ErrorKind::Unavailable, "the server is busy with a script of somebody"),
        "MASTERDOWN" => (ErrorKind::Unavailable, "the server is a replica without its master"),
        "CLUSTERDOWN" => (ErrorKind::Unavailable, "the cluster does not serve this slot just now"),
        "TRYAGAIN" => (ErrorKind::Unavailable, "the keys are being moved to another node"),
        "MOVED" | "ASK" => (
            ErrorKind::Other,
            "the server is a node of a cluster; configure it by `RedisConfig::cluster`",
        ),
        "CROSSSLOT" => return cross_slot(),
        // Our own, of the script that writes batches.
        "PARTIAL" => (
            ErrorKind::Indeterminate,
            "some of the batch was written before the server refused a write of it; compare the \
             rights of the user with what is there",
        ),
        "ERR" => of_text(text),
        _ => (ErrorKind::Other, "the server refused the command"),
    };
    BackendError::new(kind, message)
}

/// Which right is missing. What the server says can hold a key, so no more than the name of a
/// command is taken from it.
fn of_rights(text: &str) -> BackendError {
    let quoted = text.split_once(" run the '").and_then(|(_, rest)| rest.split_once('\''));
    let named = |(name, _): &(&str, &str)| {
        name.len() <= LONGEST_COMMAND && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'|')
    };
    let message = match quoted.filter(named) {
        Some((command, _)) => Cow::Owned(format!(
            "the user may not run `{command}`; add `+{command}` to its access control list"
        )),
        None if text.contains("key") => Cow::Borrowed(
            "the user may not do that to this key; add a pattern of such keys, as in `~shop:*`, to its \
             access control list",
        ),
        None => Cow::Borrowed(
            "the user may not run all commands of the script that this takes; its access control list \
             lacks some of those that the documentation names",
        ),
    };
    BackendError::new(ErrorKind::Denied, message)
}

/// What servers say of a right that is missing within a script, where the error has no code for it.
const IN_SCRIPTS: [&str; 3] = [
    "ACL failure in script",
    "executing the script can't run this command",
    "executing the script can't access at least one of the keys",
];

/// More than any command of the server has, with its subcommand.
const LONGEST_COMMAND: usize = 40;

/// The code of an error reply.
///
/// Where Redis 6.2 does not even start a command of a script, it puts the place in the script before
/// the code: `@user_script: 1: -OOM …`.
pub(super) fn code(error: &ServerError) -> &str {
    match error.code() {
        "@user_script:" => error
            .details()
            .and_then(|text| text.split_once(": -"))
            .and_then(|(_, error)| error.split(' ').next())
            .unwrap_or_default(),
        code => code,
    }
}

/// The errors that have no code of their own.
fn of_text(text: &str) -> (ErrorKind, &'static str) {
    const TEXTS: [(&str, ErrorKind, &str); 7] = [
        (
            "max number of clients reached",
            ErrorKind::Overloaded,
            "the server has no room for another connection; raise its `maxclients`",
        ),
        ("invalid DB index", ErrorKind::Missing, "the server has no database of this number"),
        (
            "DB index is out of range",
            ErrorKind::Missing,
            "the server has no database of this number",
        ),
        (
            "increment or decrement would overflow",
            ErrorKind::OutOfRange,
            "the sum would leave its bounds",
        ),
        ("value is not an integer", ErrorKind::NotAnInteger, "the stored value is not an integer"),
        (
            "called without any password configured",
            ErrorKind::Denied,
            "the server knows no password for its default user; leave it out",
        ),
        ("unknown command", ErrorKind::Other, "the server does not know the command"),
    ];
    let known = TEXTS.into_iter().find(|(part, ..)| text.contains(part));
    known.map_or((ErrorKind::Other, "the server refused the command"), |(_, kind, message)| {
        (kind, message)
    })
}

/// Keys of one operation that lie on different nodes of a cluster.
pub(super) fn cross_slot() -> BackendError {
    BackendError::new(
        ErrorKind::Unsupported(Capability::Batch),
        "the keys lie in different slots of the cluster; give their formats the same `{{tag}}`",
    )
}

/// Why a connection ended, in words that quote nothing.
pub(super) fn of_transport(error: &RedisError) -> &'static str {
    if error.is_timeout() {
        "there was no answer in time"
    } else if error.is_io_error() {
        "the connection was lost"
    } else {
        "the server sent what is not of its protocol"
    }
}

/// Nobody answered within the whole time that connecting may take.
pub(super) fn silent(config: &RedisConfig) -> BackendError {
    let RedisConfig { servers, connect_timeout: limit, .. } = config;
    unavailable(format_args!(
        "{servers}: no answer within {limit:?}; see that it runs and can be reached from here, with \
         TLS if it speaks that, or raise `connect_timeout`"
    ))
}

/// What is wrong with a server that speaks so, if anything is, for a client with or without `tls`.
pub(super) const fn of_spoken(spoken: Spoken, tls: bool) -> Option<&'static str> {
    Some(match spoken {
        Spoken::Redis if tls => {
            "the server speaks no TLS; leave it out, in a URL by `redis://` in place of `rediss://`"
        }
        Spoken::Tls if !tls => {
            "the server speaks TLS; use it, in a URL by `rediss://` in place of `redis://`"
        }
        Spoken::Redis | Spoken::Tls => return None,
        Spoken::Nats { .. } => {
            "a NATS server answers there; use `nats://`, or the address of a Redis server"
        }
        Spoken::Http | Spoken::Http2 => {
            "an HTTP server answers there; use `dapr://` if it is a Dapr sidecar, or the address of a \
             Redis server"
        }
    })
}

/// A server that could not be reached.
pub(super) fn of_connecting(error: &io::Error) -> BackendError {
    let what = match error.kind() {
        io::ErrorKind::ConnectionRefused => "the connection was refused; is the server running?",
        io::ErrorKind::TimedOut => "it does not answer",
        io::ErrorKind::InvalidData => "TLS failed; do both sides use it, and trust each other?",
        _ => "it cannot be reached",
    };
    BackendError::new(ErrorKind::Unavailable, what)
}

/// A reply of a shape that the command does not have.
pub(super) fn strange() -> BackendError {
    BackendError::new(
        ErrorKind::Other,
        "the server answered something else than the command asks for",
    )
}

/// The same of a write: such a reply proves nothing.
pub(super) fn strange_write() -> BackendError {
    indeterminate("the server answered something else than the command asks for")
}

/// A write that was handed over, and no error reply to it came back.
pub(super) fn indeterminate(cause: &str) -> BackendError {
    BackendError::new(
        ErrorKind::Indeterminate,
        format!(
            "the write may have been sent, but {cause}; read what is there before writing again"
        ),
    )
}

/// Nothing was applied: a read, or nothing was sent.
pub(super) fn unavailable(cause: impl Display) -> BackendError {
    BackendError::new(ErrorKind::Unavailable, cause.to_string())
}
