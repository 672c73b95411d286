//! NATS: the oldest and the newest line.

use tests::{
    proxy::Proxy,
    servers::nats::{Server, Version},
};

use crate::{LIMIT_TEXT, check};

async fn on(version: Version) {
    let server = Server::start(version).await;
    let proxy = Proxy::start(server.address()).await;
    let limits = format!("connect_timeout={LIMIT_TEXT}&response_timeout={LIMIT_TEXT}");
    let url = format!("nats://{}/linear?{limits}", proxy.address());
    check(&format!("NATS {}", server.version()), &url, vec![proxy], vec![&server]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nats_2_9_is_linearizable() {
    on(Version::V2_9).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nats_2_15_is_linearizable() {
    on(Version::V2_15).await;
}
