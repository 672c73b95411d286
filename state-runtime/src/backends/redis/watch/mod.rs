//! Being told of changes: the server says which keys changed, whoever changed them.
//!
//! A connection of its own to each server tracks the prefixes that are watched (`CLIENT TRACKING` in
//! broadcast mode). The server then names each key that was written, removed or has expired. After a
//! connection was lost nobody knows what changed meanwhile, and that is what the watchers are told.

mod prefixes;
mod tracked;
mod tracker;

use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_core::Stream;
use tokio::sync::{mpsc, oneshot};

use self::tracker::Tracker;
use super::{
    dial::{Dialer, Task},
    router::Router,
};
use crate::backend::{
    BackendError, Change, Changes, Result, WatchRequest,
    hub::{Hub, Watcher},
};

/// Asks that all that is watched be tracked, and to be told once it is.
type Ask = oneshot::Sender<Result<()>>;

/// All watches of a backend. They end when this is dropped.
#[derive(Default)]
pub(super) struct Watches {
    hub: Arc<Hub>,
    /// The task that keeps the connections, once there is one, and how to reach it.
    tracker: Mutex<Option<(mpsc::UnboundedSender<Ask>, Task)>>,
}

impl Watches {
    /// Subscribes first and returns then, so that no change in between is missed.
    pub(super) async fn watch(
        &self,
        dialer: &Arc<Dialer>,
        router: &Arc<Router>,
        request: WatchRequest,
    ) -> Result<Changes> {
        let watcher = self.hub.subscribe(&request)?;
        let subscription = Subscription { hub: Arc::clone(&self.hub), request, watcher };
        let (ask, answer) = oneshot::channel();
        self.send(ask, dialer, router);
        // The task ends without an answer only where the backend is closed.
        answer.await.unwrap_or_else(|_| Err(BackendError::closed()))?;
        Ok(Box::pin(subscription))
    }

    fn send(&self, ask: Ask, dialer: &Arc<Dialer>, router: &Arc<Router>) {
        let mut tracker = self.tracker();
        let ask = match &*tracker {
            Some((sender, _)) => match sender.send(ask) {
                Ok(()) => return,
                Err(mpsc::error::SendError(ask)) => ask,
            },
            None => ask,
        };
        // There is no task yet, or it went down with the runtime that it was on.
        let (sender, asks) = mpsc::unbounded_channel();
        let task = Tracker::new(Arc::clone(dialer), Arc::downgrade(router), Arc::clone(&self.hub));
        // Who closed the backend in this moment is heard by the hub.
        drop(sender.send(ask));
        *tracker = Some((sender, Task::spawn(task.run(asks))));
    }

    /// Ends every watch, and lets no new one begin.
    pub(super) fn close(&self) {
        self.hub.close();
        *self.tracker() = None;
    }

    fn tracker(&self) -> MutexGuard<'_, Option<(mpsc::UnboundedSender<Ask>, Task)>> {
        self.tracker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watches {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Watches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watches").field("watchers", &self.hub.watchers()).finish_non_exhaustive()
    }
}

struct Subscription {
    hub: Arc<Hub>,
    request: WatchRequest,
    watcher: Arc<Watcher>,
}

impl Stream for Subscription {
    type Item = Result<Change>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.watcher.poll(cx).map(|change| change.map(Ok))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.unsubscribe(&self.request, &self.watcher);
    }
}
