//! Real sidecars: what survives them, what other programs share, and what happens when they, or the
//! database behind them, are gone.

use core::time::Duration;
use std::time::Instant;

use state_runtime::{
    StateError,
    backend::{Backend, BackendError, ErrorKind, GetOptions, SetOptions},
    backends::{DaprBackend, DaprConfig},
    key::Key,
    prelude::*,
};
use tests::servers::{
    dapr::{Builder, Component, Sidecar, is_left_out},
    redis::{self, Flavour},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "measure:{id}", persistent)]
#[garde(allow_unvalidated)]
struct Measure {
    id: String,
    count: u64,
    exact: f64,
    text: String,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "name:{id}", persistent)]
#[garde(allow_unvalidated)]
struct Name {
    id: String,
    #[state(value)]
    name: String,
}

fn key() -> Key {
    Key::from_stored("a:1")
}

/// A sidecar, unless there is none on this machine and the gate has said so.
async fn start(sidecar: Builder) -> Option<Sidecar> {
    if is_left_out() {
        println!("left out: the sidecar could not be installed");
        return None;
    }
    Some(sidecar.start().await)
}

async fn sidecar(component: Component) -> Option<Sidecar> {
    start(Sidecar::builder(component)).await
}

async fn connect(sidecar: &Sidecar) -> DaprBackend {
    let config = DaprConfig::new(sidecar.address(), sidecar.store());
    DaprBackend::connect(config.with_timeout(Duration::from_secs(2))).await.unwrap()
}

async fn put(backend: &DaprBackend, value: &'static str) -> Result<(), BackendError> {
    backend.set(&key(), value.into(), SetOptions::default()).await.map(drop)
}

async fn read(backend: &DaprBackend) -> Result<Option<String>, BackendError> {
    let entry = backend.get(&key(), GetOptions::default()).await?;
    Ok(entry.map(|entry| String::from_utf8_lossy(&entry.value).into_owned()))
}

fn kind<T>(result: Result<T, BackendError>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

/// Tries until a write is read back. Whatever was down has just been started again, and a write
/// whose outcome was open may take effect in between.
async fn works_again(backend: &DaprBackend) {
    let start = Instant::now();
    loop {
        let written = put(backend, "again").await;
        if written.is_ok() && read(backend).await.unwrap().as_deref() == Some("again") {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{written:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Writes as a program does that knows nothing of this one.
async fn write_natively(sidecar: &Sidecar, key: &str, value: &str) {
    let body = format!(r#"[{{"key":"{key}","value":{value}}}]"#);
    let request = format!(
        "POST /v1.0/state/{} HTTP/1.1\r\nHost: sidecar\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        sidecar.store(),
        body.len(),
    );
    let mut stream = TcpStream::connect(sidecar.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

/// Numbers that a sidecar would round come back as they were, and values of others are read.
async fn shares(component: Component) {
    let Some(sidecar) = sidecar(component).await else { return };
    let store = StateStore::new(connect(&sidecar).await).unwrap();
    let text = "<&>\u{2028}\"\\\u{0}\u{1f600}".to_owned();
    let measure = Measure { id: "1".into(), count: u64::MAX, exact: 0.123_456_789_012_345_6, text };
    store.set(&measure).await.unwrap();
    assert_eq!(store.get(Measure::key("1")).await.unwrap(), Some(measure));
    // A text that is itself the JSON of something else.
    for name in ["41", "{}", "$state\n1", "\"", ""] {
        let name = Name { id: "1".into(), name: name.into() };
        store.set(&name).await.unwrap();
        assert_eq!(store.get(Name::key("1")).await.unwrap(), Some(name));
    }
    write_natively(&sidecar, "measure:2", r#"{"text":"t","exact":2.5,"count":7}"#).await;
    write_natively(&sidecar, "name:2", r#""41""#).await;
    let (measure, name) = store.get_many((Measure::key("2"), Name::key("2"))).await.unwrap();
    let expected = Measure { id: "2".into(), count: 7, exact: 2.5, text: "t".into() };
    assert_eq!(measure, Some(expected));
    assert_eq!(name.unwrap().name, "41");
}

#[tokio::test]
async fn values_survive_in_memory() {
    shares(Component::in_memory()).await;
}

#[tokio::test]
async fn values_survive_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    shares(Component::sqlite(folder.path())).await;
}

#[tokio::test]
async fn values_survive_redis() {
    let server = redis::Server::start(Flavour::Redis7).await;
    shares(Component::redis(&server)).await;
}

#[tokio::test]
async fn a_sidecar_that_is_down_is_unavailable_at_once_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let Some(sidecar) = sidecar(Component::sqlite(folder.path())).await else { return };
    let backend = connect(&sidecar).await;
    put(&backend, "1").await.unwrap();
    sidecar.kill();
    let start = Instant::now();
    // The first may still find the dead connection.
    let first = kind(put(&backend, "2").await);
    assert!(matches!(first, Some(ErrorKind::Unavailable | ErrorKind::Indeterminate)), "{first:?}");
    assert_eq!(kind(put(&backend, "3").await), Some(ErrorKind::Unavailable));
    assert_eq!(kind(read(&backend).await), Some(ErrorKind::Unavailable));
    assert!(start.elapsed() < Duration::from_secs(1));
    sidecar.restart().await;
    assert_eq!(read(&backend).await.unwrap().as_deref(), Some("1"));
    works_again(&backend).await;
}

#[tokio::test]
async fn a_sidecar_that_stands_still_leaves_the_outcome_open_in_time() {
    let Some(sidecar) = sidecar(Component::in_memory()).await else { return };
    let backend = connect(&sidecar).await;
    put(&backend, "1").await.unwrap();
    sidecar.pause();
    let start = Instant::now();
    assert_eq!(kind(put(&backend, "2").await), Some(ErrorKind::Indeterminate));
    assert_eq!(kind(read(&backend).await), Some(ErrorKind::Unavailable));
    assert!(start.elapsed() < Duration::from_secs(8));
    sidecar.resume();
    works_again(&backend).await;
}

#[tokio::test]
async fn a_database_that_is_down_leaves_writes_open_and_comes_back() {
    let server = redis::Server::start(Flavour::Redis7).await;
    let Some(sidecar) = sidecar(Component::redis(&server)).await else { return };
    let backend = connect(&sidecar).await;
    put(&backend, "1").await.unwrap();
    server.kill();
    assert_eq!(kind(put(&backend, "2").await), Some(ErrorKind::Indeterminate));
    assert_eq!(kind(read(&backend).await), Some(ErrorKind::Unavailable));
    server.restart().await;
    works_again(&backend).await;
}

#[tokio::test]
async fn a_full_database_is_read_only() {
    let server = redis::Server::start(Flavour::Redis7).await;
    let Some(sidecar) = sidecar(Component::redis(&server)).await else { return };
    let backend = connect(&sidecar).await;
    put(&backend, "1").await.unwrap();
    let _: String = server.command(&["CONFIG", "SET", "maxmemory", "1"]).await.unwrap();
    assert_eq!(kind(put(&backend, "2").await), Some(ErrorKind::ReadOnly));
    assert_eq!(read(&backend).await.unwrap().as_deref(), Some("1"));
    let _: String = server.command(&["CONFIG", "SET", "maxmemory", "0"]).await.unwrap();
    works_again(&backend).await;
}

#[tokio::test]
async fn something_else_under_the_key_is_foreign() {
    let server = redis::Server::start(Flavour::Redis7).await;
    let component = Component::redis(&server).with("keyPrefix", "none");
    let Some(sidecar) = sidecar(component).await else { return };
    let backend = connect(&sidecar).await;
    let _: u64 = server.command(&["LPUSH", "a:1", "x"]).await.unwrap();
    assert_eq!(kind(read(&backend).await), Some(ErrorKind::Foreign));
    let requests = ["b:2", "a:1"].map(|key| (Key::from_stored(key), GetOptions::default()));
    assert_eq!(kind(backend.get_many(&requests).await), Some(ErrorKind::Foreign));
    let _: u64 = server.command(&["DEL", "a:1"]).await.unwrap();
    let _: u64 = server.command(&["HSET", "a:1", "field", "x"]).await.unwrap();
    assert_eq!(kind(read(&backend).await), Some(ErrorKind::Foreign));
}

#[tokio::test]
async fn two_applications_share_what_their_component_does_not_keep_apart() {
    let server = redis::Server::start(Flavour::Redis7).await;
    let component = Component::redis(&server).with("keyPrefix", "name");
    let builder = Sidecar::builder(component);
    let Some(one) = start(builder.clone().app("app-a")).await else { return };
    let Some(other) = start(builder.app("app-b")).await else { return };
    put(&connect(&one).await, "1").await.unwrap();
    assert_eq!(read(&connect(&other).await).await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn the_token_has_to_be_right() {
    let builder = Sidecar::builder(Component::in_memory()).token("right");
    let Some(sidecar) = start(builder).await else { return };
    let config = DaprConfig::new(sidecar.address(), sidecar.store());
    assert_eq!(kind(config.clone().connect().await), Some(ErrorKind::Denied));
    assert_eq!(
        kind(config.clone().with_api_token("wrong").connect().await),
        Some(ErrorKind::Denied)
    );
    put(&config.with_api_token("right").connect().await.unwrap(), "1").await.unwrap();
}

#[tokio::test]
async fn production_refuses_what_would_lose_state() {
    let Some(sidecar) = sidecar(Component::in_memory()).await else { return };
    let error = StateStore::production(connect(&sidecar).await).await.unwrap_err();
    assert!(error.to_string().contains("in the memory of the sidecar"), "{error}");
    let store = StateStore::builder(connect(&sidecar).await)
        .accept_risk(state_runtime::backend::RiskKind::NotDurable);
    let store: Result<_, StateError> = store.build_production().await;
    store.unwrap();
}
