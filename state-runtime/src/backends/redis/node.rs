//! One server, and what is known of a command that was to be sent to it.

use core::fmt;
use std::sync::Arc;

use redis::{Cmd, Pipeline, Value};

use super::{
    config::Address,
    dial::Dialer,
    error,
    lazy::Lazy,
    link::{Fault, Link, Locate},
    reads::Reads,
    script, values,
};
use crate::backend::Result;

/// Whether a command that may have been carried out has changed anything then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing that matters: it can be lost without harm.
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
    small: Arc<Link>,
    bulk: Lazy<Link>,
    reads: Arc<Reads>,
}

impl Node {
    /// Connects to the server that `locate` finds.
    pub(super) async fn open(dialer: Arc<Dialer>, locate: Locate) -> Result<Self> {
        let small = Link::open(Arc::clone(&dialer), Arc::clone(&locate)).await?;
        let (small, reads) = (Arc::new(small), Arc::new(Reads::new()));
        let bulk = Lazy::new(move || Link::open(Arc::clone(&dialer), Arc::clone(&locate)));
        Ok(Self { small, bulk, reads })
    }

    async fn link(&self, lane: Lane) -> Result<&Link> {
        match lane {
            Lane::Small => Ok(&*self.small),
            Lane::Bulk => {
                // What is known to be down is not tried again for every command.
                self.small.check()?;
                // In a box, so that the future of every command is the smaller for it.
                Box::pin(self.bulk.get()).await
            }
        }
    }

    /// Whether small commands would be sent just now; why not, otherwise.
    pub(super) fn check(&self) -> Result<()> {
        self.small.check()
    }

    /// Where it is, or was when it was connected last; `None` once it is closed.
    pub(super) fn address(&self) -> Option<Address> {
        self.small.address()
    }

    /// To be told when another server should have taken its place.
    pub(super) fn suspect(&self) {
        self.small.suspect();
        if let Some(bulk) = self.bulk.opened() {
            bulk.suspect();
        }
    }

    /// The number of the connection that a lane has just now. No other one ever has it.
    pub(super) async fn connection(&self, lane: Lane) -> Result<u64> {
        self.link(lane).await?.connection()
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
        match unknown_script(&value).then(|| script::spelled_out(command)).flatten() {
            Some(call) => handed_over(link, effect, link.send(&call).await),
            None => Ok(self.noticed(value)),
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
        let mut values = handed_over(link, effect, link.send_all(commands).await)?;
        for (value, command) in values.iter_mut().zip(commands.cmd_iter()) {
            if unknown_script(value)
                && let Some(call) = script::spelled_out(command)
            {
                *value = handed_over(link, effect, link.send(&call).await)?;
            }
        }
        Ok(values.into_iter().map(|value| self.noticed(value)).collect())
    }

    /// A server that takes no writes may have been replaced by another, for reads too.
    fn noticed(&self, value: Value) -> Value {
        if matches!(&value, Value::ServerError(error) if error::code(error) == "READONLY") {
            self.small.suspect();
            if let Some(bulk) = self.bulk.opened() {
                bulk.suspect();
            }
        }
        value
    }

    /// The value under `key`, perhaps together with others that are asked for at the same time: a
    /// string, nil, or an error reply.
    pub(super) async fn value(&self, key: &str) -> Result<Value> {
        let value = self.reads.value(&self.small, key).await;
        handed_over(&self.small, Effect::Read, value)
    }

    /// The values under many keys, in their order: a string, nil, or an error reply each.
    pub(super) async fn values(&self, lane: Lane, keys: &[&str]) -> Result<Vec<Value>> {
        let link = self.link(lane).await?;
        let values = values::all(link, &values::command(keys)).await;
        handed_over(link, Effect::Read, values)
    }

    /// Ends the connections.
    pub(super) fn close(&self) {
        self.small.close();
        self.bulk.close();
        if let Some(bulk) = self.bulk.opened() {
            bulk.close();
        }
    }
}

/// Reads that are on their way hold on to the link; without the node nobody waits for them.
impl Drop for Node {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("small", &self.small)
            .field("bulk", &self.bulk)
            .finish_non_exhaustive()
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

fn unknown_script(value: &Value) -> bool {
    matches!(value, Value::ServerError(error) if error.code() == "NOSCRIPT")
}
