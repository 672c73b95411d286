//! Which nodes hold which keys at one moment, and which keys are on their way.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use redis::Value;

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
}

impl Cluster {
    /// Asks every master, and those that are about to become owners of their first slot.
    pub(in super::super) async fn survey(&self) -> Result<Vec<Holder>> {
        let topology = self.shared.topology();
        let mut asked = HashSet::new();
        let mut holders = Vec::new();
        let mut targets = BTreeMap::new();
        for place in &topology.masters {
            let (holder, goals) = look(place).await?;
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
    let View { id, owned, importing, targets } = View::parse(&text).ok_or_else(error::strange)?;
    Ok((Holder { id, node, owned, importing }, targets))
}
