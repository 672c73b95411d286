//! What each operation does to the lifetime of an entry, on every server: the table of the
//! documentation, row by row.
//!
//! Nothing waits for time to pass. An entry is given a third of the lifetime of its type; afterwards
//! either that is left, or all of it, give or take the minutes that a test may last.

use std::time::Duration;

use state_runtime::{
    backend::Capability,
    prelude::*,
    store::{Lifetime, TimeToLive},
};
use tests::servers::{dapr, nats, redis};

const WHOLE: Duration = Duration::from_secs(60 * 60);
const THIRD: Duration = Duration::from_secs(20 * 60);
/// Longer than a test lasts.
const SLACK: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "lease:{id}", ttl = "1h")]
#[garde(allow_unvalidated)]
struct Lease {
    id: u32,
    #[state(value)]
    holder: u32,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "visit:{id}", ttl = "1h", sliding)]
#[garde(allow_unvalidated)]
struct Visit {
    id: u32,
    page: String,
}

const LEASE: Lease = Lease { id: 1, holder: 7 };

fn key() -> LeaseKey {
    Lease::key(1_u32)
}

fn about(left: Option<TimeToLive>, expected: Duration) -> bool {
    matches!(left, Some(TimeToLive::Left(left)) if left <= expected && left + SLACK > expected)
}

async fn lease_has(store: &StateStore, expected: Duration, why: &str) {
    let left = store.ttl(key()).await.unwrap();
    assert!(about(left, expected), "{why}: {left:?}");
}

/// Gives the entry a third of its lifetime.
async fn shorten(store: &StateStore) {
    store.with_lifetime(Lifetime::For(THIRD)).set(&LEASE).await.unwrap();
    lease_has(store, THIRD, "a lifetime of its own").await;
}

async fn check(url: &str) {
    let store = StateStore::connect(url).await.unwrap();
    reads_leave_it(&store).await;
    writes_start_it_anew(&store).await;
    some_keep_it(&store).await;
    touch_and_persist_leave_the_value(&store).await;
    a_sliding_read_starts_it_anew(&store).await;
}

async fn reads_leave_it(store: &StateStore) {
    shorten(store).await;
    store.get(key()).await.unwrap().unwrap();
    store.get_many((key(), Visit::key(9_u32))).await.unwrap();
    store.get_versioned(key()).await.unwrap().unwrap();
    assert!(store.exists(key()).await.unwrap());
    lease_has(store, THIRD, "reads").await;
}

async fn writes_start_it_anew(store: &StateStore) {
    shorten(store).await;
    store.set(&LEASE).await.unwrap();
    lease_has(store, WHOLE, "set").await;
    shorten(store).await;
    store.update(key(), |lease| lease.holder += 1).await.unwrap();
    lease_has(store, WHOLE, "update").await;
    shorten(store).await;
    let read = store.get_versioned(key()).await.unwrap().unwrap();
    store.replace(&Lease { holder: 8, ..LEASE }, &read.revision).await.unwrap();
    lease_has(store, WHOLE, "replace").await;
    if store.capabilities().contains(Capability::Batch) {
        shorten(store).await;
        store.transaction().set(&LEASE).commit().await.unwrap();
        lease_has(store, WHOLE, "transaction").await;
    }
    assert!(store.take(key()).await.unwrap().is_some());
    assert_eq!(store.ttl(key()).await.unwrap(), None, "take");
    store.create(&LEASE).await.unwrap();
    lease_has(store, WHOLE, "create").await;
    store.remove(key()).await.unwrap();
    assert_eq!(store.ttl(key()).await.unwrap(), None, "remove");
    store.add(key(), 1).await.unwrap();
    lease_has(store, WHOLE, "add to nothing").await;
}

async fn some_keep_it(store: &StateStore) {
    shorten(store).await;
    store.add(key(), 1).await.unwrap();
    lease_has(store, THIRD, "add").await;
    let keeping = store.with_lifetime(Lifetime::Keep);
    keeping.set(&LEASE).await.unwrap();
    lease_has(store, THIRD, "a set that keeps").await;
    keeping.update(key(), |lease| lease.holder += 1).await.unwrap();
    lease_has(store, THIRD, "an update that keeps").await;
}

async fn touch_and_persist_leave_the_value(store: &StateStore) {
    shorten(store).await;
    assert!(store.touch(key()).await.unwrap());
    lease_has(store, WHOLE, "touch").await;
    assert!(store.persist(key()).await.unwrap());
    assert_eq!(store.ttl(key()).await.unwrap(), Some(TimeToLive::Forever), "persist");
    assert_eq!(store.get(key()).await.unwrap(), Some(LEASE));
    store.remove(key()).await.unwrap();
    assert!(!store.touch(key()).await.unwrap());
    assert!(!store.persist(key()).await.unwrap());
    store.with_lifetime(Lifetime::Forever).set(&LEASE).await.unwrap();
    assert_eq!(store.ttl(key()).await.unwrap(), Some(TimeToLive::Forever), "a set for ever");
}

async fn a_sliding_read_starts_it_anew(store: &StateStore) {
    let (visit, key) = (Visit { id: 1, page: "home".to_owned() }, || Visit::key(1_u32));
    let given = |time| store.with_lifetime(Lifetime::For(time));
    for read in ["get", "get_many", "get_versioned"] {
        given(THIRD).set(&visit).await.unwrap();
        assert!(store.exists(key()).await.unwrap());
        let left = store.ttl(key()).await.unwrap();
        assert!(about(left, THIRD), "exists and ttl leave it: {left:?}");
        match read {
            "get" => drop(store.get(key()).await.unwrap()),
            "get_many" => drop(store.get_many((key(), Visit::key(9_u32))).await.unwrap()),
            _ => drop(store.get_versioned(key()).await.unwrap()),
        }
        let left = store.ttl(key()).await.unwrap();
        assert!(about(left, WHOLE), "{read}: {left:?}");
    }
    store.persist(key()).await.unwrap();
    store.get(key()).await.unwrap();
    let left = store.ttl(key()).await.unwrap();
    assert_eq!(left, Some(TimeToLive::Forever), "a read prolongs nothing that was persisted");
}

#[tokio::test]
async fn on_redis() {
    for flavour in [redis::Flavour::Redis6, redis::Flavour::Valkey9] {
        check(&redis::Server::start(flavour).await.url()).await;
    }
}

#[tokio::test]
async fn on_a_redis_cluster() {
    check(&redis::Cluster::start(redis::Flavour::Redis8, 3).await.url()).await;
}

#[tokio::test]
async fn on_nats() {
    for version in nats::Version::ALL {
        let server = nats::Server::start(version).await;
        check(&format!("{}/lifetimes", server.url())).await;
    }
}

#[tokio::test]
async fn on_dapr() {
    if dapr::is_left_out() {
        return;
    }
    let (server, folder) =
        (redis::Server::start(redis::Flavour::Redis7).await, tempfile::tempdir().unwrap());
    let components = [
        dapr::Component::in_memory(),
        dapr::Component::redis(&server),
        dapr::Component::sqlite(folder.path()),
    ];
    for component in components {
        check(&dapr::Sidecar::start(component).await.url()).await;
    }
}
