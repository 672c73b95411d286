//! How far a scan has come.
//!
//! A cursor of `SCAN` is a position in a table of one process. It means nothing to another one, and
//! resumed there a scan would pass over keys in silence. So a node is scanned over one connection,
//! and from its beginning again when that was lost. Keys of a cluster also move between nodes while
//! they are scanned; so at the end the nodes that got any are scanned once more, until none did.
//! Where a slot went away and came back in between, the epochs of the nodes tell.
//!
//! What was listed before is remembered and not listed again.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use redis::{Cmd, Value};
use tokio::time::sleep;

use super::{pattern, seen::Seen};
use crate::{
    backend::Result,
    backends::redis::{
        cluster::{Holder, Slots},
        error,
        node::{Effect, Lane, Node, reply},
        router::Router,
    },
};

/// About how many keys of the server one command looks at. It serves nobody else meanwhile.
const COUNT: usize = 512;
/// How often a scan begins anew, somewhere or everywhere, before it gives up.
const RESTARTS: usize = 64;
/// How long nodes that have not heard the latest of each other are given for that.
const PAUSE: Duration = Duration::from_millis(100);

/// The configuration epoch of each node.
type Epochs = BTreeMap<String, u64>;

/// All that a scan has to remember from page to page.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    prefix: String,
    /// The nodes that are still to be scanned in this round; the last one is at its turn.
    todo: Vec<Holder>,
    position: Position,
    /// The slots whose keys a node has been scanned for, or will be in this round.
    covered: BTreeMap<String, Slots>,
    /// As they were when the round began; `None` where the nodes did not agree.
    epochs: Option<Epochs>,
    restarts: usize,
    seen: Seen,
    /// Keys that were found and not yet listed.
    found: VecDeque<String>,
}

/// Where the scan of one node is.
#[derive(Debug, Clone)]
struct Position {
    cursor: Vec<u8>,
    /// The connection to which the cursor belongs.
    connection: Option<u64>,
}

impl Position {
    fn start() -> Self {
        Self { cursor: b"0".to_vec(), connection: None }
    }
}

impl Progress {
    /// Before the first key.
    pub(super) async fn start(router: &Router, prefix: String) -> Result<Self> {
        let todo = router.survey().await?;
        // What is on its way to a node may come after it was scanned, so that does not count.
        let covered = todo.iter().map(|holder| (holder.id.clone(), holder.owned.clone())).collect();
        Ok(Self {
            prefix,
            epochs: agreed(&todo),
            todo,
            position: Position::start(),
            covered,
            restarts: 0,
            seen: Seen::default(),
            found: VecDeque::new(),
        })
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// How many keys were found and not taken yet.
    pub(super) fn found(&self) -> usize {
        self.found.len()
    }

    /// Takes some of the keys that were found.
    pub(super) fn take(&mut self, count: usize) -> Vec<String> {
        self.found.drain(..count.min(self.found.len())).collect()
    }

    /// Looks at some more keys; `false` if there are none.
    pub(super) async fn advance(&mut self, router: &Router) -> Result<bool> {
        let Some(holder) = self.todo.last() else { return self.next_round(router).await };
        match self.look(&holder.node).await {
            Ok(Some((connection, cursor, keys))) => {
                for key in keys {
                    self.add(key);
                }
                if cursor == b"0" {
                    self.todo.pop();
                    self.position = Position::start();
                } else {
                    self.position = Position { cursor, connection: Some(connection) };
                }
            }
            // The server may be another process by now: its table is gone through from the beginning.
            Ok(None) => self.restart()?,
            Err(error) => {
                // Where others have taken over its slots, they are scanned for them in the next round.
                let holders = router.survey().await;
                if holders.map_or(true, |all| all.iter().any(|other| other.id == holder.id)) {
                    return Err(error);
                }
                self.todo.pop();
                self.restart()?;
            }
        }
        Ok(true)
    }

    /// What the node finds at the position: over which connection, where to go on, and some keys.
    /// `None` if the connection to which the position belongs is no more.
    async fn look(&self, node: &Node) -> Result<Option<(u64, Vec<u8>, Vec<Vec<u8>>)>> {
        let before = node.connection(Lane::Bulk).await?;
        if self.position.connection.is_some_and(|connection| connection != before) {
            return Ok(None);
        }
        let value = reply(node.exchange(Lane::Bulk, Effect::Read, &self.command()).await?)?;
        if node.connection(Lane::Bulk).await? != before {
            return Ok(None);
        }
        let (cursor, keys) = read(value)?;
        Ok(Some((before, cursor, keys)))
    }

    fn command(&self) -> Cmd {
        let mut command = redis::cmd("SCAN");
        command.arg(&self.position.cursor);
        command.arg("MATCH").arg(pattern::starting_with(&self.prefix));
        command.arg("COUNT").arg(COUNT).arg("TYPE").arg("string");
        command
    }

    /// Adds a key unless it was found before. One that is not text was not written by this crate.
    fn add(&mut self, key: Vec<u8>) {
        let Ok(key) = String::from_utf8(key) else { return };
        if key.starts_with(&self.prefix) && self.seen.insert(key.as_bytes()) {
            self.found.push_back(key);
        }
    }

    fn restart(&mut self) -> Result<()> {
        self.position = Position::start();
        self.count_restart()
    }

    /// Finds the nodes that have got slots since they were covered; `false` if there are none.
    ///
    /// A key that exists all the time and was not found has moved, away from a node that was not
    /// scanned yet, to one that was. A node that takes a slot gets the greatest epoch of all, unless
    /// it has that. So while no epoch changes, slots move to one node only: the key is there now, in
    /// a slot that is not covered. Once one has changed, it may be anywhere.
    async fn next_round(&mut self, router: &Router) -> Result<bool> {
        let holders = router.survey().await?;
        let epochs = agreed(&holders);
        let quiet = epochs.is_some() && epochs == self.epochs;
        if epochs.is_none() {
            sleep(PAUSE).await;
        }
        self.epochs = epochs;
        let mut covered = BTreeMap::new();
        for holder in holders {
            let held = holder.owned.clone().or(&holder.importing);
            if !quiet || !self.covered.get(&holder.id).is_some_and(|covered| held.are_in(covered)) {
                self.todo.push(holder.clone());
            }
            covered.insert(holder.id, held);
        }
        self.covered = covered;
        if self.todo.is_empty() {
            return Ok(false);
        }
        self.count_restart()?;
        Ok(true)
    }

    fn count_restart(&mut self) -> Result<()> {
        self.restarts += 1;
        if self.restarts > RESTARTS {
            // The caller may try this page again, and then it goes on.
            self.restarts = 0;
            return Err(error::unavailable(
                "the servers change too fast for a scan to be complete; scan again later",
            ));
        }
        Ok(())
    }
}

/// The epochs of all nodes, if every one of them has heard those of the others.
fn agreed(holders: &[Holder]) -> Option<Epochs> {
    let own = |holder: &Holder| Some((holder.id.clone(), *holder.epochs.get(&holder.id)?));
    let epochs: Epochs = holders.iter().filter_map(own).collect();
    let mut heard = holders.iter().map(|holder| &holder.epochs);
    let agree = heard.all(|heard| epochs.iter().all(|(id, epoch)| heard.get(id) == Some(epoch)));
    agree.then_some(epochs)
}

fn read(reply: Value) -> Result<(Vec<u8>, Vec<Vec<u8>>)> {
    let Value::Array(mut parts) = reply else { return Err(error::strange()) };
    match (parts.pop(), parts.pop(), parts.pop()) {
        (Some(Value::Array(keys)), Some(Value::BulkString(cursor)), None) => {
            let bytes = |key| match key {
                Value::BulkString(bytes) => Some(bytes),
                _ => None,
            };
            Ok((cursor, keys.into_iter().filter_map(bytes).collect()))
        }
        _ => Err(error::strange()),
    }
}
