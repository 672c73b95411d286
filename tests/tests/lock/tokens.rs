//! Tokens only grow, while acknowledged writes survive.

use std::{sync::Arc, time::Duration};

use state_runtime::{
    StateError,
    backend::{Clock as _, ManualClock, Timestamp},
    backends::{FileBackend, MemoryBackend},
    prelude::*,
};

use super::{LONG, PATIENCE, SHORT, dead, key, locks, put};

async fn next<B: state_runtime::backend::Cas>(store: &StateStore<B>) -> u64 {
    let guard = locks(store, LONG).acquire(key("a"), PATIENCE).await.unwrap();
    let token = guard.token().get();
    guard.release().await.unwrap();
    token
}

#[tokio::test]
async fn tokens_grow_through_release_expiry_a_lost_entry_and_a_clock_that_steps_back() {
    let clock = Arc::new(ManualClock::default());
    let backend = MemoryBackend::builder().with_clock(Arc::clone(&clock)).build();
    let store = StateStore::new(backend).unwrap();
    let first = next(&store).await;
    let second = next(&store).await;
    assert!(second > first, "released");

    put(&store, "a", dead(second, SHORT)).await;
    let third = next(&store).await;
    assert!(third > second, "expired");

    let now = clock.now();
    clock.set(Timestamp::from_millis(1));
    let fourth = next(&store).await;
    assert!(fourth > third, "the clock stepped back");

    clock.set(now);
    clock.advance(Duration::from_millis(2));
    store.remove(key("a")).await.unwrap();
    assert!(next(&store).await > fourth, "the entry was lost");
}

#[tokio::test]
async fn a_token_goes_on_after_many_holders_and_a_lost_entry() {
    let store = StateStore::new(MemoryBackend::new()).unwrap();
    let mut last = 0;
    for holder in 0..50 {
        if holder % 5 == 4 {
            store.remove(key("a")).await.unwrap();
        }
        let token = next(&store).await;
        assert!(token > last, "holder {holder}");
        last = token;
    }
}

#[tokio::test]
async fn tokens_grow_through_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut last = 0;
    for _ in 0..3 {
        let backend = FileBackend::open(folder.path().join("state")).await.unwrap();
        let store = StateStore::new(backend).unwrap();
        let token = next(&store).await;
        assert!(token > last);
        last = token;
        store.close(PATIENCE).await.unwrap();
    }
}

#[tokio::test]
async fn the_last_token_of_all_is_not_followed_by_the_first() {
    let store = StateStore::new(MemoryBackend::new()).unwrap();
    put(&store, "a", format!(r#"{{"token":{}}}"#, u64::MAX)).await;
    let refused = locks(&store, LONG).acquire(key("a"), PATIENCE).await;
    assert!(matches!(refused, Err(StateError::OutOfRange { .. })), "{refused:?}");
}
