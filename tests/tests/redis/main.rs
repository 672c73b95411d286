//! What the Redis backend promises beyond what every backend does, on every server that we know.

mod bytes;
mod foreign;
mod lanes;
mod limits;
mod login;
mod numbers;
mod outage;
mod rights;
mod scripts;
mod settings;
mod together;

use std::{
    error::Error,
    future::Future,
    time::{Duration, Instant},
};

use state_runtime::{
    backend::{
        AddOptions, Backend, Condition, Entry, ErrorKind, GetOptions, Result, Risk, SetOptions,
        TtlChange,
    },
    backends::redis::{RedisBackend, RedisConfig},
    key::Key,
};
use tests::servers::redis::{Flavour, Server};

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

fn plus(delta: i128) -> AddOptions {
    AddOptions { delta, min: i128::MIN, max: i128::MAX, ttl: None }
}

async fn connect(server: &Server) -> Result<RedisBackend> {
    RedisBackend::connect(RedisConfig::new(server.address())).await
}

async fn put(backend: &RedisBackend, name: &str, value: &str) -> Result<()> {
    backend.set(&key(name), value.to_owned().into(), SetOptions::default()).await.map(drop)
}

async fn value(backend: &RedisBackend, name: &str) -> Result<Option<String>> {
    let entry = backend.get(&key(name), GetOptions::default()).await?;
    Ok(entry.as_ref().map(text))
}

fn text(entry: &Entry) -> String {
    String::from_utf8_lossy(&entry.value).into_owned()
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
