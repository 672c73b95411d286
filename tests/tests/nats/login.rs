//! Who may do what, and TLS.

use super::*;
use state_runtime::backend::{ScanRequest, Want, WatchRequest};

const RIGHTS: &str = r#"
authorization { users: [
  { user: "reader", password: "secret", permissions: {
      publish: ["$JS.API.STREAM.INFO.>", "$JS.API.STREAM.MSG.GET.>", "$JS.API.DIRECT.GET.*.>"],
      subscribe: ["_INBOX.>"] } },
  { user: "admin", password: "secret" },
  { user: "nobody", password: "secret", permissions: { publish: ["none"], subscribe: [">"] } }
] }"#;

#[tokio::test]
async fn who_does_not_know_the_secret_is_denied() -> TestResult {
    for version in Version::ALL {
        let server = Server::builder(version).token("tiger-5e2").start().await;
        let config = config(&server, "state");
        assert_eq!(refused(NatsBackend::connect(config.clone())).await, ErrorKind::Denied);
        let wrong = NatsBackend::connect(config.clone().with_token("lion-5e2")).await.unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::Denied);
        assert!(!format!("{wrong} {wrong:?}").contains("lion"), "{wrong:?}");
        assert!(wrong.to_string().contains(&server.address()), "{wrong}");
        let backend = NatsBackend::connect(config.with_token("tiger-5e2")).await?;
        put(&backend, "a", "1").await?;
        assert!(!format!("{backend:?}").contains("tiger"));
        let server = Server::builder(version).user("me", "tiger").start().await;
        let config = self::config(&server, "state");
        let wrong = NatsBackend::connect(config.clone().with_user("me", "lion"));
        assert_eq!(refused(wrong).await, ErrorKind::Denied);
        put(&NatsBackend::connect(config.with_user("me", "tiger")).await?, "a", "1").await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_a_user_may_not_do_is_denied_soon() -> TestResult {
    for version in Version::ALL {
        let server = Server::builder(version).config(RIGHTS).start().await;
        let config = config(&server, "state");
        let start = Instant::now();
        let nobody = NatsBackend::connect(config.clone().with_user("nobody", "secret"));
        assert_eq!(refused(nobody).await, ErrorKind::Denied);
        let admin = NatsBackend::connect(config.clone().with_user("admin", "secret")).await?;
        put(&admin, "a", "1").await?;
        let reader = NatsBackend::connect(config.with_user("reader", "secret")).await?;
        assert_eq!(value(&reader, "a").await?.as_deref(), Some("1"));
        assert_eq!(refused(put(&reader, "a", "2")).await, ErrorKind::Denied);
        assert_eq!(refused(reader.set(&key("b"), "2".into(), create())).await, ErrorKind::Denied);
        let all = ScanRequest { prefix: String::new(), cursor: None, limit: 9, want: Want::VALUE };
        if version == Version::V2_9 {
            assert_eq!(reader.scan(all).await?.entries.len(), 1);
        } else {
            // It is one request there, to a subject that this user may not publish to.
            assert_eq!(refused(reader.scan(all)).await, ErrorKind::Denied);
        }
        let everything = WatchRequest::Prefix(String::new());
        assert_eq!(refused(reader.watch(everything)).await, ErrorKind::Denied);
        assert_eq!(value(&reader, "a").await?.as_deref(), Some("1"));
        assert!(start.elapsed() < Duration::from_secs(3), "without waiting for a time-out");
    }
    Ok(())
}

#[tokio::test]
async fn tls_is_spoken_with_a_server_that_is_trusted() -> TestResult {
    let server = Server::builder(Version::V2_15).tls().start().await;
    let certificates = server.certificates().ok_or("the server speaks TLS")?;
    let config = config(&server, "state");
    let trusting = config.clone().with_ca_certificate(certificates.authority());
    let backend = NatsBackend::connect(trusting).await?;
    put(&backend, "a", "1").await?;
    assert_eq!(value(&backend, "a").await?.as_deref(), Some("1"));
    assert_eq!(refused(NatsBackend::connect(config.with_tls())).await, ErrorKind::Unavailable);
    Ok(())
}
