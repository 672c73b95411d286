//! What surrounds every operation: the deadline, the bound in flight, capabilities, closing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use state_runtime::{
    StateError,
    backend::{
        AnyBackend, Backend, BackendError, Capabilities, Capability, Cas, Entry, GetOptions,
        RemoveOptions, Revision, RiskKind, SetOptions,
    },
    backends::{FileBackend, MemoryBackend},
    bytes::Bytes,
    error::Operation,
    key::Key,
    prelude::*,
};
use tests::fakes::{Counting, Waiting};

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "note:{id}", persistent)]
#[garde(allow_unvalidated)]
struct Note {
    id: u32,
    text: String,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "lease:{id}", ttl = "1m")]
#[garde(allow_unvalidated)]
struct Lease {
    id: u32,
    holder: String,
}

/// A backend that sends as soon as it is called, and keeps its revisions to itself.
#[derive(Debug, Default)]
struct Hasty {
    inner: MemoryBackend,
    sent: AtomicUsize,
}

impl Backend for Hasty {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>, BackendError> {
        let entry = self.inner.get(key, options).await?;
        Ok(entry.map(|entry| Entry { revision: None, ..entry }))
    }
    fn set(
        &self,
        key: &Key,
        value: Bytes,
        options: SetOptions,
    ) -> impl Future<Output = Result<Option<Revision>, BackendError>> + Send {
        self.sent.fetch_add(1, SeqCst);
        self.inner.set(key, value, options)
    }
    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<(), BackendError> {
        self.inner.remove(key, options).await
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.with(Capability::Cas)
    }
}

impl Cas for Hasty {}

fn note(id: u32) -> Note {
    Note { id, text: "x".into() }
}

#[tokio::test(start_paused = true)]
async fn a_read_past_its_deadline_is_a_timeout_and_a_write_is_indeterminate() {
    let store =
        StateStore::builder(Waiting::new()).deadline(Duration::from_millis(100)).build().unwrap();
    let error = store.get(Note::key(1)).await.unwrap_err();
    assert!(matches!(error, StateError::Timeout { operation: Operation::Get, .. }), "{error:?}");
    assert!(error.is_retryable());
    for error in
        [store.set(&note(1)).await.unwrap_err(), store.remove(Note::key(1)).await.unwrap_err()]
    {
        assert!(matches!(error, StateError::Indeterminate { .. }), "{error:?}");
        assert_eq!(error.key().unwrap().as_str(), "note:1");
        assert!(!error.is_retryable());
    }
}

#[tokio::test(start_paused = true)]
async fn one_operation_too_many_waits_and_is_overloaded_at_its_deadline() {
    let backend = Arc::new(Waiting::new());
    let store = StateStore::builder(Arc::clone(&backend))
        .deadline(Duration::from_millis(100))
        .max_in_flight(1)
        .build()
        .unwrap();
    let long = store.clone();
    let first = tokio::spawn(async move { long.get(Note::key(1)).await });
    tokio::task::yield_now().await;
    let note = note(1);
    let second = store.set(&note);
    let (first, second) = tokio::join!(first, second);
    assert!(matches!(first.unwrap(), Err(StateError::Timeout { .. })));
    // Both deadlines pass at once: with no time left, the second is not sent.
    let error = second.unwrap_err();
    assert!(matches!(error, StateError::Overloaded { .. }), "{error:?}");
    backend.let_go();
    store.set(&note).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_turn_counts_towards_the_deadline() {
    let store = StateStore::builder(Waiting::new())
        .deadline(Duration::from_millis(100))
        .max_in_flight(1)
        .build()
        .unwrap();
    let long = store.clone();
    let first = tokio::spawn(async move { long.get(Note::key(1)).await });
    tokio::task::yield_now().await;
    tokio::time::advance(Duration::from_millis(60)).await;
    let start = tokio::time::Instant::now();
    let second = store.get(Note::key(1)).await;
    assert!(matches!(second, Err(StateError::Timeout { .. })), "{second:?}");
    assert!(start.elapsed() < Duration::from_millis(110), "{:?}", start.elapsed());
    first.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn an_operation_that_waits_for_its_turn_gets_it() {
    let backend = Arc::new(Waiting::new());
    let store = StateStore::builder(Arc::clone(&backend)).max_in_flight(1).build().unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|id| {
            tokio::spawn({
                let store = store.clone();
                async move { store.set(&note(id)).await }
            })
        })
        .collect();
    for _ in 0..20 {
        backend.let_go();
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn every_read_and_write_is_one_call_to_the_backend() {
    let backend = Arc::new(Counting::default());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    store.set(&note(1)).await.unwrap();
    assert_eq!(backend.calls(), 1);
    store.create(&note(2)).await.unwrap();
    assert_eq!(backend.calls(), 1);
    store.get(Note::key(1)).await.unwrap();
    assert_eq!(backend.calls(), 1);
    store.get_many((Note::key(1), Lease::key(2), Note::key(3))).await.unwrap();
    assert_eq!(backend.calls(), 1);
    store.get_all((0..50).map(Note::key)).await.unwrap();
    assert_eq!(backend.calls(), 1);
    store.set_all(&[note(1), note(2), note(3)]).await.unwrap();
    assert_eq!(backend.calls(), 1);
    store.remove(Note::key(1)).await.unwrap();
    assert_eq!(backend.calls(), 1);
    assert!(store.scan::<Note>().next().await.is_some());
    assert_eq!(backend.calls(), 1);
}

#[tokio::test]
async fn what_an_erased_backend_lacks_is_unsupported() {
    let backend = Waiting::new();
    backend.let_go();
    let store = StateStore::new(AnyBackend::new(backend)).unwrap();
    let lacks = |result: Result<(), StateError>| match result {
        Err(StateError::Unsupported { capability, .. }) => capability,
        other => panic!("{other:?}"),
    };
    let lease = Lease { id: 1, holder: "me".into() };
    assert_eq!(lacks(store.set(&lease).await), Capability::Ttl);
    assert_eq!(lacks(store.touch(Lease::key(1)).await.map(drop)), Capability::Ttl);
    assert_eq!(lacks(store.create(&note(1)).await), Capability::Cas);
    assert_eq!(lacks(store.take(Note::key(1)).await.map(drop)), Capability::Cas);
    assert_eq!(lacks(store.set_all(&[note(1)]).await), Capability::Batch);
    let scanned = store.scan::<Note>().next().await.unwrap();
    assert_eq!(lacks(scanned.map(drop)), Capability::Scan);
    store.set(&note(1)).await.unwrap();
}

#[tokio::test]
async fn a_backend_is_not_called_before_its_turn() {
    let backend = Arc::new(Hasty::default());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    store.set(&note(1)).await.unwrap();
    assert_eq!(backend.sent.load(SeqCst), 1);
    store.close(Duration::from_secs(1)).await.unwrap();
    assert!(matches!(store.set(&note(1)).await, Err(StateError::Closed)));
    assert_eq!(backend.sent.load(SeqCst), 1);
}

#[tokio::test]
async fn a_revision_that_is_kept_back_makes_no_unconditional_write() {
    let store = StateStore::new(Hasty::default()).unwrap();
    store.set(&note(1)).await.unwrap();
    let error = store.take(Note::key(1)).await.unwrap_err();
    assert!(matches!(error, StateError::Backend { .. }), "{error:?}");
    assert_eq!(store.get(Note::key(1)).await.unwrap(), Some(note(1)));
}

#[tokio::test]
async fn close_waits_for_what_is_in_flight_and_refuses_what_comes_after() {
    let backend = Arc::new(Waiting::new());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    let writing = tokio::spawn({
        let store = store.clone();
        async move { store.set(&note(1)).await }
    });
    tokio::task::yield_now().await;
    let closing = tokio::spawn({
        let store = store.clone();
        async move { store.close(Duration::from_secs(60)).await }
    });
    tokio::task::yield_now().await;
    assert!(matches!(store.get(Note::key(1)).await, Err(StateError::Closed)));
    assert!(!closing.is_finished());
    backend.let_go();
    writing.await.unwrap().unwrap();
    closing.await.unwrap().unwrap();
    assert!(matches!(store.health().await, Err(StateError::Closed)));
}

#[tokio::test(start_paused = true)]
async fn close_gives_up_at_its_deadline() {
    let store = StateStore::new(Waiting::new()).unwrap();
    let stuck = tokio::spawn({
        let store = store.clone();
        async move { store.get(Note::key(1)).await }
    });
    tokio::task::yield_now().await;
    let error = store.close(Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, StateError::Timeout { operation: Operation::Close, .. }), "{error:?}");
    assert!(matches!(stuck.await.unwrap(), Err(StateError::Timeout { .. })));
}

#[tokio::test]
async fn an_operation_that_is_dropped_gives_its_place_back() {
    let backend = Arc::new(Waiting::new());
    let store = StateStore::builder(Arc::clone(&backend)).max_in_flight(1).build().unwrap();
    for _ in 0..3 {
        let mut dropped = Box::pin(store.get(Note::key(1)));
        let once = std::future::poll_fn(|cx| {
            std::task::Poll::Ready(std::future::Future::poll(dropped.as_mut(), cx))
        });
        assert!(once.await.is_pending());
    }
    backend.let_go();
    assert_eq!(store.get(Note::key(1)).await.unwrap(), None);
}

#[tokio::test]
async fn production_refuses_a_backend_that_would_lose_state() {
    let error = StateStore::production(MemoryBackend::new()).await.unwrap_err();
    assert!(matches!(error, StateError::NotDurable { .. }), "{error:?}");
    assert!(error.to_string().contains("memory"), "{error}");
    assert!(error.to_string().contains("accept_risk"), "{error}");
    let accepting = StateStore::builder(MemoryBackend::new());
    let store = accepting.accept_risk(RiskKind::Memory).build_production().await.unwrap();
    store.health().await.unwrap();
    let accepting = StateStore::builder(Waiting::new());
    let error = accepting.accept_risk(RiskKind::Memory).build_production().await.unwrap_err();
    assert!(matches!(error, StateError::NotDurable { .. }), "another risk: {error:?}");
    let error = StateStore::production(Waiting::new()).await.unwrap_err();
    assert!(matches!(error, StateError::NotDurable { .. }), "{error:?}");
    let folder = tempfile::tempdir().unwrap();
    let file = FileBackend::open(folder.path().join("state")).await.unwrap();
    let store = StateStore::production(file).await.unwrap();
    store.health().await.unwrap();
}

#[tokio::test]
async fn health_writes_and_leaves_nothing_behind() {
    let backend = Arc::new(Counting::default());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    store.health().await.unwrap();
    assert_eq!(backend.calls(), 3, "a write, a read and a removal");
    backend.remove(&Key::from_stored("=health"), RemoveOptions::default()).await.unwrap();
    assert_eq!(store.health().await.map_err(|error| error.to_string()), Ok(()));
}
