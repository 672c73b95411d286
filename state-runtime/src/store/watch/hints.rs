//! What a watch listens to: subscriptions that are made anew when they are lost.

use core::{future::poll_fn, task::Poll, time::Duration};

use tokio::time::sleep;

use super::StateStore;
use crate::{
    backend::{Backend, Change, Changes, WatchRequest},
    error::{Result, StateError},
    key::Key,
};

/// The pause before a lost subscription is made anew; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A subscription to each of some requests.
pub(super) struct Hints {
    requests: Vec<WatchRequest>,
    /// As many as there are requests, or none.
    subscribed: Vec<Changes>,
    failures: u32,
}

/// What is known to have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hint {
    /// The entry under this key may have changed.
    Key(Key),
    /// Any may have.
    Everything,
}

impl Hints {
    pub(super) fn new(requests: Vec<WatchRequest>) -> Self {
        Self { requests, subscribed: Vec::new(), failures: 0 }
    }

    /// The next hint. The first one, and the one after a lost subscription, is that everything may
    /// have changed; it comes when all that happens from then on will be told.
    ///
    /// A backend that cannot be reached is tried again until it can be. `Ok(None)` if the store was
    /// closed.
    pub(super) async fn next<B: Backend>(&mut self, store: &StateStore<B>) -> Result<Option<Hint>> {
        loop {
            if self.subscribed.is_empty() {
                match self.subscribe(store).await {
                    Ok(()) => return Ok(Some(Hint::Everything)),
                    Err(StateError::Closed) => return Ok(None),
                    Err(error) if error.is_retryable() => self.pause().await,
                    Err(error) => return Err(error),
                }
                continue;
            }
            match self.told().await {
                Some(Change::Key(key)) => return Ok(Some(Hint::Key(key))),
                Some(_) => return Ok(Some(Hint::Everything)),
                None => {
                    self.subscribed.clear();
                    self.pause().await;
                }
            }
        }
    }

    /// Waits after a failure, longer each time until [`recovered`](Self::recovered).
    pub(super) async fn pause(&mut self) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        sleep(pause.min(LONGEST_PAUSE)).await;
    }

    /// Everything works again.
    pub(super) const fn recovered(&mut self) {
        self.failures = 0;
    }

    async fn subscribe<B: Backend>(&mut self, store: &StateStore<B>) -> Result<()> {
        let mut subscribed = Vec::with_capacity(self.requests.len());
        for request in &self.requests {
            subscribed.push(store.guard.watch(request.clone()).await?);
        }
        self.subscribed = subscribed;
        Ok(())
    }

    /// What any subscription tells; `None` if one of them was lost.
    async fn told(&mut self) -> Option<Change> {
        poll_fn(|cx| {
            for changes in &mut self.subscribed {
                if let Poll::Ready(told) = changes.as_mut().poll_next(cx) {
                    return Poll::Ready(told.and_then(Result::ok));
                }
            }
            Poll::Pending
        })
        .await
    }
}
