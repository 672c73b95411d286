//! Turns: callers of one program that change the same entry wait for one another.
//!
//! Compare-and-swap alone is right but wasteful under contention: of 64 callers that read the same
//! value, 63 have worked in vain. So after its first conflict a caller queues for the key, and
//! those who come later queue behind it. Without a conflict nobody takes a lock that is shared.

use core::{
    hash::Hash,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Mutex as FairMutex, OwnedMutexGuard};

use crate::key::Key;

/// Queues, one for each key that is contended just now.
#[derive(Debug)]
pub(crate) struct Turns<K: Eq + Hash = Key> {
    /// How many callers are in a queue, so that all others look no further.
    queued: AtomicUsize,
    queues: Mutex<HashMap<K, Queue>>,
}

#[derive(Debug, Default)]
struct Queue {
    turn: Arc<FairMutex<()>>,
    callers: usize,
}

/// A turn at one key; dropping it lets the next caller have it.
#[derive(Debug)]
pub(crate) struct Turn<'t, K: Eq + Hash = Key> {
    // Before the place: the next caller has its turn while this one still counts as a caller.
    _turn: OwnedMutexGuard<()>,
    _place: Place<'t, K>,
}

/// A place in the queue of a key.
#[derive(Debug)]
struct Place<'t, K: Eq + Hash> {
    turns: &'t Turns<K>,
    key: K,
}

impl<K: Clone + Eq + Hash> Turns<K> {
    /// Whether somebody queues for `key`.
    pub(super) fn is_contended(&self, key: &K) -> bool {
        self.queued.load(SeqCst) > 0 && self.lock().contains_key(key)
    }

    /// Waits for a turn at `key`. Turns are given in the order of the calls; a future that is
    /// dropped gives up its place.
    pub(crate) async fn take(&self, key: &K) -> Turn<'_, K> {
        let turn = {
            let mut queues = self.lock();
            let queue = queues.entry(key.clone()).or_default();
            queue.callers += 1;
            Arc::clone(&queue.turn)
        };
        self.queued.fetch_add(1, SeqCst);
        let place = Place { turns: self, key: key.clone() };
        Turn { _turn: turn.lock_owned().await, _place: place }
    }
}

impl<K: Eq + Hash> Turns<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Queue>> {
        // Nothing between locking and unlocking can panic halfway.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Default for Turns<K> {
    fn default() -> Self {
        Self { queued: AtomicUsize::new(0), queues: Mutex::default() }
    }
}

impl<K: Eq + Hash> Drop for Place<'_, K> {
    fn drop(&mut self) {
        let mut queues = self.turns.lock();
        if let Some(queue) = queues.get_mut(&self.key) {
            queue.callers -= 1;
            if queue.callers == 0 {
                queues.remove(&self.key);
            }
        }
        self.turns.queued.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_turn_excludes_others_at_the_same_key_only() {
        let turns = Turns::<Key>::default();
        let (one, other) = (Key::from_stored("one"), Key::from_stored("other"));
        assert!(!turns.is_contended(&one));
        let turn = turns.take(&one).await;
        assert!(turns.is_contended(&one) && !turns.is_contended(&other));
        drop(turns.take(&other).await);
        let mut second = Box::pin(turns.take(&one));
        assert!(futures_poll(&mut second).await.is_none(), "the turn was given twice");
        drop(turn);
        assert!(futures_poll(&mut second).await.is_some());
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_caller_that_gave_up() {
        let turns = Turns::<Key>::default();
        let key = Key::from_stored("key");
        let turn = turns.take(&key).await;
        let mut second = Box::pin(turns.take(&key));
        assert!(futures_poll(&mut second).await.is_none());
        drop(second);
        assert!(turns.is_contended(&key), "the first caller is still there");
        drop(turn);
        assert!(!turns.is_contended(&key) && turns.lock().is_empty());
    }

    /// The output of a future, if it is there at once.
    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        core::future::poll_fn(|cx| {
            let polled = core::pin::Pin::new(&mut *future).poll(cx);
            core::task::Poll::Ready(match polled {
                core::task::Poll::Ready(output) => Some(output),
                core::task::Poll::Pending => None,
            })
        })
        .await
    }
}
