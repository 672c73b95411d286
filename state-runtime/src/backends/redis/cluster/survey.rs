//! Which nodes hold which keys at one moment, and which keys are on their way.

use core::time::Duration;
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use futures_util::future::join_all;
use redis::Value;
use tokio::time::sleep;

use super::{
    Cluster,
    pool::Place,
    view::{Slots, View},
};
use crate::{
    backend::Result,
    backends::redis::{
        error,
        node::{Effect, Lane, Node, reply},
    },
};

/// How often the nodes are asked until they agree.
const ATTEMPTS: usize = 20;
/// How long they have in between.
const PAUSE: Duration = Duration::from_millis(50);

/// A node, and the slots whose keys it may have.
#[derive(Debug, Clone)]
pub(in super::super) struct Holder {
    /// The name that it keeps for life.
    pub(in super::super) id: String,
    pub(in super::super) node: Arc<Node>,
    /// The slots that it owns.
    pub(in super::super) owned: Slots,
    /// Those whose keys are on their way to it.
    pub(in super::super) importing: Slots,
    /// The epochs of all nodes, as far as it has heard.
    pub(in super::super) epochs: BTreeMap<String, u64>,
}

impl Cluster {
    /// Asks every master, and those that are about to become owners of their first slot, until each
    /// slot that has an owner is claimed by one of them: nodes learn of a change one after the other.
    pub(in super::super) async fn survey(&self) -> Result<Vec<Holder>> {
        for _ in 0..ATTEMPTS {
            self.shared.refresh().await?;
            let topology = self.shared.topology();
            let holders = self.look_around(&topology.masters).await?;
            let claimed = holders.iter().fold(Slots::NONE, |all, holder| all.or(&holder.owned));
            if topology.map.slots().are_in(&claimed) {
                return Ok(holders);
            }
            sleep(PAUSE).await;
        }
        Err(error::unavailable("the nodes of the cluster do not agree on who has which slots"))
    }

    async fn look_around(&self, masters: &[Arc<Place>]) -> Result<Vec<Holder>> {
        let mut asked = HashSet::new();
        let mut holders = Vec::new();
        let mut targets = BTreeMap::new();
        for looked in join_all(masters.iter().map(|place| look(place))).await {
            let (holder, goals) = looked?;
            asked.insert(holder.id.clone());
            holders.push(holder);
            targets.extend(goals);
        }
        for (id, address) in targets {
            if asked.insert(id) {
                holders.push(look(&self.shared.pool.place(&address)).await?.0);
            }
        }
        Ok(holders)
    }
}

type Targets = BTreeMap<String, super::Address>;

async fn look(place: &Place) -> Result<(Holder, Targets)> {
    let node = place.node().await?;
    let mut command = redis::cmd("CLUSTER");
    command.arg("NODES");
    let text = match reply(node.exchange(Lane::Small, Effect::Read, &command).await?)? {
        Value::BulkString(text) => String::from_utf8(text).map_err(|_| error::strange())?,
        Value::VerbatimString { text, .. } => text,
        _ => return Err(error::strange()),
    };
    let view = View::parse(&text).ok_or_else(error::strange)?;
    let View { id, owned, importing, targets, epochs } = view;
    Ok((Holder { id, node, owned, importing, epochs }, targets))
}
