//! Which server has an entry.
//!
//! Operations say what they want to send and on behalf of which keys; they do not know how many
//! servers there are.

use std::sync::Arc;

use redis::{Cmd, Pipeline, Value};

use super::{
    config::{Address, Servers},
    dial::Dialer,
    link::fixed,
    node::{Effect, Lane, Node, reply},
};
use crate::backend::{BackendError, ErrorKind, Result};

/// The servers of a backend.
#[derive(Debug)]
pub(super) enum Router {
    /// One, which has all entries.
    Single(Node),
}

impl Router {
    /// Connects to what the configuration names.
    pub(super) async fn connect(dialer: Arc<Dialer>) -> Result<Self> {
        match &dialer.config.servers {
            Servers::Single(address) => {
                let address = Address::parse(address)?;
                Ok(Self::Single(Node::open(dialer, fixed(address)).await?))
            }
            Servers::Sentinel { .. } | Servers::Cluster(_) => Err(BackendError::new(
                ErrorKind::Other,
                "only a single server can be connected to; use `RedisConfig::new`",
            )),
        }
    }

    /// The value under `key`; nil where there is none.
    pub(super) async fn value(&self, key: &str) -> Result<Value> {
        match self {
            Self::Single(node) => reply(node.value(key).await?),
        }
    }

    /// The values under many keys, in their order: a string, nil, or an error reply each.
    pub(super) async fn values(&self, lane: Lane, keys: &[&str]) -> Result<Vec<Value>> {
        match self {
            Self::Single(node) => node.values(lane, keys).await,
        }
    }

    /// Sends one command that is about all of `keys`, of which there is at least one.
    pub(super) async fn perform(
        &self,
        effect: Effect,
        keys: &[&str],
        command: &Cmd,
    ) -> Result<Value> {
        let _ = keys;
        match self {
            Self::Single(node) => reply(node.exchange(Lane::Small, effect, command).await?),
        }
    }

    /// Sends several commands, each about one key, and returns the reply to each, which may be an
    /// error. They are not one step: others may come in between.
    pub(super) async fn perform_each(
        &self,
        lane: Lane,
        effect: Effect,
        commands: Vec<(&str, Cmd)>,
    ) -> Result<Vec<Value>> {
        match self {
            Self::Single(node) => {
                let mut pipeline = Pipeline::with_capacity(commands.len());
                for (_, command) in commands {
                    pipeline.add_command(command);
                }
                node.exchange_all(lane, effect, &pipeline).await
            }
        }
    }

    /// Every server that has entries of its own.
    pub(super) fn nodes(&self) -> Vec<&Node> {
        match self {
            Self::Single(node) => vec![node],
        }
    }

    /// Ends all connections.
    pub(super) fn close(&self) {
        for node in self.nodes() {
            node.close();
        }
    }
}
