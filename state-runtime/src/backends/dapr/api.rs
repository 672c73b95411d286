//! The state API of a sidecar, for one of its stores: what is sent, and how answers are read.

use std::collections::HashMap;

use bytes::Bytes;
use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    component::{Behaviour, Create},
    config::Consistency,
    error::{self, Access},
    form::{self, Stored},
    link::{Call, Link, Reply},
    time,
};
use crate::{
    backend::{BackendError, ErrorKind, Result, Timestamp},
    key::Key,
};

/// How many entries one request asks for at most. A component puts all of them into one query.
const BULK: usize = 500;
/// How many entries a component that has no such query may read at once.
const PARALLELISM: usize = 16;

/// One state store of a sidecar.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) link: Link,
    base: String,
    consistency: Consistency,
}

/// What a component holds under a key, be it expired or the mark of a removal.
pub(super) struct Found {
    pub(super) stored: Stored,
    etag: Option<String>,
}

impl Found {
    /// The bytes, if there is an entry at this time.
    pub(super) fn live(&self, now: Timestamp) -> Option<&Bytes> {
        let over = self.stored.expires.is_some_and(|expires| expires <= now);
        self.stored.value.as_ref().filter(|_| !over)
    }

    /// What a conditional write names.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Foreign`]: another program put something there that the component gives no etag.
    pub(super) fn etag(&self) -> Result<&str> {
        self.etag.as_deref().ok_or_else(|| {
            BackendError::new(
                ErrorKind::Foreign,
                "the component knows no etag of what is under the key; another program wrote it",
            )
        })
    }
}

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

/// How a transaction ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Committed {
    Yes,
    /// A guard of it does not hold, so nothing was written.
    No,
}

#[derive(Serialize)]
struct Item<'a> {
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
struct Bulk<'a> {
    keys: &'a [&'a str],
    parallelism: usize,
}

/// One entry of a bulk read. The documentation calls the value `value`, the sidecar `data`.
#[derive(Deserialize)]
struct Read<'a> {
    key: String,
    #[serde(borrow, alias = "value", default)]
    data: Option<&'a RawValue>,
    etag: Option<String>,
    metadata: Option<HashMap<String, String>>,
    error: Option<String>,
}

#[derive(Serialize)]
struct Step<'a> {
    operation: &'static str,
    request: Item<'a>,
}

impl Api {
    pub(super) fn new(link: Link, store: &str, consistency: Consistency) -> Self {
        Self { link, base: format!("/v1.0/state/{}", escaped(store)), consistency }
    }

    /// Reads what is stored under a key.
    pub(super) async fn get(&self, key: &Key) -> Result<Option<Found>> {
        let consistency = match self.consistency {
            Consistency::Strong => "strong",
            Consistency::Eventual => "eventual",
        };
        let path = format!("{}/{}?consistency={consistency}", self.base, escaped(key.as_str()));
        let access = Access::Read;
        let reply = self.call(Method::GET, &path, None, Vec::new(), access).await?;
        match reply.status {
            200 => found(reply.body, reply.etag, reply.expire_time.as_deref()).map(Some),
            204 => Ok(None),
            _ => Err(self.refused(&reply, access)),
        }
    }

    /// Reads what is stored under several keys, none of which may be named twice.
    pub(super) async fn get_many(&self, keys: &[&str]) -> Result<HashMap<String, Found>> {
        let mut all = HashMap::with_capacity(keys.len());
        for keys in keys.chunks(BULK) {
            self.read_bulk(keys, &mut all).await?;
        }
        Ok(all)
    }

    async fn read_bulk(&self, keys: &[&str], all: &mut HashMap<String, Found>) -> Result<()> {
        let body = json(&Bulk { keys, parallelism: PARALLELISM });
        let path = format!("{}/bulk", self.base);
        let access = Access::Read;
        let reply = self.call(Method::POST, &path, None, body, access).await?;
        if reply.status != 200 {
            return Err(self.refused(&reply, access));
        }
        let Ok(items) = serde_json::from_slice::<Vec<Read<'_>>>(&reply.body) else {
            // One value that is no JSON spoils the answer for all. Read alone, it comes as it is.
            for key in keys {
                if let Some(found) = self.get(&Key::from_stored(*key)).await? {
                    all.insert((*key).to_owned(), found);
                }
            }
            return Ok(());
        };
        for Read { key, data, etag, metadata, error } in items {
            if let Some(message) = error.filter(|message| !message.is_empty()) {
                return Err(error::refused_item(&message).about(self.link.address()));
            }
            if let Some(data) = data {
                let data = Bytes::copy_from_slice(data.get().as_bytes());
                let expires = metadata.as_ref().and_then(|metadata| metadata.get("ttlExpireTime"));
                all.insert(key, found(data, etag, expires.map(String::as_str))?);
            }
        }
        Ok(())
    }

    /// Writes one entry.
    pub(super) async fn save(&self, behaviour: Option<&Behaviour>, save: &Save<'_>) -> Result<()> {
        let access = match save.guard {
            Guard::Any => Access::Write,
            _ => Access::Guarded { mismatch: behaviour.and_then(|known| known.mismatch) },
        };
        // Where nothing is known of the component, neither is what it makes of a time to live.
        let body = json(&[save.item(behaviour.is_some())]);
        let reply = self.call(Method::POST, &self.base, None, body, access).await?;
        self.done(&reply, access)
    }

    /// Removes one entry.
    pub(super) async fn delete(&self, key: &Key, etag: Option<&str>) -> Result<()> {
        let access =
            if etag.is_some() { Access::Guarded { mismatch: None } } else { Access::Write };
        let path = format!("{}/{}?consistency=strong", self.base, escaped(key.as_str()));
        let reply = self.call(Method::DELETE, &path, etag, Vec::new(), access).await?;
        self.done(&reply, access)
    }

    /// Carries out all operations or none.
    pub(super) async fn transact(&self, operations: &[Operation<'_>]) -> Result<Committed> {
        let steps: Vec<_> = operations.iter().map(Operation::step).collect();
        let body = json(&HashMap::from([("operations", steps)]));
        let path = format!("{}/transaction", self.base);
        let access = Access::Write;
        let reply = self.call(Method::POST, &path, None, body, access).await?;
        if error::is_failed_transaction_guard(&reply) {
            return Ok(Committed::No);
        }
        self.done(&reply, access).map(|()| Committed::Yes)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        etag: Option<&str>,
        body: Vec<u8>,
        access: Access,
    ) -> Result<Reply> {
        self.link.exchange(Call { method, path, etag, body, access }).await
    }

    fn done(&self, reply: &Reply, access: Access) -> Result<()> {
        if reply.status == 204 { Ok(()) } else { Err(self.refused(reply, access)) }
    }

    fn refused(&self, reply: &Reply, access: Access) -> BackendError {
        error::refused(reply, access).about(self.link.address())
    }
}

impl Save<'_> {
    fn item(&self, with_ttl: bool) -> Item<'_> {
        let (etag, concurrency) = match self.guard {
            Guard::Any => (None, None),
            Guard::Absent(Create::FirstWrite) => (None, Some("first-write")),
            Guard::Absent(Create::Etag(etag)) => (Some(etag), None),
            Guard::Etag(etag) => (Some(etag), None),
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
    fn step(&self) -> Step<'_> {
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

fn found(data: Bytes, etag: Option<String>, expire_time: Option<&str>) -> Result<Found> {
    let mut stored = form::read(data)?;
    // Of its own values this backend knows better: to the millisecond.
    stored.expires = stored.expires.or_else(|| expire_time.and_then(time::end_of_second));
    Ok(Found { stored, etag })
}

/// None of what is sent can fail to be written as JSON: there are no maps with other keys than
/// strings in it.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// Text as one segment of a path. A sidecar takes a plus for a space, so it is escaped too.
pub(super) fn escaped(text: &str) -> String {
    use core::fmt::Write;
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
