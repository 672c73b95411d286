//! Redis and Valkey: one server of each line, a cluster, and a master behind a Sentinel.

use futures_util::future::join_all;
use state_runtime::{
    backends::{RedisBackend, RedisConfig},
    conformance::{Report, Subject},
};
use tests::servers::redis::{Cluster, Flavour, Sentinel, Server};

use crate::{TestResult, all_conform, report};

fn subject(config: RedisConfig) -> Subject<RedisBackend> {
    Subject::new(move || RedisBackend::connect(config.clone()))
}

async fn single(flavour: Flavour) -> Result<Report, Box<dyn std::error::Error>> {
    let server = Server::start(flavour).await;
    let name = format!("{flavour} {}", server.version());
    report("redis", &name, subject(RedisConfig::new(server.address()))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_conforms_on_every_server() -> TestResult {
    all_conform(join_all(Flavour::ALL.map(single)).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_conforms_on_a_cluster() -> TestResult {
    let clusters = [Flavour::Redis6, Flavour::Valkey9].map(async |flavour| {
        let cluster = Cluster::start(flavour, 3).await;
        let version = cluster.nodes().first().map(|node| node.version()).unwrap_or_default();
        let config = RedisConfig::cluster(cluster.addresses());
        report("redis cluster", &format!("{flavour} {version}"), subject(config)).await
    });
    all_conform(join_all(clusters).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_conforms_behind_a_sentinel() -> TestResult {
    let sentinel = Sentinel::start(Flavour::Redis8).await;
    let name = format!("{} {}", Flavour::Redis8, sentinel.sentinel().version());
    let config = RedisConfig::sentinel([sentinel.sentinel().address()], Sentinel::MASTER);
    all_conform(vec![report("redis sentinel", &name, subject(config)).await])
}
