//! Watches: nothing is missed, and where something may have been, that is said.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_is_told_although_nobody_looks() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::shared(flavour).await;
        let backend = connect(server).await?;
        let mut changes = watch(&backend, "expiring:").await?;
        server.command::<()>(&["SET", "expiring:1", "1", "PX", "100"]).await?;
        assert_eq!(next(&mut changes).await?, told("expiring:1"), "the write");
        assert_eq!(next(&mut changes).await?, told("expiring:1"), "the expiry");
        assert_eq!(value(&backend, "expiring:1").await?, None);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn flushing_is_a_change_of_everything() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::start(flavour).await;
        let backend = connect(&server).await?;
        let mut changes = watch(&backend, "a:").await?;
        put(&backend, "a:1", "1").await?;
        assert_eq!(next(&mut changes).await?, told("a:1"));
        server.command::<()>(&["FLUSHALL"]).await?;
        assert_eq!(next(&mut changes).await?, Change::Everything);
        put(&backend, "a:1", "1").await?;
        assert_eq!(next(&mut changes).await?, told("a:1"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_survives_the_loss_of_its_connection() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::start(flavour).await;
        let backend = connect(&server).await?;
        let mut of_key = backend.watch(WatchRequest::Key(key("a:1"))).await?;
        let mut of_prefix = watch(&backend, "a:").await?;
        for lose in ["kill", "restart"] {
            match lose {
                "kill" => drop(server.command::<i64>(&["CLIENT", "KILL", "TYPE", "normal"]).await?),
                _ => server.restart().await,
            }
            for changes in [&mut of_key, &mut of_prefix] {
                assert_eq!(next(changes).await?, Change::Everything, "{lose}");
            }
            server.command::<()>(&["SET", "a:1", lose]).await?;
            for changes in [&mut of_key, &mut of_prefix] {
                assert_eq!(next(changes).await?, told("a:1"), "{lose}");
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_silent_for_too_long_may_have_changed_everything() -> TestResult {
    let server = Server::start(Flavour::Redis7).await;
    let config = RedisConfig::new(server.address());
    let config = config.with_response_timeout(Duration::from_millis(300));
    let backend = RedisBackend::connect(config).await?;
    let mut changes = watch(&backend, "a:").await?;
    server.pause();
    tokio::time::sleep(Duration::from_secs(4)).await;
    server.resume();
    assert_eq!(next(&mut changes).await?, Change::Everything);
    server.command::<()>(&["SET", "a:1", "1"]).await?;
    assert_eq!(next(&mut changes).await?, told("a:1"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_may_overlap_in_any_order() -> TestResult {
    let server = Server::start(Flavour::Valkey9).await;
    let orders: [&[&str]; 4] = [
        &["", "a:", "a:b", "a:b:c"],
        &["a:b:c", "a:b", "a:", ""],
        &["a:b", "", "a:b:c", "a:"],
        &["a:b", "a:b", "a:c", "a:", "b"],
    ];
    for prefixes in orders {
        let backend = connect(&server).await?;
        let mut watches = Vec::new();
        for prefix in prefixes {
            watches.push((prefix, watch(&backend, prefix).await?));
        }
        for name in ["a:b:c", "a:b", "a:c", "b:1"] {
            put(&backend, name, "1").await?;
            for (prefix, changes) in &mut watches {
                if name.starts_with(**prefix) {
                    assert_eq!(next(changes).await?, told(name), "{prefix} of {prefixes:?}");
                }
            }
        }
    }
    Ok(())
}

/// The connection is replaced by one that tracks more, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_while_others_begin_to_watch_more() -> TestResult {
    let server = Server::start(Flavour::Redis8).await;
    let backend = connect(&server).await?;
    let mut changes = watch(&backend, "a:a:a:a:a:a:").await?;
    let writer = connect(&server).await?;
    let writing = tokio::spawn(async move {
        let mut written = Vec::new();
        for number in 0..800 {
            let name = format!("a:a:a:a:a:a:{number}");
            put(&writer, &name, "1").await?;
            written.push(name);
        }
        Result::<Vec<String>>::Ok(written)
    });
    let mut others = Vec::new();
    for length in (0..6).rev() {
        others.push(watch(&backend, &"a:".repeat(length)).await?);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for name in writing.await?? {
        // Each key is written once, and stands in the queue until it is read.
        match next(&mut changes).await? {
            Change::Key(found) => assert_eq!(found.as_str(), name),
            other => panic!("{other:?} in place of {name}"),
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_watches_any_more_costs_the_server_nothing() -> TestResult {
    let server = Server::start(Flavour::Redis7).await;
    let backend = connect(&server).await?;
    let tracking = || async {
        let clients: String = server.command(&["CLIENT", "LIST"]).await.unwrap_or_default();
        clients.lines().filter(|line| line.contains("flags=") && is_tracking(line)).count()
    };
    let changes = watch(&backend, "a:").await?;
    let another = watch(&backend, "b:").await?;
    assert_eq!(tracking().await, 1, "one connection tracks for all");
    drop((changes, another));
    until("the connection is closed", || async { tracking().await == 0 }).await;
    // And it starts again.
    let mut changes = watch(&backend, "a:").await?;
    put(&backend, "a:1", "1").await?;
    assert_eq!(next(&mut changes).await?, told("a:1"));
    Ok(())
}

/// Whether a line of `CLIENT LIST` has the flag of tracking in broadcast mode.
fn is_tracking(line: &str) -> bool {
    let flags = line.split(' ').find_map(|field| field.strip_prefix("flags="));
    flags.is_some_and(|flags| flags.contains('B'))
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_watch_is_told_so() -> TestResult {
    let rules = "~* +@all -client|tracking";
    let server = Server::builder(Flavour::Redis8).user("ada", "secret", rules).start().await;
    let config = RedisConfig::new(server.address());
    let config = config.with_username("ada").with_password("secret");
    let backend = RedisBackend::connect(config).await?;
    let error = watch(&backend, "a:").await.err().ok_or("the user may not watch")?;
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_without_a_server_is_refused_and_works_later() -> TestResult {
    let server = Server::start(Flavour::Valkey9).await;
    let backend = connect(&server).await?;
    server.kill();
    let start = Instant::now();
    let error = watch(&backend, "a:").await.err().ok_or("there is no server")?;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(start.elapsed() < Duration::from_secs(4), "it took {:?}", start.elapsed());
    server.restart().await;
    let mut changes = watch(&backend, "a:").await?;
    server.command::<()>(&["SET", "a:1", "1"]).await?;
    assert_eq!(next(&mut changes).await?, told("a:1"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_with_its_backend() -> TestResult {
    let server = Server::shared(Flavour::Redis7).await;
    let backend = connect(server).await?;
    let mut closed = watch(&backend, "a:").await?;
    backend.close().await?;
    assert!(closed.next().await.is_none());
    assert_eq!(watch(&backend, "a:").await.err().map(|e| e.kind()), Some(ErrorKind::Closed));

    let backend = connect(server).await?;
    let mut dropped = watch(&backend, "a:").await?;
    drop(backend);
    assert!(dropped.next().await.is_none());
    Ok(())
}
