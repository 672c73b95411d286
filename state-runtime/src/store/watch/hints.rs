//! What a watch listens to: subscriptions that are made anew when they are lost.

use core::{
    future::poll_fn,
    task::{Context, Poll},
};

use tokio::time::Instant;

use crate::{
    backend::{Backend, BackendError, Change, Changes, WatchRequest},
    error::{Result, StateError},
    key::Key,
    store::{
        StateStore,
        backoff::{Backoff, LONGEST_PAUSE},
    },
};

/// A subscription to each of some requests.
pub(super) struct Hints {
    requests: Vec<WatchRequest>,
    /// As many as there are requests, or none.
    subscribed: Vec<Changes>,
    /// Since when; `None` before the first time.
    since: Option<Instant>,
    /// What one of them has ended with.
    fault: Option<BackendError>,
    backoff: Backoff,
    /// For subscriptions alone: that a read works says nothing of them.
    losses: Backoff,
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
        Self {
            requests,
            subscribed: Vec::new(),
            since: None,
            fault: None,
            backoff: Backoff::default(),
            losses: Backoff::default(),
        }
    }

    /// The next hint. The first one, and the one after a lost subscription, is that everything may
    /// have changed; it comes when all that happens from then on will be told.
    ///
    /// A backend that cannot be reached is tried again until it can be. `Ok(None)` if the store was
    /// closed.
    pub(super) async fn next<B: Backend>(&mut self, store: &StateStore<B>) -> Result<Option<Hint>> {
        loop {
            if let Some(hint) = poll_fn(|cx| self.poll(cx)).await {
                return Ok(Some(hint));
            }
            match self.subscribe_again(store).await {
                Ok(()) => return Ok(Some(Hint::Everything)),
                Err(StateError::Closed) => return Ok(None),
                Err(error) if error.is_retryable() => self.pause().await,
                Err(error) => return Err(error),
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

    /// Subscribes, unless what the last subscription ended with will not pass.
    async fn subscribe_again<B: Backend>(&mut self, store: &StateStore<B>) -> Result<()> {
        let fault = self.fault.take().map(|source| store.guard.watch_failed(source));
        if let Some(error) = fault.filter(|error| !error.is_retryable()) {
            return Err(error);
        }
        if let Some(since) = self.since.take() {
            // One that has lasted for the longest pause was a success.
            if since.elapsed() >= LONGEST_PAUSE {
                self.losses.reset();
            }
            self.losses.pause().await;
        }
        let mut subscribed = Vec::with_capacity(self.requests.len());
        for request in &self.requests {
            subscribed.push(store.guard.watch(request.clone()).await?);
        }
        self.subscribed = subscribed;
        self.since = Some(Instant::now());
        Ok(())
    }

    /// What any subscription tells; `None` where there is none, or one was lost: then all are given
    /// up.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Hint>> {
        if self.subscribed.is_empty() {
            return Poll::Ready(None);
        }
        for changes in &mut self.subscribed {
            if let Poll::Ready(told) = changes.as_mut().poll_next(cx) {
                let hint = match told {
                    Some(Ok(Change::Key(key))) => Some(Hint::Key(key)),
                    Some(Ok(Change::Everything)) => Some(Hint::Everything),
                    Some(Err(fault)) => {
                        self.fault = Some(fault);
                        None
                    }
                    None => None,
                };
                if hint.is_none() {
                    self.subscribed.clear();
                }
                return Poll::Ready(hint);
            }
        }
        Poll::Pending
    }
}
