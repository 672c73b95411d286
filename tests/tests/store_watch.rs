//! `watch` on a clock that is set, and when nothing is told; `typed` has the rest.

use std::{sync::Arc, time::Duration};

use state_runtime::{
    StateError,
    backend::{Backend, Cas, ManualClock, Ttl, Watch},
    backends::{FileBackend, MemoryBackend},
    prelude::*,
    store::Access,
};
use tokio::time::timeout;

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "job:{id}", ttl = "1h")]
struct Job {
    #[garde(skip)]
    id: u32,
    #[garde(range(max = 100))]
    percent: u8,
}

/// Longer than anything takes on any machine.
const PATIENCE: Duration = Duration::from_secs(20);

type Told<T> = Option<Result<Option<T>, StateError>>;

fn job(percent: u8) -> Job {
    Job { id: 7, percent }
}

async fn next<B: Backend>(watch: &mut state_runtime::store::Watch<JobKey, B>) -> Told<Job> {
    timeout(PATIENCE, watch.next()).await.expect("nothing was told")
}

async fn tells_what_becomes_of_a_value<B: Watch + Ttl + Cas>(backend: B, clock: &ManualClock) {
    let store = StateStore::new(backend).unwrap();
    let mut watch = store.watch(Job::key(7_u32));
    assert_eq!(next(&mut watch).await.unwrap().unwrap(), None);
    store.set(&job(10)).await.unwrap();
    assert_eq!(next(&mut watch).await.unwrap().unwrap(), Some(job(10)));
    for percent in 11..=50 {
        store.set(&job(percent)).await.unwrap();
    }
    while next(&mut watch).await.unwrap().unwrap() != Some(job(50)) {}
    store.remove(Job::key(7_u32)).await.unwrap();
    assert_eq!(next(&mut watch).await.unwrap().unwrap(), None);
    store.set(&job(60)).await.unwrap();
    assert_eq!(next(&mut watch).await.unwrap().unwrap(), Some(job(60)));
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(next(&mut watch).await.unwrap().unwrap(), None, "the expiry is told");
    let other = store.clone();
    let closing = tokio::spawn(async move { other.close(PATIENCE).await });
    assert!(next(&mut watch).await.is_none(), "the watch ends with the store");
    closing.await.unwrap().unwrap();
    assert!(next(&mut watch).await.is_none());
}

#[tokio::test]
async fn a_watch_in_memory_tells_what_becomes_of_a_value() {
    let clock = Arc::new(ManualClock::default());
    let backend = MemoryBackend::builder().with_clock(Arc::clone(&clock)).build();
    tells_what_becomes_of_a_value(backend, &clock).await;
}

#[tokio::test]
async fn a_watch_on_disk_tells_what_becomes_of_a_value() {
    let clock = Arc::new(ManualClock::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let backend = FileBackend::builder(path).with_clock(Arc::clone(&clock)).open().await.unwrap();
    tells_what_becomes_of_a_value(backend, &clock).await;
}

#[tokio::test]
async fn a_write_that_changes_nothing_is_not_told() {
    let store = StateStore::new(MemoryBackend::new()).unwrap();
    store.set(&job(10)).await.unwrap();
    let mut watch = store.watch(Job::key(7_u32));
    assert_eq!(next(&mut watch).await.unwrap().unwrap(), Some(job(10)));
    store.set(&job(10)).await.unwrap();
    store.set(&job(20)).await.unwrap();
    assert_eq!(next(&mut watch).await.unwrap().unwrap(), Some(job(20)));
    store.set(&job(20)).await.unwrap();
    assert!(futures_util::poll!(Box::pin(watch.next())).is_pending());
}

#[tokio::test]
async fn a_watch_needs_a_valid_key_and_the_right_to_read() {
    let store = StateStore::new(MemoryBackend::new()).unwrap();
    let mut watch = store.restricted(Access::WRITE).watch(Job::key(7_u32));
    assert!(matches!(next(&mut watch).await, Some(Err(StateError::Denied { .. }))));
    assert!(next(&mut watch).await.is_none());
}
