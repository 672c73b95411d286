//! `update`, `add`, `transaction` and `watch`: the same cases on every backend.
//!
//! What goes together in a transaction, or moves from a former key, shares a hash tag, so that it fits one
//! slot of a cluster. `scan` and its kin have their cases in `store_listing`.

mod add;
mod transaction;
mod update;
mod watch;

use state_runtime::{
    StateError,
    backend::{Backend, Capability, GetOptions, SetOptions},
    key::Key,
    prelude::*,
};
use tests::servers::{
    dapr,
    nats::{self, Version},
    redis::{Cluster, Flavour, Server},
};

/// Two connections to one backend.
type Stores = [StateStore; 2];

/// Writes a value in the way of another program.
async fn plant(store: &StateStore, key: &str, value: &'static str) {
    let options = SetOptions::default();
    store.backend().set(&Key::from_stored(key), value.into(), options).await.unwrap();
}

/// What lies under a key.
async fn stored(store: &StateStore, key: &str) -> Option<String> {
    let options = GetOptions::default();
    let entry = store.backend().get(&Key::from_stored(key), options).await.unwrap();
    entry.map(|entry| String::from_utf8_lossy(&entry.value).into_owned())
}

/// Whether the backend can do that; if not, says what is left out.
fn can(name: &str, store: &StateStore, capability: Capability) -> bool {
    let can = store.capabilities().contains(capability);
    if !can {
        println!("{name} is left out: the backend has no {capability}");
    }
    can
}

/// All cases, and how many parts of them were left out.
async fn check(stores: &Stores) -> usize {
    let [store, _] = stores;
    update::all(stores).await;
    add::all(stores).await;
    let mut left_out = 0;
    let has_batches = can("what takes several writes at once", store, Capability::Batch);
    if has_batches {
        transaction::all(store).await;
        update::an_update_moves_a_value_from_its_former_key(store).await;
        add::a_counter_moves_from_its_former_key(store).await;
    } else {
        left_out += 1;
    }
    if can("watching", store, Capability::Watch) {
        if has_batches {
            watch::it_sees_the_former_key_too(stores).await;
        }
        watch::all(stores).await;
    } else {
        left_out += 1;
    }
    left_out
}

async fn connected(url: &str) -> Result<Stores, StateError> {
    Ok([StateStore::connect(url).await?, StateStore::connect(url).await?])
}

/// All cases on a backend that can do all of it.
async fn check_all(url: &str) {
    assert_eq!(check(&connected(url).await.unwrap()).await, 0, "something is left out");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_memory() {
    let store = StateStore::connect("memory:").await.unwrap();
    assert_eq!(check(&[store.clone(), store]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file:{}", folder.path().join("state").display());
    let store = StateStore::connect(&url).await.unwrap();
    assert_eq!(check(&[store.clone(), store]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_redis() {
    check_all(&Server::start(Flavour::Redis8).await.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_valkey() {
    check_all(&Server::start(Flavour::Valkey9).await.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_redis_cluster() {
    let cluster = Cluster::start(Flavour::Redis8, 3).await;
    let store = StateStore::connect(&cluster.url()).await.unwrap();
    transaction::what_does_not_fit_one_slot_is_refused(&store).await;
    check_all(&cluster.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_nats() {
    let server = nats::Server::start(Version::V2_15).await;
    check_all(&format!("{}/typed", server.url())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_nats_without_batches() {
    let server = nats::Server::start(Version::V2_11).await;
    let stores = connected(&format!("{}/typed", server.url())).await.unwrap();
    assert_eq!(check(&stores).await, 1, "it has no batches");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_dapr() {
    if dapr::is_left_out() {
        return;
    }
    let sidecar = dapr::Sidecar::start(dapr::Component::in_memory()).await;
    let left_out = check(&connected(&sidecar.url()).await.unwrap()).await;
    assert_eq!(left_out, 1, "it has no watches");
}
