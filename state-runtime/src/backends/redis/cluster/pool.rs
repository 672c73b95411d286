//! The nodes of a cluster, by their addresses, each connected when it is first needed.

use core::time::Duration;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Instant,
};

use super::super::{config::Address, dial::Dialer, link::fixed, node::Node};
use crate::backend::{BackendError, ErrorKind, Result};

/// For how long a node that could not be reached counts as down, without another attempt.
const PAUSE: Duration = Duration::from_millis(500);

/// All nodes that were needed so far.
#[derive(Debug)]
pub(super) struct Pool {
    dialer: Arc<Dialer>,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    by_address: HashMap<Address, Arc<Place>>,
    closed: bool,
}

/// Where a node is, or will be once it can be reached.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) address: Address,
    dialer: Arc<Dialer>,
    node: OnceLock<Arc<Node>>,
    failed: Mutex<Option<Failure>>,
    /// Held by the one who connects.
    connecting: tokio::sync::Mutex<()>,
    closed: std::sync::atomic::AtomicBool,
}

/// Why the last attempt failed, and when.
#[derive(Debug)]
struct Failure {
    at: Instant,
    kind: ErrorKind,
    message: String,
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
        let place = Arc::new(Place {
            address: address.clone(),
            dialer: Arc::clone(&self.dialer),
            node: OnceLock::new(),
            failed: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            closed: places.closed.into(),
        });
        places.by_address.insert(address.clone(), Arc::clone(&place));
        place
    }

    /// Forgets all but those at `addresses`. Who works with one of the others can end that.
    pub(super) fn retain(&self, addresses: &[Address]) {
        self.places().by_address.retain(|address, _| addresses.contains(address));
    }

    /// Ends all connections, and lets no new one begin.
    pub(super) fn close(&self) {
        let mut places = self.places();
        places.closed = true;
        for place in places.by_address.values() {
            place.close();
        }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The node, connected now if it was not yet.
    ///
    /// For a while after an attempt that failed, and during the next one, the answer is at once that
    /// the node is down.
    pub(super) async fn node(&self) -> Result<Arc<Node>> {
        if let Some(node) = self.node.get() {
            return Ok(Arc::clone(node));
        }
        let _turn = match self.connecting.try_lock() {
            Ok(turn) => turn,
            Err(_) => match self.failure(Duration::MAX) {
                Some(error) => return Err(error),
                None => self.connecting.lock().await,
            },
        };
        if let Some(node) = self.node.get() {
            return Ok(Arc::clone(node));
        }
        if let Some(error) = self.failure(PAUSE) {
            return Err(error);
        }
        let opened = Node::open(Arc::clone(&self.dialer), fixed(self.address.clone())).await;
        match opened {
            Ok(node) => {
                let node = Arc::clone(self.node.get_or_init(|| Arc::new(node)));
                if self.closed.load(std::sync::atomic::Ordering::SeqCst) {
                    node.close();
                    return Err(BackendError::closed());
                }
                Ok(node)
            }
            Err(error) => {
                let (kind, message) = (error.kind(), error.message().to_owned());
                *self.failed() = Some(Failure { at: Instant::now(), kind, message });
                Err(error)
            }
        }
    }

    /// The node if it is connected just now.
    pub(super) fn connected(&self) -> Option<&Arc<Node>> {
        self.node.get().filter(|node| node.check().is_ok())
    }

    fn close(&self) {
        self.closed.store(true, std::sync::atomic::Ordering::SeqCst);
        if let Some(node) = self.node.get() {
            node.close();
        }
    }

    /// What the last attempt answered, if that was not longer ago than `recent`.
    fn failure(&self, recent: Duration) -> Option<BackendError> {
        let failed = self.failed();
        let failure = failed.as_ref().filter(|failure| failure.at.elapsed() < recent)?;
        Some(BackendError::new(failure.kind, failure.message.clone()))
    }

    fn failed(&self) -> MutexGuard<'_, Option<Failure>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
