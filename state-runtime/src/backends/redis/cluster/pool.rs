//! The nodes of a cluster, by their addresses, each connected when it is first needed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::super::{config::Address, dial::Dialer, lazy::Lazy, link::fixed, node::Node};
use crate::backend::{BackendError, Result};

/// All nodes that were needed so far.
#[derive(Debug)]
pub(super) struct Pool {
    dialer: Arc<Dialer>,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    by_address: HashMap<Address, Arc<Place>>,
    /// Nodes of other places, with which somebody may still work.
    forgotten: Vec<Weak<Node>>,
    closed: bool,
}

/// Where a node is, or will be once it can be reached.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) address: Address,
    node: Lazy<Arc<Node>>,
}

impl Pool {
    pub(super) fn new(dialer: Arc<Dialer>) -> Self {
        Self { dialer, places: Mutex::default() }
    }

    /// The place at `address`.
    pub(super) fn place(&self, address: &Address) -> Arc<Place> {
        let mut places = self.places();
        if let Some(place) = places.by_address.get(address) {
            return Arc::clone(place);
        }
        let place = Arc::new(Place::new(&self.dialer, address));
        if places.closed {
            place.close();
        }
        places.by_address.insert(address.clone(), Arc::clone(&place));
        place
    }

    /// Forgets all but those at `addresses`. Who works with one of the others can end that.
    pub(super) fn retain(&self, addresses: &[Address]) {
        let Places { by_address, forgotten, .. } = &mut *self.places();
        forgotten.retain(|node| node.strong_count() > 0);
        for (_, place) in by_address.extract_if(|address, _| !addresses.contains(address)) {
            forgotten.extend(place.node.opened().map(Arc::downgrade));
        }
    }

    /// Ends all connections, and lets no new one begin.
    pub(super) fn close(&self) {
        let mut places = self.places();
        places.closed = true;
        places.by_address.values().for_each(|place| place.close());
        places.forgotten.iter().filter_map(Weak::upgrade).for_each(|node| node.close());
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn new(dialer: &Arc<Dialer>, address: &Address) -> Self {
        let (dialer, locate) = (Arc::clone(dialer), fixed(address.clone()));
        let node = Lazy::new(move || {
            let opening = Node::open(Arc::clone(&dialer), Arc::clone(&locate));
            async move { opening.await.map(Arc::new) }
        });
        Self { address: address.clone(), node }
    }

    /// The node, connected now if nobody has tried that yet. After an attempt that failed, the
    /// answer is at once that the node is down, and others are made in the background.
    pub(super) async fn node(&self) -> Result<Arc<Node>> {
        self.node.get().await.cloned()
    }

    /// Begins to connect, if that is due.
    pub(super) fn begin(&self) {
        self.node.begin();
    }

    /// Nobody waits for the first attempt any longer: the node counts as down until it is there.
    pub(super) fn wait_no_more(&self, reason: BackendError) {
        self.node.wait_no_more(&reason.about(&self.address));
    }

    /// The node if it is connected just now.
    pub(super) fn connected(&self) -> Option<&Arc<Node>> {
        self.node.opened().filter(|node| node.check().is_ok())
    }

    fn close(&self) {
        self.node.close();
        if let Some(node) = self.node.opened() {
            node.close();
        }
    }
}
