//! The state API of a sidecar, for one of its stores: its requests, and what their answers mean.

use std::collections::HashMap;

use bytes::Bytes;
use hyper::Method;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    component::Behaviour,
    config::{Consistency, DaprConfig},
    error::{self, Access},
    form::{self, Stored},
    link::{Call, Link, Reply},
    time,
    wire::{Bulk, Guard, Operation, Read, Save, escaped, json},
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
    behaviour: Option<Behaviour>,
    /// Where writes take turns, the one that lets a writer in.
    turn: Option<Semaphore>,
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

/// How a transaction ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Committed {
    Yes,
    /// A guard of it does not hold, so nothing was written.
    No,
}

impl Api {
    pub(super) fn new(link: Link, config: &DaprConfig, behaviour: Option<Behaviour>) -> Self {
        let base = format!("/v1.0/state/{}", escaped(&config.store));
        let turns = behaviour.is_some_and(|known| known.takes_turns);
        let turn = turns.then(|| Semaphore::new(1));
        Self { link, base, consistency: config.consistency, behaviour, turn }
    }

    /// Reads what is stored under a key.
    pub(super) async fn get(&self, key: &Key) -> Result<Option<Found>> {
        let consistency = match self.consistency {
            Consistency::Strong => "strong",
            Consistency::Eventual => "eventual",
        };
        let path = format!("{}/{}?consistency={consistency}", self.base, escaped(key.as_str()));
        let access = Access::Read;
        let mut again = true;
        loop {
            let reply = self.call(Method::GET, &path, None, Vec::new(), access).await?;
            let error = match reply.status {
                200 => {
                    return found(reply.body, reply.etag, reply.expire_time.as_deref()).map(Some);
                }
                204 => return Ok(None),
                _ => self.refused(&reply, access),
            };
            // The Redis component looks for a string where it could not read the hash that it wrote,
            // for whatever reason, and then says that there is something else. Only what is said
            // again is so.
            if error.kind() != ErrorKind::Foreign || !again {
                return Err(error);
            }
            again = false;
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
        let reply = match self.call(Method::POST, &path, None, body, access).await {
            // Together they are too long to be read.
            Err(error) if matches!(error.kind(), ErrorKind::TooLarge { .. }) => {
                return self.read_each(keys, all).await;
            }
            reply => reply?,
        };
        if reply.status != 200 {
            return Err(self.refused(&reply, access));
        }
        let Ok(items) = serde_json::from_slice::<Vec<Read<'_>>>(&reply.body) else {
            // One value that is no JSON spoils the answer for all. Read alone, it comes as it is.
            return self.read_each(keys, all).await;
        };
        for Read { key, data, etag, metadata, error } in items {
            if let Some(message) = error.filter(|message| !message.is_empty()) {
                let error = error::refused_item(&message).about(self.link.address());
                if error.kind() != ErrorKind::Foreign {
                    return Err(error);
                }
                if let Some(found) = self.get(&Key::from_stored(key.as_str())).await? {
                    all.insert(key, found);
                }
                continue;
            }
            if let Some(data) = data {
                let data = Bytes::copy_from_slice(data.get().as_bytes());
                let expires = metadata.as_ref().and_then(|metadata| metadata.get("ttlExpireTime"));
                all.insert(key, found(data, etag, expires.map(String::as_str))?);
            }
        }
        Ok(())
    }

    async fn read_each(&self, keys: &[&str], all: &mut HashMap<String, Found>) -> Result<()> {
        for key in keys {
            if let Some(found) = self.get(&Key::from_stored(*key)).await? {
                all.insert((*key).to_owned(), found);
            }
        }
        Ok(())
    }

    /// Writes one entry.
    pub(super) async fn save(&self, save: &Save<'_>) -> Result<()> {
        let access = match save.guard {
            Guard::Any => Access::Write,
            _ => Access::Guarded { mismatch: self.behaviour.and_then(|known| known.mismatch) },
        };
        // Where nothing is known of the component, neither is what it makes of a time to live.
        let body = json(&[save.item(self.behaviour.is_some())]);
        let _turn = self.turn().await?;
        let reply = self.call(Method::POST, &self.base, None, body, access).await?;
        self.done(&reply, access)
    }

    /// Removes one entry.
    pub(super) async fn delete(&self, key: &Key, etag: Option<&str>) -> Result<()> {
        let access =
            if etag.is_some() { Access::Guarded { mismatch: None } } else { Access::Write };
        let path = format!("{}/{}?consistency=strong", self.base, escaped(key.as_str()));
        let _turn = self.turn().await?;
        let reply = self.call(Method::DELETE, &path, etag, Vec::new(), access).await?;
        self.done(&reply, access)
    }

    /// Carries out all operations or none.
    pub(super) async fn transact(&self, operations: &[Operation<'_>]) -> Result<Committed> {
        let steps: Vec<_> = operations.iter().map(Operation::step).collect();
        let body = json(&HashMap::from([("operations", steps)]));
        let path = format!("{}/transaction", self.base);
        let access = Access::Write;
        let _turn = self.turn().await?;
        let reply = self.call(Method::POST, &path, None, body, access).await?;
        if error::is_failed_transaction_guard(&reply) {
            return Ok(Committed::No);
        }
        self.done(&reply, access).map(|()| Committed::Yes)
    }

    /// Waits until this write may be sent, where they take turns.
    async fn turn(&self) -> Result<Option<SemaphorePermit<'_>>> {
        let Some(turn) = &self.turn else { return Ok(None) };
        let permit = tokio::time::timeout(self.link.timeout(), turn.acquire()).await;
        permit.map(Result::ok).map_err(|_| {
            let error = BackendError::new(ErrorKind::Overloaded, "too many writes are waiting");
            error.about(self.link.address())
        })
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

fn found(data: Bytes, etag: Option<String>, expire_time: Option<&str>) -> Result<Found> {
    let mut stored = form::read(data)?;
    // Of its own values this backend knows better: to the millisecond.
    stored.expires = stored.expires.or_else(|| expire_time.and_then(time::end_of_second));
    Ok(Found { stored, etag })
}
