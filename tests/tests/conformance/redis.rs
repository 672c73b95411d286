//! Redis and Valkey: one server of each line, a cluster, and a master behind a Sentinel.

use futures_util::future::join_all;
use state_runtime::{
    backends::{RedisBackend, RedisConfig},
    conformance::Subject,
};
use tests::servers::redis::{Cluster, Flavour, Sentinel, Server};

use crate::{Outcome, PATIENCE, TestResult, all_conform, report};

fn subject(config: RedisConfig) -> Subject<RedisBackend> {
    let config = config.with_response_timeout(PATIENCE);
    Subject::new(move || RedisBackend::connect(config.clone()))
}

fn named(server: &Server) -> String {
    format!("{} {}", server.flavour(), server.version())
}

async fn single(flavour: Flavour) -> Outcome {
    let server = Server::start(flavour).await;
    report("redis", &named(&server), subject(RedisConfig::new(server.address()))).await
}

async fn cluster(flavour: Flavour) -> Outcome {
    let cluster = Cluster::start(flavour, 3).await;
    let server = cluster.nodes().first().map(named).unwrap_or_default();
    report("redis cluster", &server, subject(RedisConfig::cluster(cluster.addresses()))).await
}

async fn sentinel(flavour: Flavour) -> Outcome {
    let sentinel = Sentinel::start(flavour).await;
    let server = sentinel.sentinel();
    let config = RedisConfig::sentinel([server.address()], Sentinel::MASTER);
    report("redis sentinel", &named(server), subject(config)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_conforms_on_every_server() -> TestResult {
    all_conform(join_all(Flavour::ALL.map(single)).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_conforms_on_every_cluster() -> TestResult {
    all_conform(join_all(Flavour::ALL.map(cluster)).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_conforms_behind_a_sentinel() -> TestResult {
    all_conform(join_all([Flavour::Redis7, Flavour::Valkey9].map(sentinel)).await)
}
