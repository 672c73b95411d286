//! What other programs see: plain bytes under plain keys, with the server's own expiry.

use super::*;

#[tokio::test]
async fn a_value_is_stored_as_it_is() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::shared(flavour).await;
        let backend = connect(server).await?;
        put(&backend, "bytes:plain", r#"{"user":"ada"}"#).await?;
        let raw: String = server.command(&["GET", "bytes:plain"]).await?;
        assert_eq!(raw, r#"{"user":"ada"}"#);
        let kind: String = server.command(&["TYPE", "bytes:plain"]).await?;
        assert_eq!(kind, "string");
    }
    Ok(())
}

#[tokio::test]
async fn what_another_program_wrote_is_read() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::shared(flavour).await;
        let backend = connect(server).await?;
        server.command::<()>(&["SET", "bytes:foreign", "[1,2]"]).await?;
        assert_eq!(value(&backend, "bytes:foreign").await?.as_deref(), Some("[1,2]"));
    }
    Ok(())
}

#[tokio::test]
async fn an_expiry_is_that_of_the_server() -> TestResult {
    let hour = Duration::from_secs(3600);
    for flavour in Flavour::ALL {
        let server = Server::shared(flavour).await;
        let backend = connect(server).await?;
        let left = || server.command::<i64>(&["PTTL", "bytes:ttl"]);
        backend.set(&key("bytes:ttl"), "1".into(), lasting(hour)).await?;
        assert!((3_590_000..=3_600_000).contains(&left().await?));
        let keep = SetOptions { ttl: TtlChange::Keep, ..SetOptions::default() };
        backend.set(&key("bytes:ttl"), "2".into(), keep).await?;
        assert!((3_580_000..=3_600_000).contains(&left().await?));
        put(&backend, "bytes:ttl", "3").await?;
        assert_eq!(left().await?, -1);
    }
    Ok(())
}

#[tokio::test]
async fn an_expiry_is_rounded_up_to_a_millisecond() -> TestResult {
    let server = Server::shared(Flavour::Redis7).await;
    let backend = connect(server).await?;
    let ttl = Duration::from_secs(3600) + Duration::from_nanos(1);
    backend.set(&key("bytes:up"), "1".into(), lasting(ttl)).await?;
    let end: i64 = server.command(&["PEXPIRETIME", "bytes:up"]).await?;
    let (seconds, micros): (i64, i64) = server.command(&["TIME"]).await?;
    assert!(end - (seconds * 1000 + micros / 1000) <= 3_600_001);
    let left = Duration::from_micros(1);
    assert_eq!(
        refused(backend.set(&key("bytes:up"), "1".into(), lasting(left))).await,
        ErrorKind::InvalidTtl
    );
    Ok(())
}

#[tokio::test]
async fn a_revision_tells_of_a_change_by_another_program() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::shared(flavour).await;
        let backend = connect(server).await?;
        let wanted = SetOptions { want_revision: true, ..SetOptions::default() };
        let ours = backend.set(&key("bytes:cas"), "1".into(), wanted.clone()).await?;
        server.command::<()>(&["SET", "bytes:cas", "2"]).await?;
        let condition = ours.clone().map_or(Condition::Always, Condition::IfRevision);
        let replace = SetOptions { condition, ..wanted };
        let name = key("bytes:cas");
        let operation = backend.set(&name, "3".into(), replace.clone());
        assert_eq!(refused(operation).await, ErrorKind::Conflict { index: 0 });
        // The same bytes are the same revision, whoever wrote them.
        server.command::<()>(&["SET", "bytes:cas", "1"]).await?;
        backend.set(&name, "3".into(), replace).await?;
        assert_eq!(value(&backend, "bytes:cas").await?.as_deref(), Some("3"));
    }
    Ok(())
}

#[tokio::test]
async fn a_database_keeps_its_entries_for_itself() -> TestResult {
    let server = Server::shared(Flavour::Redis7).await;
    let other = RedisConfig::new(server.address()).with_database(3);
    let (one, two) = (connect(server).await?, RedisBackend::connect(other).await?);
    put(&one, "bytes:db", "0").await?;
    assert_eq!(value(&two, "bytes:db").await?, None);
    put(&two, "bytes:db", "3").await?;
    assert_eq!(value(&one, "bytes:db").await?.as_deref(), Some("0"));
    Ok(())
}

#[tokio::test]
async fn a_missing_database_is_said_to_be_missing() {
    let server = Server::shared(Flavour::Redis7).await;
    let config = RedisConfig::new(server.address()).with_database(99);
    assert_eq!(refused(RedisBackend::connect(config)).await, ErrorKind::Missing);
}

#[tokio::test]
async fn the_server_knows_the_client_by_its_name() -> TestResult {
    let server = Server::shared(Flavour::Valkey9).await;
    let config = RedisConfig::new(server.address()).with_client_name("basket-7");
    let backend = RedisBackend::connect(config).await?;
    put(&backend, "bytes:name", "1").await?;
    let clients: String = server.command(&["CLIENT", "LIST"]).await?;
    assert!(clients.contains("name=basket-7"), "{clients}");
    Ok(())
}
