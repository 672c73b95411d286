//! Servers that go away, stand still, and come back.

use super::*;

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() -> TestResult {
    let server = Server::start(Flavour::Redis7).await;
    let address = server.address();
    drop(server);
    let error = RedisBackend::connect(RedisConfig::new(&address)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains(&address), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_known_to_be_down_is_unavailable_at_once() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::start(flavour).await;
        let backend = connect(&server).await?;
        put(&backend, "a", "1").await?;
        server.kill();
        until("the loss is noticed", async || {
            value(&backend, "a").await.is_err_and(|error| error.kind() == ErrorKind::Unavailable)
        })
        .await;
        // At first because it was lost, and then because nobody is there any more.
        let address = server.address();
        until("the reason is told", async || {
            let Err(error) = value(&backend, "a").await else { return false };
            let shown = error.to_string();
            assert_eq!(shown.matches(&address).count(), 1, "{shown}");
            shown.contains("refused")
        })
        .await;
        let start = Instant::now();
        for _ in 0..200 {
            assert_eq!(refused(put(&backend, "a", "2")).await, ErrorKind::Unavailable);
            assert_eq!(refused(value(&backend, "a")).await, ErrorKind::Unavailable);
            let many = [(key("a"), GetOptions::default())];
            assert_eq!(refused(backend.get_many(&many)).await, ErrorKind::Unavailable);
        }
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        server.restart().await;
        until("it is back", async || put(&backend, "a", "3").await.is_ok()).await;
        assert_eq!(value(&backend, "a").await?.as_deref(), Some("3"));
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_stands_still_is_given_up_and_found_again() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::start(flavour).await;
        let limit = Duration::from_millis(400);
        let config = RedisConfig::new(server.address())
            .with_response_timeout(limit)
            .with_connect_timeout(limit);
        let backend = RedisBackend::connect(config).await?;
        put(&backend, "a", "1").await?;
        server.pause();
        let start = Instant::now();
        let (write, read) = tokio::join!(put(&backend, "a", "2"), value(&backend, "a"));
        assert_eq!(write.unwrap_err().kind(), ErrorKind::Indeterminate);
        assert_eq!(read.unwrap_err().kind(), ErrorKind::Unavailable);
        assert!(start.elapsed() >= limit, "{:?}", start.elapsed());
        assert!(start.elapsed() < limit * 4, "{:?}", start.elapsed());
        assert_eq!(refused(put(&backend, "a", "3")).await, ErrorKind::Unavailable);
        server.resume();
        until("it is back", async || put(&backend, "a", "4").await.is_ok()).await;
        assert_eq!(value(&backend, "a").await?.as_deref(), Some("4"));
    }
    Ok(())
}

#[tokio::test]
async fn a_password_that_was_changed_is_told_as_what_it_is() -> TestResult {
    let server = Server::start(Flavour::Redis7).await;
    let backend = connect(&server).await?;
    server.command::<()>(&["CONFIG", "SET", "requirepass", "tiger"]).await?;
    let mut raw = server.connect().await?;
    let killed: i64 = redis_command(
        &mut raw,
        &["AUTH", "tiger"],
        &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"],
    )
    .await?;
    assert!(killed > 0);
    until("the refusal is noticed", async || {
        value(&backend, "a").await.is_err_and(|error| error.kind() == ErrorKind::Denied)
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn a_closed_backend_says_so() -> TestResult {
    let server = Server::shared(Flavour::Redis7).await;
    let backend = connect(server).await?;
    let clone = backend.clone();
    backend.close().await?;
    assert_eq!(refused(put(&clone, "outage:a", "1")).await, ErrorKind::Closed);
    assert_eq!(refused(value(&clone, "outage:a")).await, ErrorKind::Closed);
    Ok(())
}

#[tokio::test]
async fn nothing_stays_connected_after_the_last_handle() -> TestResult {
    let server = Server::start(Flavour::Redis7).await;
    let config = RedisConfig::new(server.address()).with_client_name("short-lived");
    let backend = RedisBackend::connect(config).await?;
    let many: Vec<_> =
        (0..100).map(|i| (key(&format!("outage:{i}")), GetOptions::default())).collect();
    backend.get_many(&many).await?;
    let connected = async || {
        let clients = server.command::<String>(&["CLIENT", "LIST"]).await.unwrap_or_default();
        clients.matches("short-lived").count()
    };
    assert_eq!(connected().await, 2, "one for small commands and one for large ones");
    drop(backend);
    until("they are gone", async || connected().await == 0).await;
    Ok(())
}

#[tokio::test]
async fn closing_ends_a_write_that_waits_at_once_and_leaves_no_connection() -> TestResult {
    for flavour in [Flavour::Redis7, Flavour::Valkey9] {
        let server = Server::start(flavour).await;
        let config = RedisConfig::new(server.address())
            .with_client_name("closing")
            .with_response_timeout(PATIENCE * 10);
        let backend = RedisBackend::connect(config).await?;
        let clients = async || {
            let clients = server.command::<String>(&["CLIENT", "LIST"]).await.unwrap_or_default();
            let ours = clients.lines().filter(|client| client.contains("name=closing "));
            ours.map(str::to_owned).collect::<Vec<_>>()
        };
        server.command::<()>(&["CLIENT", "PAUSE", "600000", "WRITE"]).await?;
        let writer = backend.clone();
        let write = tokio::spawn(async move { put(&writer, "a", "1").await });
        until("the server has the write", async || {
            clients().await.iter().any(|client| client.contains(" flags=b "))
        })
        .await;
        backend.close().await?;
        let outcome = tokio::time::timeout(PATIENCE, write).await??;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Indeterminate);
        server.command::<()>(&["CLIENT", "UNPAUSE"]).await?;
        until("the connections are gone", async || clients().await.is_empty()).await;
    }
    Ok(())
}

/// Sends two commands on one connection and returns the answer to the second.
async fn redis_command(
    connection: &mut ::redis::aio::MultiplexedConnection,
    first: &[&str],
    second: &[&str],
) -> ::redis::RedisResult<i64> {
    let command = |words: &[&str]| {
        let mut command = ::redis::Cmd::new();
        for word in words {
            command.arg(word);
        }
        command
    };
    command(first).exec_async(connection).await?;
    command(second).query_async(connection).await
}
