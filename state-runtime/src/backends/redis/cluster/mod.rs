//! A cluster: each slot's keys are on the master that owns the slot.
//!
//! Which master that is can change at any time. A node that is asked for a key that it does not
//! have says where to go instead, and has then certainly not carried out the command; so that, and
//! nothing else, is sent again. A command that may have been carried out never is.

mod map;
mod pool;
mod redirect;
mod slot;
mod survey;
mod view;

use core::time::Duration;
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::future::join_all;
use redis::{Cmd, Pipeline, ServerError, Value};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use self::{
    map::SlotMap,
    pool::{Place, Pool},
    redirect::Redirect,
    slot::slot,
};
pub(super) use self::{survey::Holder, view::Slots};
use super::{
    config::Address,
    dial::{Dialer, Task},
    error, first,
    node::{Effect, Lane, Node, reply},
    script,
};
use crate::backend::{BackendError, ErrorKind, Result};

/// How often one command is sent elsewhere, or again later, before it is given up.
const REDIRECTS: usize = 8;
/// The first wait for keys that are on their way; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(5);
/// How often the owners are asked for while all are connected: others may have joined.
const CALM: Duration = Duration::from_secs(10);
/// How often they are asked for while one is down: a replica may have taken its place.
const HURRY: Duration = Duration::from_millis(250);
/// The shortest time between two of these questions, however many commands were sent elsewhere.
const REST: Duration = Duration::from_millis(50);
/// How many nodes are asked at once.
const ASKED: usize = 3;

/// A cluster. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Cluster {
    shared: Arc<Shared>,
    /// Learns of new owners.
    keeper: Task,
}

#[derive(Debug)]
struct Shared {
    pool: Pool,
    seeds: Vec<Address>,
    topology: RwLock<Arc<Topology>>,
    /// The owners may have changed.
    stale: Notify,
}

/// The owners of the slots, and where they are.
#[derive(Debug)]
struct Topology {
    map: SlotMap,
    masters: Vec<Arc<Place>>,
}

/// The commands for one node.
struct Part<'c> {
    owner: Arc<Place>,
    errands: Vec<Errand<'c>>,
}

/// A command, its slot, and its place among all commands.
struct Errand<'c> {
    index: usize,
    slot: u16,
    command: &'c Cmd,
}

impl Cluster {
    /// Asks the nodes at `seeds` for the others and connects to them. One that answers is enough:
    /// what another one has is unavailable until it can be reached.
    pub(super) async fn connect(dialer: Arc<Dialer>, seeds: Vec<Address>) -> Result<Self> {
        let patience = dialer.config.connect_timeout / 2;
        let pool = Pool::new(dialer);
        let topology = learn(&pool, seeds.iter().map(|seed| pool.place(seed)).collect()).await?;
        let topology = RwLock::new(Arc::new(topology));
        let shared = Arc::new(Shared { pool, seeds, topology, stale: Notify::new() });
        shared.settle(patience).await;
        let keeper = Task::spawn(keep(Arc::clone(&shared)));
        Ok(Self { shared, keeper })
    }

    /// Sends one command that is about all of `keys`, which have to be in one slot.
    pub(super) async fn perform(
        &self,
        lane: Lane,
        effect: Effect,
        keys: &[&str],
        command: &Cmd,
    ) -> Result<Value> {
        let mut slots = keys.iter().map(|key| slot(key.as_bytes()));
        let first = slots.next().unwrap_or_default();
        if slots.any(|slot| slot != first) {
            return Err(error::cross_slot());
        }
        self.exchange(lane, effect, first, command).await
    }

    /// The value under one key: a string, nil, or an error reply.
    pub(super) async fn value(&self, key: &str) -> Result<Value> {
        self.exchange(Lane::Small, Effect::Read, slot(key.as_bytes()), &get(key)).await
    }

    /// The values under many keys, in their order: a string, nil, or an error reply each.
    pub(super) async fn values(&self, lane: Lane, keys: &[&str]) -> Result<Vec<Value>> {
        // One command for keys of several slots would be refused.
        let commands: Vec<_> = keys.iter().map(|key| (*key, get(key))).collect();
        self.read_each(lane, &commands).await
    }

    /// Sends several commands with the effect of reads, each about one key, and returns the reply to
    /// each, which may be an error. All nodes are asked at the same time, each for its keys at once.
    pub(super) async fn read_each(
        &self,
        lane: Lane,
        commands: &[(&str, Cmd)],
    ) -> Result<Vec<Value>> {
        let mut parts: Vec<Part<'_>> = Vec::new();
        for (index, (key, command)) in commands.iter().enumerate() {
            let slot = slot(key.as_bytes());
            let owner = self.shared.owner(slot)?;
            let errand = Errand { index, slot, command };
            match parts.iter_mut().find(|part| Arc::ptr_eq(&part.owner, &owner)) {
                Some(part) => part.errands.push(errand),
                None => parts.push(Part { owner, errands: vec![errand] }),
            }
        }
        let answers = join_all(parts.iter().map(|part| self.part(lane, part))).await;
        let mut values = vec![Value::Nil; commands.len()];
        for (part, answer) in parts.iter().zip(answers) {
            for (errand, value) in part.errands.iter().zip(answer?) {
                if let Some(place) = values.get_mut(errand.index) {
                    *place = value;
                }
            }
        }
        Ok(values)
    }

    async fn part(&self, lane: Lane, part: &Part<'_>) -> Result<Vec<Value>> {
        let mut commands = Pipeline::with_capacity(part.errands.len());
        for errand in &part.errands {
            commands.add_command(errand.command.clone());
        }
        let sent = match part.owner.node().await {
            Ok(node) => node.read_all(lane, &commands).await,
            Err(error) => Err(error),
        };
        let mut values = sent.inspect_err(|_| self.shared.stale.notify_one())?;
        if values.len() != part.errands.len() {
            return Err(error::strange());
        }
        for (value, errand) in values.iter_mut().zip(&part.errands) {
            if let Value::ServerError(error) = &*value
                && self.shared.redirect(error, &part.owner).is_some()
            {
                *value = self.exchange(lane, Effect::Read, errand.slot, errand.command).await?;
            }
        }
        Ok(values)
    }

    /// Sends one command to the node that has `slot` and returns its reply, which may be an error,
    /// but none that says where to go instead.
    async fn exchange(
        &self,
        lane: Lane,
        effect: Effect,
        slot: u16,
        command: &Cmd,
    ) -> Result<Value> {
        let mut target = self.shared.owner(slot)?;
        let (mut asking, mut wait) = (false, FIRST_WAIT);
        for _ in 0..REDIRECTS {
            let sent = match target.node().await {
                Ok(node) if asking => ask(&node, lane, effect, command).await,
                Ok(node) => node.exchange(lane, effect, command).await,
                Err(error) => Err(error),
            };
            let value = sent.inspect_err(|_| self.shared.stale.notify_one())?;
            let Value::ServerError(error) = &value else { return Ok(value) };
            match self.shared.redirect(error, &target) {
                None => return Ok(value),
                Some(Redirect::Moved(address)) => {
                    (target, asking) = (self.shared.pool.place(&address), false);
                }
                Some(Redirect::Ask(address)) => {
                    (target, asking) = (self.shared.pool.place(&address), true);
                }
                Some(Redirect::Wait) => {
                    sleep(wait).await;
                    wait *= 2;
                    (target, asking) = (self.shared.owner(slot)?, false);
                }
            }
        }
        Err(error::unavailable("the slot is being moved to another node; try again later"))
    }

    /// All masters that have slots, connected.
    pub(super) async fn masters(&self) -> Result<Vec<Arc<Node>>> {
        let topology = self.shared.topology();
        join_all(topology.masters.iter().map(|place| place.node())).await.into_iter().collect()
    }

    /// The nodes that were configured.
    pub(super) fn seeds(&self) -> &[Address] {
        &self.shared.seeds
    }

    /// Those of them that are connected just now.
    pub(super) fn connected(&self) -> Vec<Arc<Node>> {
        let topology = self.shared.topology();
        topology.masters.iter().filter_map(|place| place.connected().cloned()).collect()
    }

    /// Ends all connections, and lets no new one begin.
    pub(super) fn close(&self) {
        self.keeper.end();
        self.shared.pool.close();
    }
}

impl Shared {
    fn topology(&self) -> Arc<Topology> {
        Arc::clone(&self.topology.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn owner(&self, slot: u16) -> Result<Arc<Place>> {
        let topology = self.topology.read().unwrap_or_else(PoisonError::into_inner);
        let owner = topology.map.owner(slot).and_then(|place| topology.masters.get(place));
        owner.cloned().ok_or_else(|| {
            self.stale.notify_one();
            error::unavailable("no node of the cluster has the slot of this key")
        })
    }

    /// Where to go instead, and what that says of the owners that are known.
    fn redirect(&self, error: &ServerError, from: &Place) -> Option<Redirect> {
        let redirect = Redirect::of(error, &from.address);
        let moved = matches!(redirect, Some(Redirect::Moved(_)));
        if moved || matches!(error.code(), "CLUSTERDOWN" | "READONLY" | "MASTERDOWN") {
            self.stale.notify_one();
        }
        redirect
    }

    /// Learns who the owners are, from nodes that answer.
    async fn refresh(&self) -> Result<()> {
        let topology = self.topology();
        let connected = topology.masters.iter().filter(|place| place.connected().is_some());
        let mut asked: Vec<_> = connected.cloned().collect();
        if asked.is_empty() {
            let known = topology.masters.iter().map(|place| &place.address);
            asked = self.seeds.iter().chain(known).map(|a| self.pool.place(a)).collect();
        } else {
            // Not always the same: one of them may be wrong about the others.
            let some = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), ());
            let start = usize::try_from(some % 1024).unwrap_or_default() % asked.len();
            asked.rotate_left(start);
            asked.truncate(ASKED);
        }
        let learnt = learn(&self.pool, asked).await?;
        self.pool.retain(learnt.map.masters());
        // Nobody is to wait for a connection that could have been made before.
        learnt.masters.iter().for_each(|place| place.begin());
        *self.topology.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(learnt);
        Ok(())
    }

    /// Waits until all owners are connected, or can be told to be down.
    async fn settle(&self, patience: Duration) {
        let topology = self.topology();
        let all = join_all(topology.masters.iter().map(|place| place.node()));
        if timeout(patience, all).await.is_err() {
            for place in &topology.masters {
                place.wait_no_more(error::unavailable(format_args!(
                    "no connection within {patience:?}"
                )));
            }
        }
    }
}

/// Learns of new owners, for ever: it is ended from outside.
async fn keep(shared: Arc<Shared>) {
    loop {
        let whole = shared.topology().masters.iter().all(|place| place.connected().is_some());
        tokio::select! {
            () = shared.stale.notified() => {}
            () = sleep(if whole { CALM } else { HURRY }) => {}
        }
        if let Err(error) = shared.refresh().await {
            tracing::debug!(%error, "no node of the cluster tells who owns the slots");
        }
        sleep(REST).await;
    }
}

/// The first answer of some nodes about who owns the slots.
async fn learn(pool: &Pool, asked: Vec<Arc<Place>>) -> Result<Topology> {
    let map = first::answer(asked.iter().map(|place| slots(place))).await?;
    let masters = map.masters().iter().map(|address| pool.place(address)).collect();
    Ok(Topology { map, masters })
}

async fn slots(place: &Place) -> Result<SlotMap> {
    let mut command = redis::cmd("CLUSTER");
    command.arg("SLOTS");
    let value = place.node().await?.exchange(Lane::Small, Effect::Read, &command).await?;
    if let Value::ServerError(error) = &value
        && error.details().is_some_and(|text| text.contains("cluster support disabled"))
    {
        let message = "the server is not part of a cluster; use `RedisConfig::new`";
        return Err(BackendError::new(ErrorKind::Other, message).about(&place.address));
    }
    let map = SlotMap::parse(&reply(value)?, &place.address);
    if map.masters().is_empty() {
        return Err(error::unavailable("no node of the cluster has slots").about(&place.address));
    }
    Ok(map)
}

/// Sends a command for a slot that is on its way to this node. The announcement counts for the next
/// command of the connection alone, so both are sent as one, and a script by its text: for another
/// attempt, the announcement would be missing.
async fn ask(node: &Node, lane: Lane, effect: Effect, command: &Cmd) -> Result<Value> {
    let command = script::spelled_out(command).unwrap_or_else(|| command.clone());
    node.exchange_announced(lane, effect, &redis::cmd("ASKING"), command).await
}

fn get(key: &str) -> Cmd {
    let mut command = Cmd::with_capacity(2, key.len() + 3);
    command.arg("GET").arg(key);
    command
}
