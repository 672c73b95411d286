//! The task that keeps what is watched tracked, on every server.

use core::time::Duration;
use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use futures_util::future::join_all;
use tokio::{
    sync::{Notify, mpsc},
    time::sleep,
};

use super::{
    super::{config::Address, dial::Dialer, router::Router},
    Ask,
    prefixes::Prefixes,
    tracked::Tracked,
};
use crate::backend::{BackendError, Result, hub::Hub};

/// How often the connections are looked after: a server that was silent in between may be gone, and
/// others may have joined.
const BEAT: Duration = Duration::from_secs(2);
/// The first wait after a failed attempt to mend something; each further one is twice as long, up
/// to a beat.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// All tracking connections of a backend.
pub(super) struct Tracker {
    dialer: Arc<Dialer>,
    router: Weak<Router>,
    hub: Arc<Hub>,
    /// A connection was lost.
    changed: Arc<Notify>,
    servers: HashMap<Address, Tracked>,
    /// Something may have changed that no server named.
    gap: bool,
}

impl Tracker {
    pub(super) fn new(dialer: Arc<Dialer>, router: Weak<Router>, hub: Arc<Hub>) -> Self {
        let changed = Arc::default();
        Self { dialer, router, hub, changed, servers: HashMap::new(), gap: false }
    }

    /// Runs until the backend is closed.
    pub(super) async fn run(mut self, mut asks: mpsc::UnboundedReceiver<Ask>) {
        let mut pause = BEAT;
        loop {
            let mut asking: Vec<Ask> = Vec::new();
            let beat = if self.hub.watchers() == 0 && self.servers.is_empty() {
                Duration::MAX
            } else {
                pause
            };
            tokio::select! {
                ask = asks.recv() => match ask {
                    Some(ask) => asking.push(ask),
                    None => return,
                },
                () = self.changed.notified() => {}
                () = sleep(beat) => {}
            }
            // One look after the servers serves all who ask.
            while let Ok(ask) = asks.try_recv() {
                asking.push(ask);
            }
            let Some(router) = self.router.upgrade() else { return };
            let result = self.tend(&router).await;
            pause = match &result {
                Ok(()) => BEAT,
                Err(_) if pause == BEAT => FIRST_PAUSE,
                Err(_) => (pause * 2).min(BEAT / 2),
            };
            for ask in asking {
                // Who does not wait any more needs no answer.
                drop(ask.send(match &result {
                    Ok(()) => Ok(()),
                    Err(error) => Err(BackendError::new(error.kind(), error.message().to_owned())),
                }));
            }
        }
    }

    /// Makes every server name what is watched, and tells the watchers if that was not so.
    async fn tend(&mut self, router: &Router) -> Result<()> {
        let before = self.servers.len();
        self.servers.retain(|_, tracked| !tracked.is_lost());
        self.gap |= self.servers.len() < before;
        let prefixes = self.hub.prefixes();
        if prefixes.is_empty() {
            self.servers.clear();
            self.gap = false;
            return Ok(());
        }
        let idle = before == 0 && !self.gap;
        let wanted = prefixes.iter().map(String::as_str).collect();
        let result = self.track(router, &wanted).await;
        // Before the first watch nobody missed anything.
        self.gap &= !idle;
        if result.is_ok() && self.gap {
            self.gap = false;
            self.hub.publish_everything();
        }
        result
    }

    async fn track(&mut self, router: &Router, wanted: &Prefixes) -> Result<()> {
        let holders = router.survey().await?;
        let addresses: Vec<Address> =
            holders.iter().filter_map(|holder| holder.node.address()).collect();
        if addresses.len() < holders.len() {
            return Err(BackendError::closed());
        }
        let mut known = core::mem::take(&mut self.servers);
        let mended = addresses.into_iter().map(|address| {
            let tracked = known.remove(&address);
            self.mend(address, tracked, wanted)
        });
        let mended: Vec<_> = mended.collect();
        // What a server that is left named last may not have been heard.
        let mut gap = !known.is_empty();
        let mut result = Ok(());
        for (address, outcome) in join_all(mended).await {
            match outcome {
                Ok((tracked, is_new)) => {
                    gap |= is_new;
                    self.servers.insert(address, tracked);
                }
                Err(error) => {
                    gap = true;
                    result = Err(error);
                }
            }
        }
        self.gap |= gap;
        result
    }

    /// A connection to `address` that tracks all that is wanted, and whether it is the first one or
    /// comes after one that was lost.
    async fn mend(
        &self,
        address: Address,
        tracked: Option<Tracked>,
        wanted: &Prefixes,
    ) -> (Address, Result<(Tracked, bool)>) {
        let outcome = self.tracking(&address, tracked, wanted).await;
        (address, outcome)
    }

    async fn tracking(
        &self,
        address: &Address,
        tracked: Option<Tracked>,
        wanted: &Prefixes,
    ) -> Result<(Tracked, bool)> {
        if let Some(mut tracked) = tracked
            && tracked.is_alive().await
        {
            if let Some(missing) = tracked.missing(wanted) {
                tracked.add(&missing).await.map_err(|error| error.about(address))?;
                return Ok((tracked, false));
            }
            // The present one goes only after the next one tracks all of it, and after all that the
            // server had named on it until then was heard.
            let next = self.open(address, wanted).await?;
            let heard = tracked.is_alive().await;
            return Ok((next, !heard));
        }
        Ok((self.open(address, wanted).await?, true))
    }

    async fn open(&self, address: &Address, wanted: &Prefixes) -> Result<Tracked> {
        Tracked::open(&self.dialer, address, &self.hub, &self.changed, wanted).await
    }
}
