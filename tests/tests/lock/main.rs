//! `Lock`: one holder, a token that grows, a guard that knows.

mod faults;
mod guard;
mod servers;
mod tokens;

use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use futures_util::future::try_join_all;
use state_runtime::{
    StateError,
    backend::{Cas, SetOptions},
    key::Key,
    patterns::{Lease, Lock},
    prelude::*,
};

#[derive(Debug, Clone, StateKey, Validate)]
#[state(key = "lock:{name}", persistent)]
struct TestLock {
    #[garde(length(min = 1))]
    name: String,
    #[state(value)]
    #[garde(skip)]
    lease: Lease,
}

/// Longer than a test lasts: whoever gets the lock, gets it by a release.
const LONG: Duration = Duration::from_secs(600);
/// So short that a test can wait for its end.
const SHORT: Duration = Duration::from_millis(300);
/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

fn key(name: &str) -> TestLockKey {
    TestLock::key(name)
}

fn locks<B: Cas>(store: &StateStore<B>, lease: Duration) -> Lock<TestLock, B> {
    Lock::new(store, lease).unwrap()
}

/// What is stored for the lock `name`.
async fn stored<B: Cas>(store: &StateStore<B>, name: &str) -> Option<Lease> {
    store.get(key(name)).await.unwrap().map(|lock| lock.lease)
}

/// Writes what a holder has left that does not live any more.
async fn put<B: Cas>(store: &StateStore<B>, name: &str, json: String) {
    let key = Key::from_stored(format!("lock:{name}"));
    store.backend().set(&key, json.into(), SetOptions::default()).await.unwrap();
}

fn dead(token: u64, lease: Duration) -> String {
    let millis = lease.as_millis();
    format!(r#"{{"token":{token},"holder":{{"nonce":"dead","renewal":0,"leaseMillis":{millis}}}}}"#)
}

/// Eight workers on two stores, each several times in the locked part: never two at once, and each
/// token is greater than the one before.
async fn one_at_a_time<B: Cas>(one: &StateStore<B>, other: &StateStore<B>) {
    let (inside, last) = (AtomicUsize::new(0), std::sync::Mutex::new(0));
    let locks = [locks(one, LONG), locks(other, LONG)];
    let worker = |n: usize| {
        let (lock, inside, last) = (&locks[n % 2], &inside, &last);
        async move {
            for _ in 0..4 {
                let guard = lock.acquire(key("shared"), PATIENCE).await?;
                assert_eq!(inside.fetch_add(1, SeqCst), 0, "two at once");
                tokio::task::yield_now().await;
                let token = guard.token().get();
                assert!(std::mem::replace(&mut *last.lock().unwrap(), token) < token);
                inside.fetch_sub(1, SeqCst);
                guard.release().await?;
            }
            Ok::<_, StateError>(())
        }
    };
    try_join_all((0..8).map(worker)).await.unwrap();
    assert_eq!(stored(one, "shared").await.unwrap().token(), last.into_inner().unwrap());
}

/// What a dead holder has left is taken over, but not before its lease has been watched to its end.
async fn a_dead_holder_is_replaced<B: Cas>(store: &StateStore<B>) {
    put(store, "dead", dead(7, SHORT)).await;
    let start = std::time::Instant::now();
    let guard = locks(store, LONG).acquire(key("dead"), PATIENCE).await.unwrap();
    assert!(start.elapsed() >= SHORT, "too early: {:?}", start.elapsed());
    assert!(guard.token().get() > 7);
    guard.release().await.unwrap();
}

/// A holder that lives keeps the lock for many leases.
async fn a_living_holder_is_not_replaced<B: Cas>(store: &StateStore<B>) {
    let lease = Duration::from_secs(2);
    let guard = locks(store, lease).acquire(key("alive"), PATIENCE).await.unwrap();
    let refused = locks(store, lease).acquire(key("alive"), 2 * lease).await;
    assert!(matches!(refused, Err(StateError::Timeout { .. })), "{refused:?}");
    guard.release().await.unwrap();
}
