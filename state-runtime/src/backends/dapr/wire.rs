//! What is sent to a sidecar and what comes back, as JSON and as paths.

use core::fmt::Write;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::component::Create;
use crate::key::Key;

/// Of which state of an entry a write may be the next.
#[derive(Debug, Clone, Copy)]
pub(super) enum Guard<'a> {
    /// Of any.
    Any,
    /// Of none: nothing is stored.
    Absent(Create),
    /// Of the one with this etag.
    Etag(&'a str),
}

/// What has to be written.
pub(super) struct Save<'a> {
    pub(super) key: &'a Key,
    /// As [`form`] writes it.
    pub(super) text: String,
    /// For how many seconds the component has to keep it; `None` for ever.
    pub(super) seconds: Option<u64>,
    pub(super) guard: Guard<'a>,
}

/// One operation of a transaction.
pub(super) enum Operation<'a> {
    Save(Save<'a>),
    Delete { key: &'a Key, etag: Option<&'a str> },
}

#[derive(Serialize)]
pub(super) struct Item<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    options: Options,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    ttl_in_seconds: String,
}

#[derive(Serialize)]
struct Options {
    consistency: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Bulk<'a> {
    pub(super) keys: &'a [&'a str],
    pub(super) parallelism: usize,
}

/// One entry of a bulk read. The documentation calls the value `value`, the sidecar `data`.
#[derive(Deserialize)]
pub(super) struct Read<'a> {
    pub(super) key: String,
    #[serde(borrow, alias = "value", default)]
    pub(super) data: Option<&'a RawValue>,
    pub(super) etag: Option<String>,
    pub(super) metadata: Option<HashMap<String, String>>,
    pub(super) error: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Step<'a> {
    operation: &'static str,
    request: Item<'a>,
}

impl Save<'_> {
    /// As the sidecar wants it, with or without a time to live.
    pub(super) fn item(&self, with_ttl: bool) -> Item<'_> {
        let (etag, concurrency) = match self.guard {
            Guard::Any => (None, None),
            Guard::Absent(Create::FirstWrite) => (None, Some("first-write")),
            Guard::Absent(Create::Etag(etag)) | Guard::Etag(etag) => (Some(etag), None),
        };
        // Said in so many words: without it some components leave an entry the life that it has.
        let ttl = self.seconds.map_or_else(|| "-1".to_owned(), |seconds| seconds.to_string());
        Item {
            key: self.key.as_str(),
            value: Some(&self.text),
            etag,
            metadata: with_ttl.then_some(Metadata { ttl_in_seconds: ttl }),
            options: Options { consistency: "strong", concurrency },
        }
    }
}

impl Operation<'_> {
    /// As the sidecar wants it.
    pub(super) fn step(&self) -> Step<'_> {
        match self {
            Self::Save(save) => Step { operation: "upsert", request: save.item(true) },
            Self::Delete { key, etag } => {
                let options = Options { consistency: "strong", concurrency: None };
                let (key, etag) = (key.as_str(), *etag);
                let request = Item { key, value: None, etag, metadata: None, options };
                Step { operation: "delete", request }
            }
        }
    }
}

/// None of what is sent can fail to be written as JSON: there are no maps with other keys than
/// strings in it.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// Text as one segment of a path. A sidecar takes a plus for a space, so it is escaped too.
pub(super) fn escaped(text: &str) -> String {
    let mut path = String::with_capacity(text.len() + 16);
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            path.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_path_holds_no_character_that_means_something() {
        assert_eq!(escaped("/acme/a:b=3A.c{d}-e_F"), "%2Facme%2Fa%3Ab%3D3A%2Ec%7Bd%7D-e_F");
    }
}
