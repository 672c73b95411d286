//! A URL is all that it takes to reach a server: its address, its users, its certificates.

use std::time::Duration;

use state_runtime::{
    StateError,
    backend::{Backend as _, ErrorKind, GetOptions, SetOptions},
    connect,
    key::Key,
};
use tests::servers::{certificates::Certificates, dapr, nats, redis};

const PASSWORD: &str = "p@s:s/w%25?x&#";

/// A password as it stands in a URL.
fn encoded(password: &str) -> String {
    password.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}

/// That an entry can be written and read back, and that nothing shows `secret`.
async fn check(url: &str, secret: &str) {
    let backend = connect::backend(url).await.unwrap_or_else(|error| panic!("{url}: {error:?}"));
    let key = Key::from_stored("connect:1");
    backend.set(&key, "1".into(), SetOptions::default()).await.unwrap();
    let entry = backend.get(&key, GetOptions::default()).await.unwrap();
    assert_eq!(entry.unwrap().value, "1", "{url}");
    let shown = format!("{backend:?}");
    assert!(secret.is_empty() || !shown.contains(secret), "{shown}");
    backend.close().await.unwrap();
}

/// The kind of error that a server, or the way to it, answers a URL with.
async fn refused(url: &str, secret: &str) -> ErrorKind {
    let error = connect::backend(url).await.expect_err(url);
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(secret) && !shown.contains(&encoded(secret)), "{shown}");
    match error {
        StateError::Backend { source, .. } | StateError::Unavailable { source, .. } => {
            assert!(!source.to_string().contains(secret), "{source}");
            source.kind()
        }
        other => panic!("{url}: {other:?}"),
    }
}

#[tokio::test]
async fn one_redis_server() {
    let rules = "~* +@all";
    let server = redis::Server::builder(redis::Flavour::Redis7)
        .password("default-secret")
        .user("ada", PASSWORD, rules)
        .start()
        .await;
    let address = server.address();
    check(&format!("redis://:default-secret@{address}"), "default-secret").await;
    let password = encoded(PASSWORD);
    let options = "client_name=shop&connect_timeout=2s&response_timeout=2s";
    check(&format!("redis://ada:{password}@{address}/3?{options}"), PASSWORD).await;

    assert_eq!(refused(&server.url(), PASSWORD).await, ErrorKind::Denied);
    let wrong = format!("redis://ada:{password}x@{address}");
    assert_eq!(refused(&wrong, PASSWORD).await, ErrorKind::Denied);
    let no_database = format!("redis://ada:{password}@{address}/99");
    assert_eq!(refused(&no_database, PASSWORD).await, ErrorKind::Missing);
    server.kill();
    let down = format!("redis://ada:{password}@{address}");
    assert_eq!(refused(&down, PASSWORD).await, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_redis_server_with_tls() {
    let server = redis::Server::builder(redis::Flavour::Redis7)
        .arg("--tls-auth-clients", "yes")
        .password("default-secret")
        .tls()
        .start()
        .await;
    let certificates = server.certificates().unwrap();
    let authority = certificates.authority();
    let (certificate, key) = certificates.client();
    let address = server.address();
    let url = format!(
        "rediss://:default-secret@{address}?ca_certificate={}&client_certificate={}&client_key={}",
        authority.display(),
        certificate.display(),
        key.display()
    );
    check(&url, "default-secret").await;
    let folder = tempfile::tempdir().unwrap();
    let other = Certificates::make(folder.path()).authority();
    let untrusted =
        format!("rediss://:default-secret@{address}?ca_certificate={}", other.display());
    assert_eq!(refused(&untrusted, "default-secret").await, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_redis_cluster() {
    let cluster = redis::Cluster::start(redis::Flavour::Valkey9, 3).await;
    check(&cluster.url(), "").await;
    check(&format!("{}?client_name=shop", cluster.url()), "").await;
}

#[tokio::test]
async fn what_sentinels_watch_over() {
    let sentinel = redis::Sentinel::start(redis::Flavour::Redis8).await;
    check(&sentinel.url(), "").await;
    check(&format!("{}?database=1", sentinel.url()), "").await;
    let other = sentinel.url().replace("mymaster", "yourmaster");
    assert_eq!(refused(&other, "no secret").await, ErrorKind::Missing);
}

#[tokio::test]
async fn a_nats_server() {
    let server =
        nats::Server::builder(nats::Version::V2_11).user("ada", "p@s:s/w?x&#").start().await;
    let address = server.address();
    let password = encoded("p@s:s/w?x&#");
    let options = "client_name=shop&storage=file&max_bytes=1MiB&replicas=1&connect_timeout=2s";
    let url = format!("nats://ada:{password}@{address}/shop?{options}");
    check(&url, "p@s:s").await;
    check(&format!("nats://ada:{password}@{address},127.0.0.1:1/shop"), "p@s:s").await;

    let wrong = format!("nats://ada:{password}x@{address}/shop");
    assert_eq!(refused(&wrong, "p@s:s").await, ErrorKind::Denied);
    let no_bucket = format!("nats://ada:{password}@{address}/none?missing_bucket=refuse");
    assert_eq!(refused(&no_bucket, "p@s:s").await, ErrorKind::Missing);
    server.kill();
    assert_eq!(refused(&url, "p@s:s").await, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_nats_server_with_a_token() {
    let token = "t@k:e/n?4711";
    let server = nats::Server::builder(nats::Version::V2_15).token(token).start().await;
    check(&format!("nats://{}@{}", encoded(token), server.address()), token).await;
    let wrong = format!("nats://{}x@{}", encoded(token), server.address());
    assert_eq!(refused(&wrong, token).await, ErrorKind::Denied);
}

#[tokio::test]
async fn a_nats_server_with_tls() {
    let server = nats::Server::builder(nats::Version::V2_11).mutual_tls().start().await;
    let certificates = server.certificates().unwrap();
    let (certificate, key) = certificates.client();
    let url = format!(
        "{}/shop?ca_certificate={}&client_certificate={}&client_key={}",
        server.url(),
        certificates.authority().display(),
        certificate.display(),
        key.display()
    );
    check(&url, "").await;
    assert_eq!(refused(&server.url(), "no secret").await, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_dapr_sidecar() {
    if dapr::is_left_out() {
        return;
    }
    let token = "t@k&e/n?4711";
    let sidecar = dapr::Sidecar::builder(dapr::Component::in_memory()).token(token).start().await;
    let options = "consistency=eventual&connect_timeout=2s&timeout=3s&max_body=1MiB";
    let url = format!("{}?api_token={}&{options}", sidecar.url(), encoded(token));
    check(&url, token).await;
    let wrong = format!("{}?api_token={}x", sidecar.url(), encoded(token));
    assert_eq!(refused(&wrong, token).await, ErrorKind::Denied);
    let other = url.replace("/statestore", "/otherstore");
    assert_eq!(refused(&other, token).await, ErrorKind::Missing);
    sidecar.kill();
    assert_eq!(refused(&url, token).await, ErrorKind::Unavailable);
}

/// It accepts connections, and that is all: what stands behind a firewall looks like this too.
#[tokio::test]
async fn a_server_that_never_answers_is_unavailable_in_time_and_named() {
    let servers = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let [first, second] = servers.each_ref().map(|it| it.local_addr().unwrap().to_string());
    let folder = tempfile::tempdir().unwrap();
    let authority = Certificates::make(folder.path()).authority();
    let trusting = format!("ca_certificate={}&", authority.display());
    for (scheme, addresses, path, more) in [
        ("redis", vec![&first], "", ""),
        ("rediss", vec![&first], "", trusting.as_str()),
        ("redis+cluster", vec![&first, &second], "", ""),
        ("redis+sentinel", vec![&first, &second], "/mymaster", ""),
        ("nats", vec![&first, &second], "/shop", ""),
        ("tls+nats", vec![&first], "/shop", trusting.as_str()),
        ("dapr", vec![&first], "/store", ""),
    ] {
        let login = if scheme == "dapr" { "" } else { "ada:tiger-5e2@" };
        let hosts = addresses.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(",");
        let url = format!("{scheme}://{login}{hosts}{path}?{more}connect_timeout=300ms");
        let connecting = tokio::time::timeout(Duration::from_secs(30), connect::backend(&url));
        let outcome = connecting.await.unwrap_or_else(|_| panic!("{url}: it is waited for"));
        let error = outcome.expect_err(&url);
        assert!(matches!(error, StateError::Unavailable { .. }), "{url}: {error:?}");
        assert!(error.is_retryable(), "{url}");
        let shown = format!("{error} {error:?} {:?}", core::error::Error::source(&error));
        assert!(!shown.contains("tiger"), "{shown}");
        for address in addresses {
            assert!(shown.contains(address.as_str()), "{url}: {shown}");
        }
    }
}

/// Whoever wants no time-outs writes one that is beyond all reason.
#[tokio::test]
async fn the_longest_time_outs_are_taken() {
    let limit = format!("{}ms", u64::MAX);
    let both = format!("connect_timeout={limit}&response_timeout={limit}");
    let server = redis::Server::shared(redis::Flavour::Redis8).await;
    check(&format!("{}?{both}", server.url()), "").await;
    let cluster = redis::Cluster::start(redis::Flavour::Redis7, 1).await;
    check(&format!("{}?{both}", cluster.url()), "").await;
    let sentinel = redis::Sentinel::start(redis::Flavour::Valkey9).await;
    check(&format!("{}?{both}", sentinel.url()), "").await;
    let server = nats::Server::start(nats::Version::V2_11).await;
    check(&format!("{}/shop?{both}", server.url()), "").await;
}

#[tokio::test]
async fn the_longest_time_outs_are_taken_for_a_sidecar_too() {
    if dapr::is_left_out() {
        return;
    }
    let limit = format!("{}ms", u64::MAX);
    let sidecar = dapr::Sidecar::start(dapr::Component::in_memory()).await;
    check(&format!("{}?connect_timeout={limit}&timeout={limit}", sidecar.url()), "").await;
}
