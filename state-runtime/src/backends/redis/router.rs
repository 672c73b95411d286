//! Which server has an entry, and the one place that decides what became of a command.
//!
//! Operations say what they want to send and on behalf of which key; they do not know how many
//! servers there are. What is known after a command was handed over is decided in [`handed_over`]
//! and nowhere else.

use core::fmt;
use std::sync::Arc;

use redis::{Cmd, Pipeline, Value};
use tokio::sync::OnceCell;

use super::{
    cluster::Cluster,
    config::{Address, Servers},
    dial::Dialer,
    error,
    link::{Fault, Link, Locate, fixed},
    script, sentinel,
};
use crate::{backend::Result, key::Key};

/// Whether a command that may have been carried out has changed anything then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing: it can be lost without harm.
    Read,
    /// Something, perhaps later.
    Write,
}

/// Whom a command may hold up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// It is small and answered quickly.
    Small,
    /// It is large, or many: it must not stand before small ones.
    Bulk,
}

/// One server: a connection for small commands, and another for large ones once there are any.
pub(super) struct Node {
    dialer: Arc<Dialer>,
    locate: Locate,
    small: Link,
    bulk: OnceCell<Link>,
}

impl Node {
    /// Connects to the server that `locate` finds.
    pub(super) async fn open(dialer: Arc<Dialer>, locate: Locate) -> Result<Self> {
        let small = Link::open(Arc::clone(&dialer), Arc::clone(&locate)).await?;
        Ok(Self { dialer, locate, small, bulk: OnceCell::new() })
    }

    /// The link of a lane.
    pub(super) async fn link(&self, lane: Lane) -> Result<&Link> {
        match lane {
            Lane::Small => Ok(&self.small),
            Lane::Bulk => {
                // What is known to be down is not tried again for every command.
                self.small.check()?;
                let open = || Link::open(Arc::clone(&self.dialer), Arc::clone(&self.locate));
                self.bulk.get_or_try_init(open).await
            }
        }
    }

    /// Whether small commands would be sent just now; why not, otherwise.
    pub(super) fn check(&self) -> Result<()> {
        self.small.check()
    }

    /// Sends one command and returns the server's reply, which may be an error: see [`reply`].
    ///
    /// A script that the server does not know was certainly not run, so it is sent again in full.
    pub(super) async fn exchange(
        &self,
        lane: Lane,
        effect: Effect,
        command: &Cmd,
    ) -> Result<Value> {
        let link = self.link(lane).await?;
        let value = handed_over(link, effect, link.send(command).await)?;
        match &value {
            Value::ServerError(error) if error.code() == "NOSCRIPT" => {
                let Some(spelled_out) = script::spelled_out(command) else { return Ok(value) };
                handed_over(link, effect, link.send(&spelled_out).await)
            }
            Value::ServerError(error) if error.code() == "READONLY" => {
                link.suspect();
                Ok(value)
            }
            _ => Ok(value),
        }
    }

    /// Sends several commands at once and returns the reply to each, which may be an error.
    pub(super) async fn exchange_all(
        &self,
        lane: Lane,
        effect: Effect,
        commands: &Pipeline,
    ) -> Result<Vec<Value>> {
        let link = self.link(lane).await?;
        handed_over(link, effect, link.send_all(commands).await)
    }

    /// Ends its connections.
    pub(super) fn close(&self) {
        self.small.close();
        if let Some(bulk) = self.bulk.get() {
            bulk.close();
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("small", &self.small)
            .field("bulk", &self.bulk.get())
            .finish_non_exhaustive()
    }
}

/// The servers of a backend.
#[derive(Debug)]
pub(super) enum Router {
    /// One, which has all entries.
    Single(Arc<Node>),
    /// Several, each of which has those of its slots.
    Cluster(Cluster),
}

impl Router {
    /// Connects to what the configuration names.
    pub(super) async fn connect(dialer: Arc<Dialer>) -> Result<Self> {
        let locate = match &dialer.config.servers {
            Servers::Single(address) => fixed(Address::parse(address)?),
            Servers::Sentinel { sentinels, master } => {
                sentinel::locate(&dialer, sentinels, master)?
            }
            Servers::Cluster(nodes) => {
                let seeds = nodes.iter().map(|node| Address::parse(node)).collect::<Result<_>>()?;
                return Ok(Self::Cluster(Cluster::connect(dialer, seeds).await?));
            }
        };
        Ok(Self::Single(Arc::new(Node::open(dialer, locate).await?)))
    }

    /// Sends one command that is about `key`, and about other keys only if
    /// [`check_together`](Self::check_together) allows that.
    pub(super) async fn perform(&self, effect: Effect, key: &Key, command: &Cmd) -> Result<Value> {
        reply(match self {
            Self::Single(node) => node.exchange(Lane::Small, effect, command).await?,
            Self::Cluster(cluster) => {
                cluster.exchange(Lane::Small, effect, key.as_str(), command).await?
            }
        })
    }

    /// Refuses keys that one command cannot be about, because they may be on different servers.
    pub(super) fn check_together<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Result<()> {
        match self {
            Self::Single(_) => Ok(()),
            Self::Cluster(_) => Cluster::check_together(keys),
        }
    }

    /// The values under many keys, in their order: a string, nil, or an error reply each.
    pub(super) async fn values(&self, lane: Lane, keys: &[&str]) -> Result<Vec<Value>> {
        match self {
            Self::Single(node) => values(node, lane, keys).await,
            Self::Cluster(cluster) => cluster.values(lane, keys).await,
        }
    }

    /// Every server that has entries of its own.
    pub(super) async fn nodes(&self) -> Result<Vec<Arc<Node>>> {
        match self {
            Self::Single(node) => Ok(vec![Arc::clone(node)]),
            Self::Cluster(cluster) => cluster.masters().await,
        }
    }

    /// Ends all connections.
    pub(super) fn close(&self) {
        match self {
            Self::Single(node) => node.close(),
            Self::Cluster(cluster) => cluster.close(),
        }
    }
}

/// All values of one server, in one command.
async fn values(node: &Node, lane: Lane, keys: &[&str]) -> Result<Vec<Value>> {
    let mut command = Cmd::with_capacity(keys.len() + 1, keys.iter().map(|key| key.len()).sum());
    command.arg("MGET");
    for key in keys {
        command.arg(*key);
    }
    match reply(node.exchange(lane, Effect::Read, &command).await?)? {
        Value::Array(values) if values.len() == keys.len() => Ok(values),
        _ => Err(error::strange()),
    }
}

/// What is known of a command that was to be sent. Only an error reply to it proves that a write
/// was not applied; a write without any reply may have been, or may be yet.
fn handed_over<T>(link: &Link, effect: Effect, sent: Result<T, Fault>) -> Result<T> {
    let error = match (sent, effect) {
        (Ok(value), _) => return Ok(value),
        (Err(Fault::Unsent(error)), _) => return Err(error),
        (Err(Fault::Lost(cause)), Effect::Read) => error::unavailable(cause),
        (Err(Fault::Lost(cause)), Effect::Write) => error::indeterminate(cause),
    };
    Err(match link.address() {
        Some(address) => error.about(address),
        None => error,
    })
}

/// One reply. An error among them is that of its command alone, which was not applied.
pub(super) fn reply(value: Value) -> Result<Value> {
    match value {
        Value::ServerError(error) => Err(error::of_reply(&error)),
        value => Ok(value),
    }
}
