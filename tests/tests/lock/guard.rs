//! What a guard knows, and what becomes of a lock without it.

use std::{sync::Arc, time::Duration};

use state_runtime::{
    StateError,
    backend::{Capability, ManualClock},
    backends::{FileBackend, MemoryBackend},
    patterns::Lock,
    prelude::*,
};
use tests::fakes::{Counting, Waiting, Yielding};
use tokio::time::Instant;

use super::{
    LONG, PATIENCE, SHORT, TestLock, a_dead_holder_is_replaced, a_living_holder_is_not_replaced,
    dead, key, locks, one_at_a_time, put, stored,
};

fn memory() -> StateStore<MemoryBackend> {
    StateStore::new(MemoryBackend::new()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_memory_one_at_a_time() {
    let backend = Arc::new(MemoryBackend::new());
    let one = StateStore::new(Arc::clone(&backend)).unwrap();
    one_at_a_time(&one, &StateStore::new(backend).unwrap()).await;
    a_dead_holder_is_replaced(&one).await;
    a_living_holder_is_not_replaced(&one).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_disk_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let backend = FileBackend::open(folder.path().join("state")).await.unwrap();
    let store = StateStore::new(backend).unwrap();
    one_at_a_time(&store, &store.clone()).await;
    a_dead_holder_is_replaced(&store).await;
}

#[tokio::test]
async fn a_held_lock_is_not_given_twice() {
    let lock = locks(&memory(), LONG);
    let guard = lock.try_acquire(key("a")).await.unwrap().unwrap();
    assert!(guard.is_held());
    assert!(lock.try_acquire(key("a")).await.unwrap().is_none());
    assert!(lock.try_acquire(key("b")).await.unwrap().is_some(), "another lock");
    let timeout = lock.acquire(key("a"), Duration::from_millis(50)).await;
    assert!(matches!(timeout, Err(StateError::Timeout { .. })), "{timeout:?}");
}

#[tokio::test]
async fn a_dropped_guard_frees_the_lock() {
    let lock = locks(&memory(), LONG);
    drop(lock.acquire(key("a"), PATIENCE).await.unwrap());
    drop(lock.acquire(key("a"), PATIENCE).await.unwrap());
}

#[tokio::test]
async fn a_guard_that_is_dropped_outside_of_the_runtime_frees_the_lock() {
    let lock = locks(&memory(), LONG);
    let guard = lock.acquire(key("a"), PATIENCE).await.unwrap();
    std::thread::spawn(move || drop(guard)).join().unwrap();
    drop(lock.acquire(key("a"), PATIENCE).await.unwrap());
}

#[tokio::test]
async fn a_release_frees_the_lock_even_if_nobody_waits_for_it() {
    let lock = locks(&memory(), LONG);
    let guard = lock.acquire(key("a"), PATIENCE).await.unwrap();
    let mut release = Box::pin(guard.release());
    assert!(futures_util::poll!(&mut release).is_pending());
    drop(release);
    drop(lock.acquire(key("a"), PATIENCE).await.unwrap());
}

#[tokio::test]
async fn a_lock_that_was_taken_away_is_lost() {
    for other in [Some(dead(9, LONG)), Some(r#"{"token":9}"#.to_owned()), None] {
        let store = memory();
        let guard = locks(&store, SHORT).acquire(key("a"), PATIENCE).await.unwrap();
        match other {
            Some(json) => put(&store, "a", json).await,
            None => store.remove(key("a")).await.unwrap(),
        }
        tokio::time::timeout(PATIENCE, guard.lost()).await.unwrap();
        assert!(!guard.is_held());
        let before = stored(&store, "a").await;
        let released = guard.release().await;
        let Err(StateError::LeaseLost { key, .. }) = released else { panic!("{released:?}") };
        assert_eq!(key.as_str(), "lock:a");
        assert_eq!(stored(&store, "a").await, before, "what is not ours stays");
    }
}

#[tokio::test]
async fn a_release_tells_of_a_loss_that_no_renewal_has_found() {
    let store = memory();
    let guard = locks(&store, LONG).acquire(key("a"), PATIENCE).await.unwrap();
    put(&store, "a", dead(9, LONG)).await;
    assert!(guard.is_held(), "it cannot know yet");
    assert!(matches!(guard.release().await, Err(StateError::LeaseLost { .. })));
}

#[tokio::test]
async fn a_holder_that_cannot_renew_gives_up_before_its_lease_ends() {
    let store = memory();
    let start = Instant::now();
    let guard = locks(&store, SHORT).acquire(key("a"), PATIENCE).await.unwrap();
    store.close(PATIENCE).await.unwrap();
    tokio::time::timeout(PATIENCE, guard.lost()).await.unwrap();
    assert!(start.elapsed() >= SHORT / 2, "{:?}", start.elapsed());
    assert!(!guard.is_held());
    assert!(matches!(guard.release().await, Err(StateError::Closed)));
}

#[tokio::test]
async fn try_acquire_takes_over_when_it_has_watched_a_dead_holder_for_its_lease() {
    let (store, start) = (memory(), Instant::now());
    put(&store, "a", dead(7, SHORT)).await;
    let lock = locks(&store, LONG);
    let guard = loop {
        match lock.try_acquire(key("a")).await.unwrap() {
            Some(guard) => break guard,
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
        assert!(start.elapsed() < PATIENCE);
    };
    assert!(start.elapsed() >= SHORT, "{:?}", start.elapsed());
    assert!(guard.token().get() > 7);
}

#[tokio::test]
async fn an_acquire_that_is_dropped_anywhere_leaves_a_lock_that_can_be_had() {
    let mut drops = 0;
    loop {
        let backend = Yielding(MemoryBackend::builder().with_clock(ManualClock::default()).build());
        let store = StateStore::new(backend).unwrap();
        put(&store, "a", r#"{"token":3}"#.to_owned()).await;
        let done = {
            let lock = locks(&store, SHORT);
            let mut acquire = Box::pin(lock.acquire(key("a"), PATIENCE));
            let mut done = false;
            for _ in 0..drops {
                done |= futures_util::poll!(&mut acquire).is_ready();
                if done {
                    break;
                }
            }
            done
        };
        drop(locks(&store, SHORT).acquire(key("a"), PATIENCE).await.unwrap());
        if done {
            break;
        }
        drops += 1;
    }
    assert!(drops > 2, "it was dropped at {drops} points");
}

#[tokio::test]
async fn a_lock_costs_two_calls_first_and_one_when_it_was_seen_free() {
    let backend = Arc::new(Counting::default());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    put(&store, "a", r#"{"token":3}"#.to_owned()).await;
    let lock = locks(&store, LONG);
    backend.calls();
    let guard = lock.acquire(key("a"), PATIENCE).await.unwrap();
    assert_eq!(backend.calls(), 2, "a read and a write");
    guard.release().await.unwrap();
    assert_eq!(backend.calls(), 1, "a write");
    let guard = lock.acquire(key("a"), PATIENCE).await.unwrap();
    assert_eq!(backend.calls(), 1, "a write, because it was seen free");
    guard.release().await.unwrap();
}

#[tokio::test]
async fn what_a_lock_cannot_work_with_is_refused() {
    let store = memory();
    for lease in [Duration::ZERO, Duration::from_millis(99), Duration::from_secs(90_000)] {
        let refused = Lock::<TestLock, _>::new(&store, lease);
        assert!(matches!(refused, Err(StateError::InvalidSettings { .. })), "{lease:?}");
    }
    let any = state_runtime::backend::AnyBackend::new(Waiting::new());
    let refused = Lock::<TestLock>::new(&StateStore::new(any).unwrap(), LONG);
    let Err(StateError::Unsupported { capability, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(capability, Capability::Cas);
}
