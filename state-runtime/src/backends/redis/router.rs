//! Which server has an entry.
//!
//! Operations say what they want to send and on behalf of which keys; they do not know how many
//! servers there are.

use std::{collections::BTreeMap, sync::Arc};

use redis::{Cmd, Pipeline, Value};

use super::{
    cluster::{Cluster, Holder, Slots},
    config::{Address, Servers},
    dial::{Dialer, Task},
    link::fixed,
    node::{Effect, Lane, Node, reply},
    sentinel,
};
use crate::backend::{ErrorKind, Result};

/// The servers of a backend.
#[derive(Debug)]
pub(super) enum Router {
    /// One, which has all entries, and what looks after where it is.
    Single(Arc<Node>, Option<Task>),
    /// Several, each of which has those of its slots.
    Cluster(Cluster),
}

impl Router {
    /// Connects to what the configuration names.
    pub(super) async fn connect(dialer: Arc<Dialer>) -> Result<Self> {
        let locate = match &dialer.config.servers {
            Servers::Single(address) => fixed(Address::parse(address)?),
            Servers::Sentinel { sentinels, master } => {
                let locate = sentinel::locate(&dialer, sentinels, master)?;
                let node = Arc::new(Node::open(dialer, Arc::clone(&locate)).await?);
                let follower = Task::spawn(sentinel::follow(locate, Arc::downgrade(&node)));
                return Ok(Self::Single(node, Some(follower)));
            }
            Servers::Cluster(nodes) => {
                let seeds = nodes.iter().map(|node| Address::parse(node)).collect::<Result<_>>()?;
                return Ok(Self::Cluster(Cluster::connect(dialer, seeds).await?));
            }
        };
        Ok(Self::Single(Arc::new(Node::open(dialer, locate).await?), None))
    }

    /// The value under `key`; nil where there is none.
    pub(super) async fn value(&self, key: &str) -> Result<Value> {
        self.reply(match self {
            Self::Single(node, _) => node.value(key).await?,
            // In boxes, here and below, so that one server does not pay for what a cluster needs.
            Self::Cluster(cluster) => Box::pin(cluster.value(key)).await?,
        })
    }

    /// The values under many keys, in their order: a string, nil, or an error reply each.
    pub(super) async fn values(&self, lane: Lane, keys: &[&str]) -> Result<Vec<Value>> {
        match self {
            Self::Single(node, _) => node.values(lane, keys).await,
            Self::Cluster(cluster) => Box::pin(cluster.values(lane, keys)).await,
        }
    }

    /// Sends one command that is about all of `keys`, of which there is at least one.
    pub(super) async fn perform(
        &self,
        lane: Lane,
        effect: Effect,
        keys: &[&str],
        command: &Cmd,
    ) -> Result<Value> {
        self.reply(match self {
            Self::Single(node, _) => node.exchange(lane, effect, command).await?,
            Self::Cluster(cluster) => {
                Box::pin(cluster.perform(lane, effect, keys, command)).await?
            }
        })
    }

    /// Sends several commands with the effect of reads, each about one key, and returns the reply to
    /// each, which may be an error. They are not one step: others may come in between.
    pub(super) async fn read_each(
        &self,
        lane: Lane,
        commands: Vec<(&str, Cmd)>,
    ) -> Result<Vec<Value>> {
        match self {
            Self::Single(node, _) => {
                let mut pipeline = Pipeline::with_capacity(commands.len());
                for (_, command) in commands {
                    pipeline.add_command(command);
                }
                node.read_all(lane, &pipeline).await
            }
            Self::Cluster(cluster) => cluster.read_each(lane, &commands).await,
        }
    }

    /// One reply of those that several commands or keys have; a refusal that is about the server and
    /// its users names it.
    pub(super) fn reply(&self, value: Value) -> Result<Value> {
        reply(value).map_err(|error| match error.kind() {
            ErrorKind::Denied | ErrorKind::ReadOnly => error.about(self.shown()),
            _ => error,
        })
    }

    /// Where the servers are, of a cluster those that were configured.
    fn shown(&self) -> String {
        match self {
            Self::Single(node, _) => node.address().map(|it| it.to_string()).unwrap_or_default(),
            Self::Cluster(cluster) => {
                let seeds: Vec<_> = cluster.seeds().iter().map(ToString::to_string).collect();
                seeds.join(", ")
            }
        }
    }

    /// Every server that has entries of its own.
    pub(super) async fn nodes(&self) -> Result<Vec<Arc<Node>>> {
        match self {
            Self::Single(node, _) => Ok(vec![Arc::clone(node)]),
            Self::Cluster(cluster) => cluster.masters().await,
        }
    }

    /// Those of them that can be asked something just now.
    pub(super) fn connected(&self) -> Vec<Arc<Node>> {
        match self {
            Self::Single(node, _) => vec![Arc::clone(node)],
            Self::Cluster(cluster) => cluster.connected(),
        }
    }

    /// Every server that may have keys, and which.
    pub(super) async fn survey(&self) -> Result<Vec<Holder>> {
        match self {
            Self::Single(node, _) => Ok(vec![Holder {
                id: String::new(),
                node: Arc::clone(node),
                owned: Slots::ALL,
                importing: Slots::NONE,
                epochs: BTreeMap::new(),
            }]),
            Self::Cluster(cluster) => cluster.survey().await,
        }
    }

    /// Ends all connections.
    pub(super) fn close(&self) {
        match self {
            Self::Single(node, follower) => {
                follower.as_ref().inspect(|follower| follower.end());
                node.close();
            }
            Self::Cluster(cluster) => cluster.close(),
        }
    }
}
