//! Dapr: what breaks is the way to the sidecar, and the sidecar itself stands still.

use tests::{
    linear::{Callers, Surroundings, finds_bugs, is_linearizable},
    proxy::Proxy,
    servers::{
        dapr::{Component, Sidecar, is_left_out},
        redis::{Flavour, Server},
    },
};

use crate::{LIMIT_TEXT, check, open};

async fn on(component: Component) {
    let kind = component.kind();
    let sidecar = Sidecar::start(component).await;
    let proxy = Proxy::start(sidecar.address()).await;
    let limits = format!("connect_timeout={LIMIT_TEXT}&timeout={LIMIT_TEXT}");
    let url = format!("dapr://{}/{}?{limits}", proxy.address(), sidecar.store());
    check(kind, &url, vec![proxy], vec![&sidecar]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dapr_in_memory_is_linearizable() {
    if !is_left_out() {
        on(Component::in_memory()).await;
    }
}

/// Nothing breaks here, because this component does not get over it: once a request is given up
/// while the database answers, one of the connections that the sidecar has to the database shows
/// what was there at that moment, until the sidecar ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dapr_on_sqlite_is_linearizable_while_nobody_gives_up() {
    if is_left_out() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sidecar = Sidecar::start(Component::sqlite(folder.path())).await;
    let backends = open(&format!("{}?timeout=30s", sidecar.url())).await;
    let calm = Surroundings { callers: Callers::Patient, ..Surroundings::none() };
    is_linearizable("state.sqlite", &backends, &calm, 2).await;
    finds_bugs("state.sqlite", &backends).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dapr_on_redis_is_linearizable() {
    if !is_left_out() {
        let server = Server::start(Flavour::Redis7).await;
        on(Component::redis(&server)).await;
    }
}
