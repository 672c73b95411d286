//! A cluster: each slot's keys are on the master that owns the slot.
//!
//! Which master that is can change at any time. A node that is asked for a key that it does not
//! have says where to go instead, and has then certainly not carried out the command; so that, and
//! nothing else, is sent again. A command that may have been carried out never is.

mod map;
mod pool;
mod redirect;
mod slot;

use core::{future::Future, pin::Pin, time::Duration};
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::future::{join_all, select_ok};
use redis::{Cmd, Pipeline, ServerError, Value};
use tokio::{sync::Notify, time::sleep};

use self::{
    map::SlotMap,
    pool::{Place, Pool},
    redirect::Redirect,
    slot::slot,
};
use super::{
    config::Address,
    dial::{Dialer, Task},
    error,
    router::{Effect, Lane, Node, reply},
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
    _keeper: Keeper,
}

/// The task that learns of new owners.
struct Keeper(#[expect(dead_code, reason = "held for its drop")] Task);

impl core::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Keeper")
    }
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

impl Cluster {
    /// Asks the nodes at `seeds` for the others and connects to all of them.
    pub(super) async fn connect(dialer: Arc<Dialer>, seeds: Vec<Address>) -> Result<Self> {
        let pool = Pool::new(dialer);
        let topology = learn(&pool, seeds.iter().map(|seed| pool.place(seed)).collect()).await?;
        let topology = RwLock::new(Arc::new(topology));
        let shared = Arc::new(Shared { pool, seeds, topology, stale: Notify::new() });
        shared.settle().await;
        let keeper = Keeper(Task::spawn(keep(Arc::clone(&shared))));
        Ok(Self { shared, _keeper: keeper })
    }

    /// Refuses keys that are not in one slot.
    pub(super) fn check_together<'k>(mut keys: impl Iterator<Item = &'k str>) -> Result<()> {
        let Some(first) = keys.next().map(|key| slot(key.as_bytes())) else { return Ok(()) };
        if keys.all(|key| slot(key.as_bytes()) == first) {
            Ok(())
        } else {
            Err(error::cross_slot())
        }
    }

    /// Sends one command to the node that has `key` and returns its reply, which may be an error,
    /// but none that says where to go instead.
    pub(super) async fn exchange(
        &self,
        lane: Lane,
        effect: Effect,
        key: &str,
        command: &Cmd,
    ) -> Result<Value> {
        let slot = slot(key.as_bytes());
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

    /// The values under many keys, in their order: a string, nil, or an error reply each.
    ///
    /// All nodes are asked at the same time, each for its keys at once, so the values are not of
    /// one moment.
    pub(super) async fn values(&self, lane: Lane, keys: &[&str]) -> Result<Vec<Value>> {
        let mut groups: Vec<(Arc<Place>, Vec<usize>)> = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let owner = self.shared.owner(slot(key.as_bytes()))?;
            match groups.iter_mut().find(|(place, _)| Arc::ptr_eq(place, &owner)) {
                Some((_, indexes)) => indexes.push(index),
                None => groups.push((owner, vec![index])),
            }
        }
        let parts = groups.iter().map(|(place, indexes)| self.part(lane, keys, place, indexes));
        let mut values = vec![Value::Nil; keys.len()];
        for (part, (_, indexes)) in join_all(parts).await.into_iter().zip(&groups) {
            for (value, index) in part?.into_iter().zip(indexes) {
                if let Some(place) = values.get_mut(*index) {
                    *place = value;
                }
            }
        }
        Ok(values)
    }

    /// Those of the values that one node has. Keys of several slots need a command each.
    async fn part(
        &self,
        lane: Lane,
        keys: &[&str],
        place: &Arc<Place>,
        indexes: &[usize],
    ) -> Result<Vec<Value>> {
        let mut commands = Pipeline::with_capacity(indexes.len());
        let keys: Vec<&str> =
            indexes.iter().filter_map(|index| keys.get(*index).copied()).collect();
        for key in &keys {
            commands.add_command(get(key));
        }
        let sent = match place.node().await {
            Ok(node) => node.exchange_all(lane, Effect::Read, &commands).await,
            Err(error) => Err(error),
        };
        let mut values = sent.inspect_err(|_| self.shared.stale.notify_one())?;
        if values.len() != keys.len() {
            return Err(error::strange());
        }
        for (value, key) in values.iter_mut().zip(keys) {
            if let Value::ServerError(error) = &*value
                && self.shared.redirect(error, place).is_some()
            {
                *value = self.exchange(lane, Effect::Read, key, &get(key)).await?;
            }
        }
        Ok(values)
    }

    /// All masters that have slots, connected.
    pub(super) async fn masters(&self) -> Result<Vec<Arc<Node>>> {
        let topology = self.shared.topology();
        join_all(topology.masters.iter().map(|place| place.node())).await.into_iter().collect()
    }

    /// Ends all connections.
    pub(super) fn close(&self) {
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
        *self.topology.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(learnt);
        self.settle().await;
        Ok(())
    }

    /// Connects to all owners, so that nobody has to wait for that. Those that are down show later.
    async fn settle(&self) {
        join_all(self.topology().masters.iter().map(|place| place.node())).await;
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

/// The first answer of some nodes about who owns the slots; the last error if none of them answers.
async fn learn(pool: &Pool, asked: Vec<Arc<Place>>) -> Result<Topology> {
    type Asking = Pin<Box<dyn Future<Output = Result<SlotMap>> + Send>>;
    let answers =
        asked.into_iter().map(|place| Box::pin(async move { slots(&place).await }) as Asking);
    let (map, _) = select_ok(answers).await?;
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

/// Sends a command for a slot that is on its way to this node.
async fn ask(node: &Node, lane: Lane, effect: Effect, command: &Cmd) -> Result<Value> {
    let value = announced(node, lane, effect, command).await?;
    match &value {
        Value::ServerError(error) if error.code() == "NOSCRIPT" => {
            let Some(spelled_out) = script::spelled_out(command) else { return Ok(value) };
            announced(node, lane, effect, &spelled_out).await
        }
        _ => Ok(value),
    }
}

/// The announcement counts for the next command of the connection: both are sent as one.
async fn announced(node: &Node, lane: Lane, effect: Effect, command: &Cmd) -> Result<Value> {
    let mut commands = Pipeline::with_capacity(2);
    commands.cmd("ASKING");
    commands.add_command(command.clone());
    let mut replies = node.exchange_all(lane, effect, &commands).await?;
    match (replies.pop(), replies.pop(), effect) {
        (Some(value), Some(_), _) => Ok(value),
        (_, _, Effect::Read) => Err(error::strange()),
        (_, _, Effect::Write) => Err(error::indeterminate("its reply was none")),
    }
}

fn get(key: &str) -> Cmd {
    let mut command = Cmd::with_capacity(2, key.len() + 3);
    command.arg("GET").arg(key);
    command
}
