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

/// From how many bytes of values on a command is large: on a line of a gigabit a second, this many
/// hold up what comes behind them for two milliseconds.
const LARGE: usize = 256 << 10;

impl Lane {
    /// The lane of a command that carries this many bytes of values.
    pub(super) const fn of(bytes: usize) -> Self {
        if bytes < LARGE { Self::Small } else { Self::Bulk }
    }
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
        let mut value = handed_over(link, effect, link.send(command).await)?;
        if unknown_script(&value)
            && let Some(call) = script::spelled_out(command)
        {
            value = handed_over(link, effect, link.send(&call).await)?;
        }
        Ok(self.noticed(value))
    }

    /// Sends several commands at once, each of which has the effect of a read, and returns the reply to
    /// each, which may be an error.
    ///
    /// For writes there is no such thing: when a script of them had to be sent again and got no answer,
    /// one error could not tell that of others which were carried out.
    pub(super) async fn read_all(&self, lane: Lane, commands: &Pipeline) -> Result<Vec<Value>> {
        let link = self.link(lane).await?;
        let mut values = handed_over(link, Effect::Read, link.send_all(commands).await)?;
        for (value, command) in values.iter_mut().zip(commands.cmd_iter()) {
            if unknown_script(value)
                && let Some(call) = script::spelled_out(command)
            {
                *value = handed_over(link, Effect::Read, link.send(&call).await)?;
            }
        }
        Ok(values.into_iter().map(|value| self.noticed(value)).collect())
    }

    /// Sends one command right behind an announcement of it, and returns the reply to the command, which
    /// may be an error. It is not sent again: the announcement would be missing.
    pub(super) async fn exchange_announced(
        &self,
        lane: Lane,
        effect: Effect,
        announcement: &Cmd,
        command: Cmd,
    ) -> Result<Value> {
        let link = self.link(lane).await?;
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(announcement.clone());
        commands.add_command(command);
        let replies = handed_over(link, effect, link.send_all(&commands).await)?;
        match (<[Value; 2]>::try_from(replies), effect) {
            (Ok([_, value]), _) => Ok(self.noticed(value)),
            (Err(_), Effect::Read) => Err(error::strange()),
            (Err(_), Effect::Write) => Err(error::strange_write()),
        }
    }

    /// A server that takes no writes may have been replaced by another, for reads too.
    fn noticed(&self, value: Value) -> Value {
        if matches!(&value, Value::ServerError(error) if error::code(error) == "READONLY") {
            self.suspect();
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
/// was not applied; a write without any reply may have been, or may still be.
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

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::{
        super::{
            fake::{Fake, PATIENCE, soon},
            link::fixed,
        },
        *,
    };
    use crate::backend::ErrorKind;

    type TestResult = core::result::Result<(), Box<dyn Error>>;

    #[tokio::test]
    async fn a_script_that_was_sent_again_tells_of_a_replica_too() -> TestResult {
        let fake = Fake::start().await?;
        let opening = Node::open(Fake::dialer(PATIENCE)?, fixed(fake.address()?));
        let (node, peer) = tokio::join!(opening, fake.accept());
        let (node, mut peer) = (node?, peer?);
        let command = script::ADD.call(0, 0, 0);
        let refusing = async {
            assert_eq!(peer.errand().await?[0], "EVALSHA");
            peer.say("-NOSCRIPT No matching script.").await?;
            assert_eq!(peer.errand().await?[0], "EVAL");
            peer.say("-READONLY You can't write against a read only replica.").await
        };
        let exchange = node.exchange(Lane::Small, Effect::Write, &command);
        let (value, refused) = soon(async { tokio::join!(exchange, refusing) }).await?;
        refused?;
        assert_eq!(reply(value?).map_err(|error| error.kind()), Err(ErrorKind::ReadOnly));
        soon(fake.accept()).await??;
        Ok(())
    }

    #[tokio::test]
    async fn nobody_waits_for_a_connection_of_a_closed_node() -> TestResult {
        let fake = Fake::start().await?;
        let (locate, asked) = fake.found_once()?;
        let opening = Node::open(Fake::dialer(PATIENCE)?, locate);
        let (node, peer) = tokio::join!(opening, fake.accept());
        let (node, mut peer) = (Arc::new(node?), peer?);
        let reading = Arc::clone(&node);
        let values = tokio::spawn(async move { reading.values(Lane::Bulk, &["a"]).await });
        soon(asked.notified()).await?;
        node.close();
        let refusal = soon(values).await??.map_err(|error| error.kind());
        assert_eq!(refusal, Err(ErrorKind::Closed));
        soon(peer.left()).await?;
        Ok(())
    }
}
