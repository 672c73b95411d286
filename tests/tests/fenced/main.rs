//! `fenced_by`: of the holders of a lock, the late ones are refused.

mod pauses;

use std::{sync::Arc, time::Duration};

use state_runtime::{
    StateError,
    backend::{Backend as _, Cas, GetOptions, RemoveOptions, Scan, SetOptions, Watch},
    backends::{FileBackend, MemoryBackend},
    key::Key,
    patterns::{Lease, Lock},
    prelude::*,
    schema::FencingToken,
    store::Access,
};
use tests::{
    fakes::Counting,
    servers::{nats, redis},
};

#[derive(Debug, StateKey, Validate)]
#[state(key = "lock:{name}", persistent)]
#[garde(allow_unvalidated)]
struct PageLock {
    name: String,
    #[state(value)]
    lease: Lease,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "page:{id}", persistent, max_size = "60B", fenced_by = PageLock)]
#[garde(allow_unvalidated)]
struct Page {
    id: u32,
    #[garde(length(max = 100))]
    text: String,
}

const TOKENS: [FencingToken<PageLock>; 3] =
    [FencingToken::new(5), FencingToken::new(6), FencingToken::new(7)];

fn page(text: &str) -> Page {
    Page { id: 1, text: text.to_owned() }
}

fn key() -> PageKey {
    Page::key(1_u32)
}

fn is_refused<T: std::fmt::Debug>(outcome: Result<T, StateError>) {
    let Err(StateError::Fenced { key, found, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!((key.as_str(), found), ("page:1", 6));
}

/// A later holder has written or removed, and an earlier one can do nothing any more.
async fn late_holders_are_refused<B: Cas>(store: &StateStore<B>) {
    let [late, present, next] = TOKENS.map(|token| store.fenced(token));
    late.set(&page("first")).await.unwrap();
    let changed = present.update(key(), |page| page.text.push('!')).await.unwrap();
    assert_eq!(changed, page("first!"));
    for removed in [false, true] {
        if removed {
            present.remove(key()).await.unwrap();
        }
        is_refused(late.set(&page("late")).await);
        is_refused(late.update(key(), |page| page.text.clear()).await);
        is_refused(late.update_option(key(), |page| *page = Some(self::page("late"))).await);
        is_refused(late.remove(key()).await);
        let expected = (!removed).then(|| page("first!"));
        assert_eq!(store.get(key()).await.unwrap(), expected);
    }
    let missing = present.update(key(), |_| ()).await;
    assert!(matches!(missing, Err(StateError::NotFound { .. })), "{missing:?}");
    next.set(&page("again")).await.unwrap();
    assert_eq!(next.update_option(key(), |page| *page = None).await.unwrap(), None);
    next.remove(key()).await.unwrap();
}

/// What is left of a removed value is nothing, whichever way one looks.
async fn a_removed_value_is_absent<B: Cas + Scan + Watch>(store: &StateStore<B>) {
    let holder = store.fenced(TOKENS[0]);
    holder.set(&page("here")).await.unwrap();
    let mut watch = store.watch(key());
    let mut all = store.watch_all::<Page>();
    assert_eq!(watch.next().await.unwrap().unwrap(), Some(page("here")));
    assert_eq!(all.next().await.unwrap().unwrap().value, Some(page("here")));
    assert!(store.exists(key()).await.unwrap());
    assert_eq!(store.count::<Page>().await.unwrap(), 1);

    holder.remove(key()).await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap(), None);
    assert_eq!(all.next().await.unwrap().unwrap().value, None);
    assert_eq!(store.get(key()).await.unwrap(), None);
    assert_eq!(store.get_many((key(), Page::key(2_u32))).await.unwrap(), (None, None));
    assert_eq!(store.get_all([key()]).await.unwrap(), [None]);
    assert!(store.get_versioned(key()).await.unwrap().is_none());
    assert!(!store.exists(key()).await.unwrap());
    assert_eq!(store.scan::<Page>().all().await.unwrap(), []);
    assert_eq!(store.keys::<Page>().all().await.unwrap(), []);
    assert_eq!(store.count::<Page>().await.unwrap(), 0);
}

async fn check<B: Cas + Scan + Watch>(store: &StateStore<B>) {
    late_holders_are_refused(store).await;
    // Nobody is refused for what an earlier test has left.
    let raw = Key::from_stored("page:1");
    store.backend().remove(&raw, RemoveOptions::default()).await.unwrap();
    a_removed_value_is_absent(store).await;
}

#[tokio::test]
async fn in_memory() {
    check(&StateStore::new(MemoryBackend::new()).unwrap()).await;
}

#[tokio::test]
async fn on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let backend = FileBackend::open(folder.path().join("state")).await.unwrap();
    check(&StateStore::new(backend).unwrap()).await;
}

#[tokio::test]
async fn on_redis() {
    let server = redis::Server::start(redis::Flavour::Redis6).await;
    check(&StateStore::connect(&server.url()).await.unwrap()).await;
}

#[tokio::test]
async fn on_a_redis_cluster() {
    let cluster = redis::Cluster::start(redis::Flavour::Redis8, 3).await;
    check(&StateStore::connect(&cluster.url()).await.unwrap()).await;
}

#[tokio::test]
async fn on_nats() {
    let server = nats::Server::start(nats::Version::V2_9).await;
    let url = format!("{}/fenced", server.url());
    check(&StateStore::connect(&url).await.unwrap()).await;
}

#[tokio::test]
async fn the_token_is_a_member_of_the_stored_object() {
    let backend = Arc::new(MemoryBackend::new());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    let raw = Key::from_stored("page:1");
    let stored = async || {
        let entry = backend.get(&raw, GetOptions::default()).await.unwrap().unwrap();
        String::from_utf8(entry.value.to_vec()).unwrap()
    };
    let holder = store.fenced(TOKENS[1]);
    holder.set(&page("text")).await.unwrap();
    assert_eq!(stored().await, r#"{"$fence":6,"text":"text"}"#);
    holder.remove(key()).await.unwrap();
    assert_eq!(stored().await, r#"{"$fence":6,"$removed":true}"#);
    // A program that knows nothing of tokens leaves none, and anybody may write: the limit that is named.
    backend.set(&raw, r#"{"text":"foreign"}"#.into(), SetOptions::default()).await.unwrap();
    store.fenced(TOKENS[0]).set(&page("early")).await.unwrap();
}

#[tokio::test]
async fn a_fenced_write_costs_a_read_and_a_write() {
    let backend = Arc::new(Counting::default());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    store.fenced(TOKENS[0]).set(&page("text")).await.unwrap();
    assert_eq!(backend.calls(), 2);
}

#[tokio::test]
async fn rules_sizes_rights_and_keys_hold_for_fenced_writes_too() {
    let store = StateStore::new(MemoryBackend::new()).unwrap();
    let holder = store.fenced(TOKENS[0]);
    let invalid = holder.set(&page(&"x".repeat(101))).await;
    assert!(matches!(invalid, Err(StateError::Invalid { .. })), "{invalid:?}");
    // With the token it is 60 bytes.
    holder.set(&page(&"x".repeat(38))).await.unwrap();
    let large = holder.set(&page(&"x".repeat(39))).await;
    assert!(matches!(large, Err(StateError::TooLarge { size: 61, limit: 60, .. })), "{large:?}");
    let moved = holder.update(key(), |page| page.id = 2).await;
    assert!(matches!(moved, Err(StateError::InvalidKey { .. })), "{moved:?}");
    let reader = store.restricted(Access::READ).fenced(TOKENS[0]);
    assert!(matches!(reader.set(&page("x")).await, Err(StateError::Denied { .. })));
    assert!(matches!(reader.remove(key()).await, Err(StateError::Denied { .. })));
}

#[tokio::test]
async fn the_token_of_a_guard_is_what_state_is_written_with() {
    let store = StateStore::new(MemoryBackend::new()).unwrap();
    let lock = Lock::<PageLock, _>::new(&store, Duration::from_secs(60)).unwrap();
    let wait = Duration::from_secs(60);
    let first = lock.acquire(PageLock::key("a"), wait).await.unwrap();
    let early = store.fenced(first.token());
    early.set(&page("first")).await.unwrap();
    first.release().await.unwrap();
    let second = lock.acquire(PageLock::key("a"), wait).await.unwrap();
    store.fenced(second.token()).set(&page("second")).await.unwrap();
    assert!(matches!(early.set(&page("late")).await, Err(StateError::Fenced { .. })));
}
