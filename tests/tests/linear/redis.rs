//! Redis and Valkey: one server, and a cluster each of whose nodes is behind a proxy.

use tests::{
    outcomes::targets::announce,
    proxy::Proxy,
    servers::redis::{Cluster, Flavour, Server},
};

use crate::{LIMIT_TEXT, check};

async fn single(flavour: Flavour) {
    let server = Server::start(flavour).await;
    let proxy = Proxy::start(server.address()).await;
    let limits = format!("connect_timeout={LIMIT_TEXT}&response_timeout={LIMIT_TEXT}");
    let url = format!("redis://{}?{limits}", proxy.address());
    check(&format!("{flavour} {}", server.version()), &url, vec![proxy], vec![&server]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_is_linearizable() {
    single(Flavour::Redis6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn valkey_is_linearizable() {
    single(Flavour::Valkey9).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_is_linearizable() {
    let cluster = Cluster::start(Flavour::Redis8, 3).await;
    let mut proxies = Vec::new();
    for node in cluster.nodes() {
        let proxy = Proxy::start(node.address()).await;
        announce(&cluster, node, &proxy.address()).await.unwrap();
        proxies.push(proxy);
    }
    let addresses: Vec<_> = proxies.iter().map(Proxy::address).collect();
    let limits = format!("connect_timeout={LIMIT_TEXT}&response_timeout={LIMIT_TEXT}");
    let url = format!("redis+cluster://{}?{limits}", addresses.join(","));
    let servers = cluster.nodes().iter().map(|node| &**node).collect();
    check("a cluster", &url, proxies, servers).await;
}
