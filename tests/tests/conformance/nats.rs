//! NATS: one server of each line.

use futures_util::future::join_all;
use state_runtime::{
    backends::{NatsBackend, NatsConfig},
    conformance::Subject,
};
use tests::servers::nats::{Server, Version};

use crate::{Outcome, PATIENCE, TestResult, all_conform, report};

/// A message is at most a MiB, its headers included.
const MAX_VALUE: usize = (1 << 20) - 4096;

async fn single(version: Version) -> Outcome {
    let server = Server::start(version).await;
    let config = NatsConfig::new(server.address()).with_response_timeout(PATIENCE);
    let subject = Subject::new(move || NatsBackend::connect(config.clone()));
    report("nats", &format!("NATS {}", server.version()), subject.with_max_value(MAX_VALUE)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nats_conforms_on_every_server() -> TestResult {
    all_conform(join_all(Version::ALL.map(single)).await)
}
