//! Listing, counting, removing and watching all values of a type, or those under a prefix: the same
//! on every backend.

#![allow(clippy::struct_field_names, reason = "a line of an order has a line and an order")]

mod checks;
mod outage;
mod prefix;
mod remove;
mod scan;
mod types;
mod watch;
mod watch_faults;
mod watch_outage;

use state_runtime::{StateError, backends::MemoryBackend, prelude::*};
use tests::servers::{
    nats::{self, Version},
    redis::{Cluster, Flavour, Server},
};

type TestResult = Result<(), Box<dyn std::error::Error>>;

fn memory() -> StateStore<MemoryBackend> {
    StateStore::new(MemoryBackend::new()).expect("no two types share a key")
}

async fn connect(url: &str) -> Result<StateStore, StateError> {
    StateStore::connect(url).await
}

#[tokio::test]
async fn all_of_it_works_in_memory() -> TestResult {
    checks::all(&connect("memory:").await?).await
}

#[tokio::test]
async fn all_of_it_works_on_disk() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("state");
    checks::all(&connect(&format!("file:{}", path.display())).await?).await
}

#[tokio::test]
async fn all_of_it_works_on_redis() -> TestResult {
    let server = Server::start(Flavour::Redis7).await;
    checks::all(&connect(&server.url()).await?).await
}

#[tokio::test]
async fn all_of_it_works_on_valkey() -> TestResult {
    let server = Server::start(Flavour::Valkey9).await;
    checks::all(&connect(&server.url()).await?).await
}

#[tokio::test]
async fn all_of_it_works_on_a_redis_cluster() -> TestResult {
    let cluster = Cluster::start(Flavour::Valkey9, 3).await;
    checks::all(&connect(&cluster.url()).await?).await
}

#[tokio::test]
async fn all_of_it_works_on_nats() -> TestResult {
    for version in [Version::V2_11, Version::V2_15] {
        let server = nats::Server::start(version).await;
        checks::all(&connect(&format!("{}/listing", server.url())).await?).await?;
    }
    Ok(())
}
