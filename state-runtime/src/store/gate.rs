//! The bound on operations in flight, and the door that closing shuts.

use core::{
    pin::pin,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use tokio::sync::Notify;

/// Lets a bounded number of operations in, and none after it was closed.
#[derive(Debug)]
pub(super) struct Gate {
    limit: usize,
    in_flight: AtomicUsize,
    /// How many wait for a place or for the last operation to end. Nobody is woken while it is 0,
    /// so that an operation which does not wait pays for two additions and nothing else.
    waiting: AtomicUsize,
    closed: AtomicBool,
    freed: Notify,
}

/// A place among the operations in flight; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Permit<'g>(&'g Gate);

/// The store is closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closed;

impl Gate {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            in_flight: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            freed: Notify::new(),
        }
    }

    /// A place, if there is one right now.
    pub(super) fn try_enter(&self) -> Result<Option<Permit<'_>>, Closed> {
        let entered = self
            .in_flight
            .fetch_update(SeqCst, SeqCst, |n| (n < self.limit).then_some(n + 1))
            .is_ok();
        // Whoever closes first sets the flag and then waits for the count: so the flag is read
        // after the count was raised.
        let permit = entered.then(|| Permit(self));
        if self.closed.load(SeqCst) { Err(Closed) } else { Ok(permit) }
    }

    /// A place, as soon as there is one.
    pub(super) async fn enter(&self) -> Result<Permit<'_>, Closed> {
        let _waiting = Waiting::new(self);
        loop {
            let mut freed = pin!(self.freed.notified());
            freed.as_mut().enable();
            if let Some(permit) = self.try_enter()? {
                return Ok(permit);
            }
            freed.await;
        }
    }

    /// Lets nobody in any more.
    pub(super) fn close(&self) {
        self.closed.store(true, SeqCst);
        self.freed.notify_waiters();
    }

    /// Waits until no operation is in flight.
    pub(super) async fn drained(&self) {
        let _waiting = Waiting::new(self);
        loop {
            let mut freed = pin!(self.freed.notified());
            freed.as_mut().enable();
            if self.in_flight.load(SeqCst) == 0 {
                return;
            }
            freed.await;
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, SeqCst);
        if self.0.waiting.load(SeqCst) == 0 {
            return;
        }
        if self.0.closed.load(SeqCst) {
            self.0.freed.notify_waiters();
        } else {
            self.0.freed.notify_one();
        }
    }
}

struct Waiting<'g>(&'g Gate);

impl<'g> Waiting<'g> {
    fn new(gate: &'g Gate) -> Self {
        gate.waiting.fetch_add(1, SeqCst);
        Self(gate)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use core::{
        future::Future,
        task::{Context, Poll, Waker},
    };

    use super::*;

    fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        core::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn one_more_than_the_limit_waits_until_a_place_is_free() {
        let gate = Gate::new(1);
        let first = gate.try_enter().unwrap().unwrap();
        assert!(gate.try_enter().unwrap().is_none());
        let mut second = Box::pin(gate.enter());
        assert!(poll(&mut second).is_pending());
        drop(first);
        assert!(matches!(poll(&mut second), Poll::Ready(Ok(_))));
    }

    #[test]
    fn a_waiter_that_gives_up_passes_its_place_on() {
        let gate = Gate::new(1);
        let first = gate.try_enter().unwrap().unwrap();
        let mut second = Box::pin(gate.enter());
        let mut third = Box::pin(gate.enter());
        assert!(poll(&mut second).is_pending());
        assert!(poll(&mut third).is_pending());
        drop(first);
        drop(second);
        assert!(matches!(poll(&mut third), Poll::Ready(Ok(_))));
    }

    #[test]
    fn closing_turns_waiters_away_and_waits_for_those_inside() {
        let gate = Gate::new(1);
        let inside = gate.try_enter().unwrap().unwrap();
        let mut waiter = Box::pin(gate.enter());
        assert!(poll(&mut waiter).is_pending());
        gate.close();
        assert!(matches!(poll(&mut waiter), Poll::Ready(Err(Closed))));
        let (mut one, mut two) = (Box::pin(gate.drained()), Box::pin(gate.drained()));
        assert!(poll(&mut one).is_pending());
        assert!(poll(&mut two).is_pending());
        drop(inside);
        assert!(poll(&mut one).is_ready());
        assert!(poll(&mut two).is_ready());
        assert_eq!(gate.try_enter().err(), Some(Closed));
    }
}
