//! What connecting finds out, and how it fails.

use core::time::Duration;

use state_runtime::{
    backend::{Backend, Capability, ErrorKind, GetOptions, Risk, SetOptions},
    backends::{DaprBackend, DaprConfig},
    key::Key,
};

use crate::recorded::{Answer, Sidecar, in_memory, metadata, no_content, redis, reply};

async fn refused(answer: Answer) -> (ErrorKind, String) {
    let sidecar = Sidecar::start([answer]).await;
    let config = sidecar.config().with_timeout(Duration::from_millis(200));
    let error = DaprBackend::connect(config).await.unwrap_err();
    assert!(error.message().starts_with(&sidecar.address()), "{error}");
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn a_missing_store_is_answered_by_those_that_exist() {
    let sidecar = Sidecar::start([in_memory()]).await;
    let config = DaprConfig::new(sidecar.address(), "stateStore");
    let error = DaprBackend::connect(config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert!(
        error.message().contains("no state store `stateStore`; it has `statestore`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_component_that_keeps_no_state_is_no_store() {
    let (kind, _) = refused(metadata("pubsub.redis", "")).await;
    assert_eq!(kind, ErrorKind::Missing);
}

#[tokio::test]
async fn a_wrong_token_is_denied() {
    let answer = reply("401 Unauthorized", "invalid api token");
    let (kind, message) = refused(answer).await;
    assert_eq!(kind, ErrorKind::Denied);
    assert!(message.contains("API token"), "{message}");
}

#[tokio::test]
async fn the_token_is_sent_and_never_printed() {
    let sidecar = Sidecar::start([in_memory(), no_content()]).await;
    let config = sidecar.config().with_api_token("hush-hush");
    assert!(!format!("{config:?}").contains("hush-hush"));
    let backend = DaprBackend::connect(config).await.unwrap();
    backend.set(&Key::from_stored("a:1"), "1".into(), SetOptions::default()).await.unwrap();
    let requests = sidecar.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.contains("dapr-api-token: hush-hush\r\n")));
    assert!(!format!("{backend:?}").contains("hush-hush"));
}

#[tokio::test]
async fn something_else_at_the_address_is_told_apart() {
    let (kind, message) = refused(reply("200 OK", "<html>")).await;
    assert_eq!(kind, ErrorKind::Other);
    assert!(message.contains("no Dapr sidecar"), "{message}");
}

#[tokio::test]
async fn nobody_at_the_address_is_unavailable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = DaprConfig::new(free.to_string(), "statestore").connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_sidecar_that_says_nothing_is_unavailable_in_time() {
    let (kind, _) = refused(Answer::Silence).await;
    assert_eq!(kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn an_address_is_a_host_and_a_port() {
    for address in ["", "127.0.0.1", "http://127.0.0.1:3500", "127.0.0.1:3500/v1.0", "u:p@h:1"] {
        let error = DaprConfig::new(address, "statestore").connect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Other, "{address}");
        assert!(error.message().contains("host:port"), "{error}");
    }
}

#[tokio::test]
async fn a_component_without_etags_gets_no_options() {
    let sidecar = Sidecar::start([metadata("state.jetstream", "")]).await;
    let backend = sidecar.connect().await;
    assert_eq!(backend.capabilities().to_string(), "none");
    let options = SetOptions { want_revision: true, ..SetOptions::default() };
    let error = backend.set(&Key::from_stored("a:1"), "1".into(), options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported(Capability::Cas));
    assert_eq!(sidecar.requests().len(), 1, "nothing may be sent");
}

#[tokio::test]
async fn every_component_names_what_could_be_lost() {
    for (answer, name) in [(in_memory(), "not-durable"), (redis(), "unknown-durability")] {
        let backend = Sidecar::start([answer]).await.connect().await;
        let risks = backend.risks().await.unwrap();
        let names: Vec<_> = risks.iter().map(Risk::name).collect();
        assert_eq!(names, [name]);
    }
}

#[tokio::test]
async fn a_closed_backend_sends_nothing() {
    let sidecar = Sidecar::start([in_memory()]).await;
    let backend = sidecar.connect().await;
    backend.close().await.unwrap();
    let key = Key::from_stored("a:1");
    let error = backend.get(&key, GetOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!(sidecar.requests().len(), 1);
}
