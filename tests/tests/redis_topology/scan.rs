//! Scans: complete over restarts and failovers, and nothing twice.

use super::*;

const KEYS: usize = 20_000;

/// A scan that has come to about its middle.
async fn half(backend: &RedisBackend, names: &[String]) -> Result<(Listed, Option<Cursor>)> {
    let (mut listed, mut cursor) = (Listed::new(), None);
    while listed.len() < names.len() / 2 {
        cursor = list(&mut listed, page(backend, "user:", cursor, 250).await?);
        assert!(cursor.is_some(), "the scan ends before its middle");
    }
    Ok((listed, cursor))
}

async fn over_a_restart(flavour: Flavour) -> TestResult {
    let server = Server::start(flavour).await;
    let backend = connect(&server).await?;
    let names = fill(&backend, "user:", KEYS).await?;
    fill(&backend, "other:", 1000).await?;
    let (mut listed, cursor) = half(&backend, &names).await?;

    server.restart().await;
    finish(&backend, "user:", cursor, &mut listed).await?;
    assert_complete(&listed, &names);
    assert_eq!(listed.len(), names.len(), "keys of another prefix were listed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_complete_over_a_restart_of_redis_7() -> TestResult {
    over_a_restart(Flavour::Redis7).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_complete_over_a_restart_of_redis_8() -> TestResult {
    over_a_restart(Flavour::Redis8).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_complete_over_a_restart_of_valkey_9() -> TestResult {
    over_a_restart(Flavour::Valkey9).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_complete_over_a_failover() -> TestResult {
    let sentinel = Sentinel::start(Flavour::Redis7).await;
    let address = sentinel.sentinel().address();
    let config = RedisConfig::sentinel([address], Sentinel::MASTER);
    let backend = RedisBackend::connect(config).await?;
    let names = fill(&backend, "user:", KEYS).await?;
    let (mut listed, cursor) = half(&backend, &names).await?;

    replicated(sentinel.master().await).await;
    sentinel.fail_over().await;
    finish(&backend, "user:", cursor, &mut listed).await?;
    assert_complete(&listed, &names);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_shrinks_makes_no_key_come_twice() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::start(flavour).await;
        let backend = connect(&server).await?;
        let names = fill(&backend, "user:", KEYS).await?;
        let (mut listed, mut cursor) = (Listed::new(), None);
        let mut left = names.clone();
        // The table shrinks with each of these steps, and the server goes back a little.
        while left.len() > 16 {
            for _ in 0..3 {
                if listed.is_empty() || cursor.is_some() {
                    cursor = list(&mut listed, page(&backend, "user:", cursor, 200).await?);
                }
            }
            let gone = left.split_off(left.len() / 8);
            let mut remove = vec!["DEL"];
            remove.extend(gone.iter().map(String::as_str));
            server.command::<i64>(&remove).await?;
        }
        finish(&backend, "user:", cursor, &mut listed).await?;
        assert_complete(&listed, &left);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_string_is_passed_over() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::shared(flavour).await;
        let backend = connect(server).await?;
        put(&backend, "mixed:value", "1").await?;
        server.command::<i64>(&["HSET", "mixed:hash", "field", "1"]).await?;
        server.command::<i64>(&["RPUSH", "mixed:list", "1"]).await?;
        let mut connection = server.connect().await?;
        let mut binary = ::redis::cmd("SET");
        binary.arg(b"mixed:\xff").arg("1").exec_async(&mut connection).await?;

        let mut listed = Listed::new();
        let cursor = list(&mut listed, page(&backend, "mixed:", None, 100).await?);
        finish(&backend, "mixed:", cursor, &mut listed).await?;
        assert_eq!(listed, Listed::from([("mixed:value".to_owned(), 1)]));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_can_be_asked_for_again() -> TestResult {
    let server = Server::start(Flavour::Valkey9).await;
    let backend = connect(&server).await?;
    let names = fill(&backend, "user:", 3000).await?;
    let mut listed = Listed::new();
    let mut cursor = list(&mut listed, page(&backend, "user:", None, 100).await?);
    while cursor.is_some() {
        // The first answer is lost on its way, so to say.
        page(&backend, "user:", cursor.clone(), 100).await?;
        cursor = list(&mut listed, page(&backend, "user:", cursor, 100).await?);
    }
    assert_complete(&listed, &names);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_scan_is_refused() -> TestResult {
    let server = Server::start(Flavour::Redis8).await;
    let backend = connect(&server).await?;
    fill(&backend, "user:", 300).await?;
    let cursor = page(&backend, "user:", None, 1).await?.next;
    assert!(cursor.is_some());
    let error = page(&backend, "other:", cursor, 1).await.expect_err("it is of another prefix");
    assert_eq!(error.kind(), ErrorKind::Other, "{error}");
    let made_up = Some(Cursor::from_bytes(*b"17"));
    let error = page(&backend, "user:", made_up, 1).await.expect_err("it is of no scan");
    assert_eq!(error.kind(), ErrorKind::Other, "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_without_a_server_fails_at_once() -> TestResult {
    let server = Server::start(Flavour::Redis7).await;
    let backend = connect(&server).await?;
    fill(&backend, "user:", 1000).await?;
    let cursor = page(&backend, "user:", None, 10).await?.next;
    server.kill();
    until("the loss is noticed", || async { value(&backend, "user:00000").await.is_err() }).await;
    let start = Instant::now();
    let error = page(&backend, "user:", cursor, 1000).await.expect_err("there is no server");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(start.elapsed() < Duration::from_secs(1), "it took {:?}", start.elapsed());
    Ok(())
}
