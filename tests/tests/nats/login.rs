//! Who may do what, and TLS.

use std::fs;

use super::*;
use state_runtime::backend::{ScanRequest, WatchRequest};

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

#[tokio::test]
async fn who_cannot_hear_answers_is_told_so_at_once() -> TestResult {
    const RIGHTS: &str = r#"authorization { users: [
      { user: "deaf", password: "secret", permissions: { subscribe: { deny: ["_INBOX.>"] } } }
    ] }"#;
    for version in Version::ALL {
        let server = Server::builder(version).config(RIGHTS).start().await;
        // A time-out is no answer.
        let config = config(&server, "state").with_response_timeout(2 * PATIENCE);
        let deaf = NatsBackend::connect(config.with_user("deaf", "secret"));
        let error = tokio::time::timeout(PATIENCE, deaf).await?.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(error.message().contains("`_INBOX.>`"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_probe_that_reads_back_something_else_is_told() -> TestResult {
    let server = Server::start(Version::V2_15).await;
    let backend = NatsBackend::connect(config(&server, "state")).await?;
    backend.health().await?;
    store(&server, "state").await?.put("=3dhealth", "other".into()).await?;
    // From now on what is written there ends up elsewhere.
    let file = server.folder().join(format!("{}.conf", server.port()));
    let settings = fs::read_to_string(&file)?;
    let mapping = r#"mappings { "$KV.state.=3dhealth": "$KV.state.elsewhere" }"#;
    fs::write(&file, format!("{settings}{mapping}\n"))?;
    server.restart().await;
    let backend = NatsBackend::connect(config(&server, "state")).await?;
    assert_eq!(refused(backend.health()).await, ErrorKind::Corrupted);
    Ok(())
}

#[tokio::test]
async fn an_nkey_opens_the_door() -> TestResult {
    for version in Version::ALL {
        let (ours, other) = (nkeys::KeyPair::new_user(), nkeys::KeyPair::new_user());
        let server = Server::builder(version).nkey(&ours.public_key()).start().await;
        let config = config(&server, "state");
        assert_eq!(refused(NatsBackend::connect(config.clone())).await, ErrorKind::Denied);
        let wrong = NatsBackend::connect(config.clone().with_nkey(other.seed()?));
        assert_eq!(refused(wrong).await, ErrorKind::Denied);
        let unsound = NatsBackend::connect(config.clone().with_nkey("tiger")).await.unwrap_err();
        assert_eq!(unsound.kind(), ErrorKind::Denied);
        assert!(!format!("{unsound:?}").contains("tiger"), "{unsound:?}");
        let backend = NatsBackend::connect(config.with_nkey(ours.seed()?)).await?;
        put(&backend, "a", "1").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_credentials_file_opens_the_door() -> TestResult {
    for version in Version::ALL {
        let operator = Operator::new()?;
        let server = Server::builder(version).config(&operator.settings).start().await;
        let config = config(&server, "state");
        assert_eq!(refused(NatsBackend::connect(config.clone())).await, ErrorKind::Denied);
        let file = server.folder().join("user.creds");
        let missing = NatsBackend::connect(config.clone().with_credentials_file(&file));
        assert_eq!(refused(missing).await, ErrorKind::Denied);
        fs::write(&file, Operator::new()?.credentials)?;
        let foreign = NatsBackend::connect(config.clone().with_credentials_file(&file));
        assert_eq!(refused(foreign).await, ErrorKind::Denied);
        fs::write(&file, operator.credentials)?;
        let backend = NatsBackend::connect(config.with_credentials_file(&file)).await?;
        put(&backend, "a", "1").await?;
        server.restart().await;
        until("it logs in again", async || value(&backend, "a").await.is_ok()).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_client_certificate_opens_the_door() -> TestResult {
    let server = Server::builder(Version::V2_15).mutual_tls().start().await;
    let certificates = server.certificates().ok_or("the server speaks TLS")?;
    let config = config(&server, "state").with_ca_certificate(certificates.authority());
    let kind = refused(NatsBackend::connect(config.clone())).await;
    assert_eq!(kind, ErrorKind::Unavailable, "TLS does not come about");
    let (certificate, key) = certificates.client();
    let backend = NatsBackend::connect(config.with_client_certificate(certificate, key)).await?;
    put(&backend, "a", "1").await?;
    assert_eq!(value(&backend, "a").await?.as_deref(), Some("1"));
    Ok(())
}

/// Who vouches for an account, and the account for a user.
struct Operator {
    settings: String,
    credentials: String,
}

impl Operator {
    fn new() -> core::result::Result<Self, Box<dyn Error>> {
        use nkeys::KeyPair;
        let (operator, account, user) =
            (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_user());
        let system = KeyPair::new_account();
        let unlimited = serde_json::json!({
            "type": "account", "version": 2,
            "limits": {
                "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "conn": -1,
                "leaf": -1, "wildcards": true, "mem_storage": -1, "disk_storage": -1,
                "streams": -1, "consumer": -1,
            },
        });
        let rights = serde_json::json!({
            "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1,
        });
        let itself = serde_json::json!({ "type": "operator", "version": 2 });
        let itself = token(&operator, &operator, &itself)?;
        let system_token =
            token(&operator, &system, &serde_json::json!({ "type": "account", "version": 2 }))?;
        let account_token = token(&operator, &account, &unlimited)?;
        let user_token = token(&account, &user, &rights)?;
        let (system, seed) = (system.public_key(), user.seed()?);
        let account = account.public_key();
        let settings = format!(
            "operator: {itself}\nresolver: MEMORY\nsystem_account: {system}\n\
             resolver_preload {{ {system}: {system_token}, {account}: {account_token} }}",
        );
        let credentials = format!(
            "-----BEGIN NATS USER JWT-----\n{user_token}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n",
        );
        Ok(Self { settings, credentials })
    }
}

/// What `issuer` says of `subject`, signed.
fn token(
    issuer: &nkeys::KeyPair,
    subject: &nkeys::KeyPair,
    claims: &serde_json::Value,
) -> core::result::Result<String, Box<dyn Error>> {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    let header = serde_json::json!({ "typ": "JWT", "alg": "ed25519-nkey" });
    let body = serde_json::json!({
        "jti": subject.public_key(), "iat": 1_767_225_600, "name": "test",
        "iss": issuer.public_key(), "sub": subject.public_key(), "nats": claims,
    });
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let text = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(body.to_string().as_bytes())
    );
    let signature = encode(&issuer.sign(text.as_bytes())?);
    Ok(format!("{text}.{signature}"))
}
