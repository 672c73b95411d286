//! Servers that go away, stand still, and come back.

use super::*;

/// Soon over, for tests that wait for it.
const LIMIT: Duration = Duration::from_millis(600);

fn impatient(server: &Server) -> NatsConfig {
    config(server, "state").with_response_timeout(LIMIT).with_connect_timeout(LIMIT)
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() -> TestResult {
    let server = Server::start(Version::V2_15).await;
    let address = server.address();
    drop(server);
    let error = NatsBackend::connect(NatsConfig::new(&address)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains(&address), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_known_to_be_down_is_unavailable_at_once() -> TestResult {
    for version in Version::ALL {
        let server = Server::start(version).await;
        let backend = NatsBackend::connect(config(&server, "state")).await?;
        put(&backend, "a", "1").await?;
        server.kill();
        until("the loss is noticed", async || {
            value(&backend, "a").await.is_err_and(|error| error.kind() == ErrorKind::Unavailable)
        })
        .await;
        let start = Instant::now();
        for _ in 0..200 {
            assert_eq!(refused(put(&backend, "a", "2")).await, ErrorKind::Unavailable);
            assert_eq!(refused(value(&backend, "a")).await, ErrorKind::Unavailable);
        }
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        server.restart().await;
        until("it is back", async || value(&backend, "a").await.is_ok()).await;
        assert_eq!(value(&backend, "a").await?.as_deref(), Some("1"), "nothing was queued");
        put(&backend, "a", "3").await?;
    }
    Ok(())
}

/// The client would send what had queued up once the server is back, over what another wrote.
#[tokio::test]
async fn what_was_refused_while_a_server_stood_still_never_overwrites() -> TestResult {
    for version in Version::ALL {
        let server = Server::start(version).await;
        let backend = NatsBackend::connect(impatient(&server)).await?;
        put(&backend, "a", "1").await?;
        put(&backend, "b", "1").await?;
        server.pause();
        let start = Instant::now();
        let (write, read) = tokio::join!(put(&backend, "a", "2"), value(&backend, "a"));
        assert_eq!(write.unwrap_err().kind(), ErrorKind::Indeterminate);
        assert_eq!(read.unwrap_err().kind(), ErrorKind::Unavailable);
        assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
        // From now on nothing is handed over any more.
        for _ in 0..20 {
            assert_eq!(refused(put(&backend, "b", "late")).await, ErrorKind::Unavailable);
        }
        server.resume();
        let other = async_nats::connect(server.url()).await?;
        let other = async_nats::jetstream::new(other).get_key_value("state").await?;
        other.put("b", "newer".into()).await?;
        until("it is back", async || value(&backend, "b").await.is_ok()).await;
        assert_eq!(value(&backend, "b").await?.as_deref(), Some("newer"));
        put(&backend, "b", "4").await?;
        assert_eq!(other.get("b").await?.as_deref(), Some(b"4".as_slice()));
    }
    Ok(())
}

#[tokio::test]
async fn a_write_that_was_handed_over_to_a_server_that_dies_is_indeterminate() -> TestResult {
    for version in Version::ALL {
        let server = Server::start(version).await;
        let backend = NatsBackend::connect(config(&server, "state")).await?;
        put(&backend, "a", "1").await?;
        server.pause();
        let (write, ()) = tokio::join!(put(&backend, "a", "2"), async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            server.kill();
        });
        assert_eq!(write.unwrap_err().kind(), ErrorKind::Indeterminate);
        server.restart().await;
        until("it is back", async || value(&backend, "a").await.is_ok()).await;
        assert_eq!(value(&backend, "a").await?.as_deref(), Some("1"));
    }
    Ok(())
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_crash() -> TestResult {
    for version in Version::ALL {
        let server = Server::start(version).await;
        let backend = NatsBackend::connect(config(&server, "state")).await?;
        for i in 0..50 {
            put(&backend, &format!("a:{i}"), &i.to_string()).await?;
        }
        server.restart().await;
        for i in 0..50 {
            until("it is there", async || {
                let found = value(&backend, &format!("a:{i}")).await;
                found.is_ok_and(|found| found == Some(i.to_string()))
            })
            .await;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_bucket_that_was_removed_is_not_made_anew() -> TestResult {
    for version in Version::ALL {
        let server = Server::start(version).await;
        let backend = NatsBackend::connect(config(&server, "state")).await?;
        put(&backend, "a", "1").await?;
        raw(&server).await?.delete_stream("KV_state").await?;
        let refusal = refused(put(&backend, "a", "2")).await;
        assert!(matches!(refusal, ErrorKind::Unavailable | ErrorKind::Missing), "{refusal:?}");
        until("it is told", async || refused(put(&backend, "a", "2")).await == ErrorKind::Missing)
            .await;
        raw(&server).await?.create_stream(plain("state")).await?;
        until("it is back", async || put(&backend, "a", "3").await.is_ok()).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_closed_backend_says_so() -> TestResult {
    let server = Server::shared(Version::V2_11).await;
    let backend = NatsBackend::connect(config(server, "closed")).await?;
    let clone = backend.clone();
    backend.close().await?;
    assert_eq!(refused(put(&clone, "a", "1")).await, ErrorKind::Closed);
    assert_eq!(refused(value(&clone, "a")).await, ErrorKind::Closed);
    Ok(())
}
