//! A URL that speaks the wrong protocol to a server that runs is told so, with the remedy, and not
//! that nobody is there.

use std::time::{Duration, Instant};

use state_runtime::{StateError, connect};
use tests::servers::{dapr, nats, redis};

/// A deadline that none of these outlasts, and less than what connecting may take.
const BOUND: Duration = Duration::from_secs(20);

/// What `url` is answered with, which is final and in time, and shows no password.
async fn told(url: &str) -> String {
    let start = Instant::now();
    let url = format!("{url}{}connect_timeout=60s", if url.contains('?') { '&' } else { '?' });
    let error = connect::backend(&url).await.expect_err(&url);
    assert!(start.elapsed() < BOUND, "{url}: {error:?}");
    assert!(matches!(error, StateError::Backend { .. }), "{url}: {error:?}");
    assert!(!error.is_retryable(), "{url}: patience does not mend it");
    let source = core::error::Error::source(&error).map(ToString::to_string);
    let shown = format!("{error} {}", source.unwrap_or_default());
    assert!(!format!("{shown} {error:?}").contains("tiger"), "{shown}");
    shown
}

/// That it names the address, once, and says `what` and the `remedy`.
async fn check(url: &str, address: &str, what: &str, remedy: &str) {
    let shown = told(url).await;
    for part in [address, what, remedy] {
        assert!(shown.contains(part), "{url}: {part:?} is not in {shown:?}");
    }
    assert_eq!(shown.matches(address).count(), 1, "{shown}");
}

#[tokio::test]
async fn plain_redis_to_a_server_with_tls() {
    let server = redis::Server::builder(redis::Flavour::Redis7).tls().start().await;
    let address = server.address();
    for url in [
        format!("redis://:tiger-5e2@{address}"),
        format!("redis+cluster://:tiger-5e2@{address}"),
        format!("redis+sentinel://:tiger-5e2@{address}/mymaster"),
    ] {
        check(&url, &address, "the server speaks TLS", "`rediss").await;
    }
    let url = format!("nats://ada:tiger-5e2@{address}/shop");
    check(&url, &address, "speaks TLS", "no NATS server").await;
    let url = format!("dapr://{address}/store");
    check(&url, &address, "speaks TLS", "`host:port`").await;
}

#[tokio::test]
async fn tls_to_a_redis_server_without() {
    for flavour in redis::Flavour::ALL {
        let server = redis::Server::shared(flavour).await;
        let address = server.address();
        let url = format!("rediss://:tiger-5e2@{address}");
        check(&url, &address, "speaks no TLS", "`redis://`").await;
        let url = format!("tls+nats://ada:tiger-5e2@{address}/shop");
        check(&url, &address, "a Redis server", "`redis://`").await;
    }
}

#[tokio::test]
async fn other_clients_to_a_redis_server() {
    let server = redis::Server::builder(redis::Flavour::Redis8).password("secret").start().await;
    let address = server.address();
    let url = format!("nats://ada:tiger-5e2@{address}/shop");
    check(&url, &address, "a Redis server", "`redis://`").await;
    let url = format!("dapr://{address}/store");
    check(&url, &address, "a Redis server", "`redis://`").await;
}

#[tokio::test]
async fn other_clients_to_a_nats_server() {
    for version in nats::Version::ALL {
        let server = nats::Server::shared(version).await;
        let address = server.address();
        for scheme in ["redis", "rediss", "redis+cluster"] {
            let url = format!("{scheme}://:tiger-5e2@{address}");
            check(&url, &address, "a NATS server", "`nats://`").await;
        }
        let url = format!("dapr://{address}/store");
        check(&url, &address, "a NATS server", "`nats://`").await;
        let url = format!("tls+nats://ada:tiger-5e2@{address}/shop");
        check(&url, &address, "speaks no TLS", "`nats://`").await;
    }
}

#[tokio::test]
async fn nats_without_trust_to_a_server_with_tls() {
    let server = nats::Server::builder(nats::Version::V2_11).tls().start().await;
    let address = server.address();
    let url = format!("nats://ada:tiger-5e2@{address}/shop");
    check(&url, &address, "the server speaks TLS", "`tls+nats://`").await;
}

#[tokio::test]
async fn what_is_not_http_clients_to_an_http_server() {
    if dapr::is_left_out() {
        return;
    }
    let sidecar = dapr::Sidecar::start(dapr::Component::in_memory()).await;
    let address = sidecar.address();
    for url in [
        format!("redis://:tiger-5e2@{address}"),
        format!("rediss://:tiger-5e2@{address}"),
        format!("nats://ada:tiger-5e2@{address}/shop"),
        format!("tls+nats://ada:tiger-5e2@{address}/shop"),
    ] {
        check(&url, &address, "an HTTP server", "`dapr://`").await;
    }
}

#[tokio::test]
async fn dapr_to_what_is_no_sidecar() {
    let monitored = nats::Server::builder(nats::Version::V2_11).config("http: \"127.0.0.1:-1\"");
    let server = monitored.start().await;
    let log = server.log();
    let address = log.split("Starting http monitor on ").nth(1).and_then(|it| it.lines().next());
    let address = address.expect("it tells where its monitor is");
    check(&format!("dapr://{address}/store"), address, "no Dapr sidecar", "`host:port`").await;
}
