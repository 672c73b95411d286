//! Locks on the servers that people run, restarted ones among them.

use std::time::Duration;

use state_runtime::{StateError, backend::Capability, patterns::Lock, prelude::*};
use tests::servers::{dapr, nats, redis};

use super::{
    LONG, PATIENCE, TestLock, a_dead_holder_is_replaced, a_living_holder_is_not_replaced, key,
    locks, one_at_a_time,
};

async fn check(url: &str) {
    let one = StateStore::connect(url).await.unwrap();
    let other = StateStore::connect(url).await.unwrap();
    one_at_a_time(&one, &other).await;
    a_dead_holder_is_replaced(&one).await;
    a_living_holder_is_not_replaced(&one).await;
}

/// The lease outlives the outage, so the holder stays the holder.
async fn survives_a_restart(url: &str, restart: impl AsyncFn()) {
    let store = StateStore::connect(url).await.unwrap();
    let lock = locks(&store, Duration::from_secs(90));
    let guard = lock.acquire(key("kept"), PATIENCE).await.unwrap();
    restart().await;
    let other = StateStore::connect(url).await.unwrap();
    assert!(locks(&other, LONG).try_acquire(key("kept")).await.unwrap().is_none());
    assert!(guard.is_held());
    let token = guard.token();
    guard.release().await.unwrap();
    let next = locks(&other, LONG).acquire(key("kept"), PATIENCE).await.unwrap();
    assert!(next.token() > token);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_redis() {
    for flavour in [redis::Flavour::Redis6, redis::Flavour::Valkey9] {
        check(&redis::Server::start(flavour).await.url()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_redis_cluster() {
    check(&redis::Cluster::start(redis::Flavour::Redis8, 3).await.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_nats() {
    for version in [nats::Version::V2_9, nats::Version::V2_15] {
        let server = nats::Server::start(version).await;
        check(&format!("{}/locks", server.url())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_restart_of_redis() {
    let server = redis::Server::builder(redis::Flavour::Redis8).synced().start().await;
    survives_a_restart(&server.url(), async || server.restart().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_restart_of_nats() {
    let server = nats::Server::start(nats::Version::V2_15).await;
    let url = format!("{}/locks", server.url());
    survives_a_restart(&url, async || server.restart().await).await;
}

#[tokio::test]
async fn on_dapr_they_are_refused() {
    if dapr::is_left_out() {
        return;
    }
    let sidecar = dapr::Sidecar::start(dapr::Component::in_memory()).await;
    let store = StateStore::connect(&sidecar.url()).await.unwrap();
    let refused = Lock::<TestLock>::new(&store, LONG);
    let Err(StateError::Unsupported { capability, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(capability, Capability::ExactRevision);
}
