//! Streams whose items come in batches, each out of an asynchronous step.

use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};
use std::collections::VecDeque;

/// What a step gives: its state, unless it was the last one, and some items.
pub(super) type Step<S, I> = (Option<S>, VecDeque<I>);

/// The items of a batch, and the step that brings the next. Nothing is lost where whoever waits for
/// an item gives up: the step goes on when somebody asks again.
pub(super) struct Batches<S, I> {
    ready: VecDeque<I>,
    next: Next<S, I>,
}

enum Next<S, I> {
    /// The next step starts here.
    Idle(S),
    /// It is being taken.
    Running(Pin<Box<dyn Future<Output = Step<S, I>> + Send>>),
    /// There is none.
    Done,
}

impl<S, I> Batches<S, I> {
    /// Before the first step.
    pub(super) const fn new(state: S) -> Self {
        Self { ready: VecDeque::new(), next: Next::Idle(state) }
    }

    /// One item and no step.
    pub(super) fn once(item: I) -> Self {
        Self { ready: VecDeque::from([item]), next: Next::Done }
    }

    /// Whether the item that came last is the last.
    pub(super) fn is_done(&self) -> bool {
        self.ready.is_empty() && matches!(self.next, Next::Done)
    }

    /// The next item, as [`Stream::poll_next`](futures_core::Stream::poll_next) gives it.
    pub(super) fn poll<F>(&mut self, cx: &mut Context<'_>, step: impl Fn(S) -> F) -> Poll<Option<I>>
    where
        F: Future<Output = Step<S, I>> + Send + 'static,
    {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Poll::Ready(Some(item));
            }
            match mem::replace(&mut self.next, Next::Done) {
                Next::Done => return Poll::Ready(None),
                Next::Idle(state) => self.next = Next::Running(Box::pin(step(state))),
                Next::Running(mut running) => match running.as_mut().poll(cx) {
                    Poll::Pending => {
                        self.next = Next::Running(running);
                        return Poll::Pending;
                    }
                    Poll::Ready((state, items)) => {
                        self.next = state.map_or(Next::Done, Next::Idle);
                        self.ready = items;
                    }
                },
            }
        }
    }
}
