//! What a watch listens to: subscriptions that are made anew when they are lost.

use core::{
    future::poll_fn,
    task::{Context, Poll},
};

use crate::{
    backend::{Backend, Change, Changes, WatchRequest},
    error::{Result, StateError},
    key::Key,
    store::{StateStore, backoff::Backoff},
};

/// A subscription to each of some requests.
pub(super) struct Hints {
    requests: Vec<WatchRequest>,
    /// As many as there are requests, or none.
    subscribed: Vec<Changes>,
    backoff: Backoff,
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
        Self { requests, subscribed: Vec::new(), backoff: Backoff::default() }
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
            let told = poll_fn(|cx| self.poll(cx)).await;
            match told {
                Some(hint) => return Ok(Some(hint)),
                None => self.pause().await,
            }
        }
    }

    /// A further hint, if there is one already.
    pub(super) async fn at_once(&mut self) -> Option<Hint> {
        poll_fn(|cx| match self.poll(cx) {
            Poll::Ready(hint) => Poll::Ready(hint),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    /// Waits after a failure, longer each time until [`recovered`](Self::recovered).
    pub(super) async fn pause(&mut self) {
        self.backoff.pause().await;
    }

    /// Everything works again.
    pub(super) const fn recovered(&mut self) {
        self.backoff.reset();
    }

    async fn subscribe<B: Backend>(&mut self, store: &StateStore<B>) -> Result<()> {
        let mut subscribed = Vec::with_capacity(self.requests.len());
        for request in &self.requests {
            subscribed.push(store.guard.watch(request.clone()).await?);
        }
        self.subscribed = subscribed;
        Ok(())
    }

    /// What any subscription tells; `None` if one of them was lost, and then all are given up.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Hint>> {
        for changes in &mut self.subscribed {
            if let Poll::Ready(told) = changes.as_mut().poll_next(cx) {
                let hint = told.and_then(Result::ok).map(|change| match change {
                    Change::Key(key) => Hint::Key(key),
                    Change::Everything => Hint::Everything,
                });
                if hint.is_none() {
                    self.subscribed.clear();
                }
                return Poll::Ready(hint);
            }
        }
        Poll::Pending
    }
}
