//! The stream behind `watch`.

use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::sync::{Arc, Weak};

use futures_core::Stream;

use super::reader::Shared;
use crate::backend::{Change, Changes, Result, WatchRequest, hub::Watcher};

/// Subscribes first and returns then, so that no change in between is missed.
pub(super) fn subscribe(shared: &Arc<Shared>, request: WatchRequest) -> Result<Changes> {
    let watcher = shared.hub.subscribe(&request)?;
    Ok(Box::pin(Subscription { shared: Arc::downgrade(shared), request, watcher }))
}

/// Holds the store weakly: a forgotten watch keeps nothing open.
struct Subscription {
    shared: Weak<Shared>,
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
        if let Some(shared) = self.shared.upgrade() {
            shared.hub.unsubscribe(&self.request, &self.watcher);
        }
    }
}
