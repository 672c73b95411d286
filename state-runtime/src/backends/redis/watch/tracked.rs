//! One connection on which a server names the keys that change.

use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::sync::Arc;

use redis::{Cmd, PushInfo, PushKind, Value};
use tokio::{sync::Notify, time::timeout};

use super::{
    super::{
        config::Address,
        dial::{Connected, Dialer, ping},
        error,
        node::reply,
    },
    prefixes::{Prefixes, Step},
};
use crate::backend::{Result, hub::Hub};

/// How many more prefixes than are watched a connection may track before it is replaced by one
/// that tracks only those: the server compares every key that changes with each of them.
const SPARE: usize = 16;

/// A connection, and what the server names on it.
pub(super) struct Tracked {
    connected: Connected,
    prefixes: Prefixes,
    lost: Arc<AtomicBool>,
    limit: Duration,
}

impl Tracked {
    /// Connects to a server, which from then on names every key that changes under `prefixes`.
    pub(super) async fn open(
        dialer: &Dialer,
        address: &Address,
        hub: &Arc<Hub>,
        changed: &Arc<Notify>,
        prefixes: &Prefixes,
    ) -> Result<Self> {
        let lost = Arc::new(AtomicBool::new(false));
        let (flag, hub, changed) = (Arc::clone(&lost), Arc::clone(hub), Arc::clone(changed));
        let connected = dialer
            .dial_for_pushes(address, move |push| {
                if push.kind == PushKind::Disconnection {
                    flag.store(true, Ordering::SeqCst);
                    changed.notify_one();
                } else {
                    hear(&hub, &push);
                }
            })
            .await?;
        let limit = dialer.config.response_timeout;
        let mut tracked = Self { connected, prefixes: Prefixes::default(), lost, limit };
        let all: Vec<&str> = prefixes.iter().collect();
        tracked.add(&all).await.map_err(|error| error.about(address))?;
        Ok(tracked)
    }

    /// What tracking all of `wanted` takes; `None` if only another connection can.
    pub(super) fn missing<'w>(&self, wanted: &'w Prefixes) -> Option<Vec<&'w str>> {
        if self.prefixes.len() > wanted.len().saturating_mul(2).saturating_add(SPARE) {
            return None;
        }
        let mut missing = Vec::new();
        for prefix in wanted.iter() {
            match self.prefixes.step(prefix) {
                Step::Covered => {}
                Step::Add => missing.push(prefix),
                Step::Replace => return None,
            }
        }
        Some(missing)
    }

    /// Has the server name keys under further prefixes too.
    pub(super) async fn add(&mut self, prefixes: &[&str]) -> Result<()> {
        if prefixes.is_empty() {
            return Ok(());
        }
        let mut command = redis::cmd("CLIENT");
        command.arg("TRACKING").arg("ON").arg("BCAST");
        // The empty one stands alone, and is said by naming none.
        for prefix in prefixes.iter().filter(|prefix| !prefix.is_empty()) {
            command.arg("PREFIX").arg(*prefix);
        }
        self.ask(&command).await?;
        for prefix in prefixes {
            self.prefixes.insert(prefix);
        }
        Ok(())
    }

    /// Whether the server still answers. All that it named before has then arrived.
    pub(super) async fn is_alive(&mut self) -> bool {
        // An error reply is a sign of life too.
        self.send(&ping()).await.is_ok() && !self.is_lost()
    }

    /// Whether the connection has ended.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    async fn ask(&mut self, command: &Cmd) -> Result<Value> {
        reply(self.send(command).await?)
    }

    async fn send(&mut self, command: &Cmd) -> Result<Value> {
        match timeout(self.limit, self.connected.handle.send_packed_command(command)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(error::unavailable(error::of_transport(&error))),
            Err(_) => Err(error::unavailable("there was no answer in time")),
        }
    }
}

/// Tells the watchers what the server says: some keys, or that all of them are gone.
fn hear(hub: &Hub, push: &PushInfo) {
    if push.kind != PushKind::Invalidate {
        return;
    }
    match push.data.as_slice() {
        [Value::Array(keys)] => hub.publish(keys.iter().filter_map(|key| match key {
            // What is not text is no key of this crate.
            Value::BulkString(bytes) => core::str::from_utf8(bytes).ok(),
            _ => None,
        })),
        _ => hub.publish_everything(),
    }
}
