//! A Redis cluster: the suite, slots that move, and nodes that are down.

use std::error::Error;

use state_runtime::{
    backend::Capability,
    backends::{RedisBackend, RedisConfig},
    conformance::{Subject, Verdict, cases, run},
};
use tests::servers::redis::{Cluster, Flavour};

type TestResult = Result<(), Box<dyn Error>>;

fn subject(cluster: &Cluster) -> Subject<RedisBackend> {
    let addresses = cluster.addresses();
    Subject::new(move || RedisBackend::connect(RedisConfig::cluster(addresses.clone())))
}

/// Keys of one slot can be written together.
async fn conforms(flavour: Flavour) -> TestResult {
    let cluster = Cluster::start(flavour, 3).await;
    let report = run(&subject(&cluster).with_tags()).await?;
    println!("{report:#}");
    assert!(report.is_conforming(), "{report:#}");

    // Keys of all slots cannot; everything else has to work with them.
    let spread = subject(&cluster);
    for case in cases().into_iter().filter(|case| !case.needs().contains(Capability::Batch)) {
        if let Verdict::Failed(why) = case.run(&spread).await? {
            panic!("{}: {why}", case.name());
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_of_redis_7_conforms() -> TestResult {
    conforms(Flavour::Redis7).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_of_redis_8_conforms() -> TestResult {
    conforms(Flavour::Redis8).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_of_valkey_9_conforms() -> TestResult {
    conforms(Flavour::Valkey9).await
}
