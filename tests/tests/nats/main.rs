//! What the NATS backend promises beyond what every backend does, on every server that we know.

mod anew;
mod batch;
mod bucket;
mod bytes;
mod cluster;
mod expiry;
mod limits;
mod login;
mod outage;
mod scan;
mod watch;

use std::{
    error::Error,
    future::Future,
    time::{Duration, Instant},
};

use async_nats::jetstream::{self, kv};
use state_runtime::{
    backend::{
        Backend, Condition, ErrorKind, GetOptions, Result, Revision, SetOptions, TtlChange, Want,
    },
    backends::nats::{NatsBackend, NatsConfig},
    key::Key,
};
use tests::servers::nats::{Server, Version};

type TestResult = core::result::Result<(), Box<dyn Error>>;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn key(text: &str) -> Key {
    Key::from_stored(text)
}

fn lasting(ttl: Duration) -> SetOptions {
    SetOptions { ttl: TtlChange::After(ttl), ..SetOptions::default() }
}

fn create() -> SetOptions {
    SetOptions { condition: Condition::IfAbsent, ..SetOptions::default() }
}

/// A bucket of its own on a server.
fn config(server: &Server, bucket: &str) -> NatsConfig {
    NatsConfig::new(server.address()).with_bucket(bucket)
}

async fn put(backend: &NatsBackend, name: &str, value: &str) -> Result<()> {
    backend.set(&key(name), value.to_owned().into(), SetOptions::default()).await.map(drop)
}

async fn value(backend: &NatsBackend, name: &str) -> Result<Option<String>> {
    let entry = backend.get(&key(name), GetOptions::default()).await?;
    Ok(entry.map(|entry| String::from_utf8_lossy(&entry.value).into_owned()))
}

/// `JetStream` as others speak to it.
async fn raw(
    server: &Server,
) -> core::result::Result<jetstream::Context, async_nats::ConnectError> {
    Ok(jetstream::new(async_nats::connect(server.url()).await?))
}

/// A bucket as others see it.
async fn store(server: &Server, bucket: &str) -> core::result::Result<kv::Store, Box<dyn Error>> {
    Ok(raw(server).await?.get_key_value(bucket).await?)
}

/// The settings of a bucket as an ordinary client makes it.
fn plain(bucket: &str) -> jetstream::stream::Config {
    jetstream::stream::Config {
        name: format!("KV_{bucket}"),
        subjects: vec![format!("$KV.{bucket}.>")],
        max_messages_per_subject: 1,
        allow_rollup: true,
        allow_direct: true,
        deny_delete: true,
        discard: jetstream::stream::DiscardPolicy::New,
        ..jetstream::stream::Config::default()
    }
}

fn replace(revision: Revision) -> SetOptions {
    SetOptions { condition: Condition::IfRevision(revision), ..SetOptions::default() }
}

async fn revision(backend: &NatsBackend, name: &str) -> Result<Option<Revision>> {
    let options = GetOptions { want: Want::REVISION, renew: None };
    Ok(backend.get(&key(name), options).await?.and_then(|entry| entry.revision))
}

/// The kind of the error that an operation ends with.
async fn refused<T>(operation: impl Future<Output = Result<T>>) -> ErrorKind {
    match operation.await {
        Ok(_) => panic!("it succeeded"),
        Err(error) => error.kind(),
    }
}

/// Waits until `look` says yes.
async fn until<F: Future<Output = bool>>(what: &str, mut look: impl FnMut() -> F) {
    let start = Instant::now();
    while !look().await {
        assert!(start.elapsed() < PATIENCE, "{what} within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
