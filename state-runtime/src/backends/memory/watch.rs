//! The stream behind `watch`.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use std::sync::{Arc, Weak};

use futures_core::Stream;
use tokio::{
    runtime::Handle,
    time::{Instant, Sleep, sleep_until},
};

use super::engine::Engine;
use crate::backend::{Change, Changes, Result, WatchRequest, hub::Watcher};

/// The shortest sleep between two looks for expired entries: together they expire in one sweep.
const MIN_SLEEP: Duration = Duration::from_millis(10);
/// The longest one. The backend's clock need not run like the machine's: it may be set by hand.
const MAX_SLEEP: Duration = Duration::from_millis(100);

/// Subscribes first and returns then, so that no change in between is missed.
pub(super) fn subscribe(engine: &Arc<Engine>, request: WatchRequest) -> Result<Changes> {
    let watcher = engine.hub.subscribe(&request)?;
    Ok(Box::pin(Subscription { engine: Arc::downgrade(engine), request, watcher, timer: None }))
}

/// Holds the backend weakly: a forgotten watch keeps no entries alive.
struct Subscription {
    engine: Weak<Engine>,
    request: WatchRequest,
    watcher: Arc<Watcher>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Stream for Subscription {
    type Item = Result<Change>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Poll::Ready(change) = self.watcher.poll(cx) {
                return Poll::Ready(change.map(Ok));
            }
            ready!(self.poll_timer(cx));
            if let Some(engine) = self.engine.upgrade()
                && engine.sweep()
            {
                // There is more to sweep than one turn should take.
                cx.waker().wake_by_ref();
                return self.watcher.poll(cx).map(|change| change.map(Ok));
            }
        }
    }
}

impl Subscription {
    /// Ready when it is time to look for expired entries.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(timer) = &mut self.timer {
            ready!(timer.as_mut().poll(cx));
            self.timer = None;
            return Poll::Ready(());
        }
        let wait = self.engine.upgrade().and_then(|engine| engine.until_next_expiry());
        let (Some(wait), Ok(_)) = (wait, Handle::try_current()) else { return Poll::Pending };
        let wake_at = Instant::now() + wait.clamp(MIN_SLEEP, MAX_SLEEP);
        let timer = self.timer.insert(Box::pin(sleep_until(wake_at)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.upgrade() {
            engine.hub.unsubscribe(&self.request, &self.watcher);
        }
    }
}
