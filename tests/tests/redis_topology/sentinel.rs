//! Redis behind Sentinels: masters that change.

use super::*;

fn config(sentinel: &Sentinel) -> RedisConfig {
    RedisConfig::sentinel([sentinel.sentinel().address()], Sentinel::MASTER)
}

/// Writes until it works again. Until then each attempt says so, and does not take long.
async fn set_again(backend: &RedisBackend, key: &str) -> TestResult {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let start = Instant::now();
        let result = put(backend, key, "after").await;
        assert!(start.elapsed() < Duration::from_secs(5), "an attempt took {:?}", start.elapsed());
        match result.map_err(|error| error.kind()) {
            Ok(()) => return Ok(()),
            Err(ErrorKind::Unavailable | ErrorKind::Indeterminate | ErrorKind::ReadOnly) => {}
            Err(other) => panic!("unexpected: {other:?}"),
        }
        assert!(Instant::now() < deadline, "no new master was found");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_new_master_is_found_after_an_orderly_failover() -> TestResult {
    let sentinel = Sentinel::start(Flavour::Redis7).await;
    let backend = RedisBackend::connect(config(&sentinel)).await?;
    put(&backend, "before", "1").await?;
    let mut changes = watch(&backend, "before").await?;
    let old = sentinel.master().await.port();

    replicated(sentinel.master().await).await;
    sentinel.fail_over().await;
    set_again(&backend, "after").await?;

    let master = sentinel.master().await;
    assert_ne!(master.port(), old);
    assert_eq!(master.command::<String>(&["GET", "after"]).await?, "after");
    assert_eq!(value(&backend, "before").await?.as_deref(), Some("1"));
    assert_eq!(next(&mut changes).await?, Change::Everything);
    put(&backend, "before", "2").await?;
    assert_eq!(next(&mut changes).await?, told("before"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_new_master_is_found_after_a_crash() -> TestResult {
    let sentinel = Sentinel::start(Flavour::Valkey9).await;
    let backend = RedisBackend::connect(config(&sentinel)).await?;
    put(&backend, "before", "1").await?;
    let old = sentinel.master().await;
    let port = old.port();

    old.kill();
    set_again(&backend, "after").await?;
    assert_ne!(sentinel.master().await.port(), port);
    assert_eq!(value(&backend, "after").await?.as_deref(), Some("after"));

    // The former master comes back as a replica, and is not talked to.
    let old = sentinel.servers().iter().find(|server| server.port() == port).ok_or("no server")?;
    old.restart().await;
    sentinel.follow().await;
    put(&backend, "later", "1").await?;
    let again = RedisBackend::connect(config(&sentinel)).await?;
    assert_eq!(value(&again, "later").await?.as_deref(), Some("1"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_master_everything_fails_at_once() -> TestResult {
    let sentinel = Sentinel::start(Flavour::Redis8).await;
    let backend = RedisBackend::connect(config(&sentinel)).await?;
    put(&backend, "key", "1").await?;
    for server in sentinel.servers() {
        server.kill();
    }
    let deadline = Instant::now() + PATIENCE;
    while value(&backend, "key").await.is_ok() {
        assert!(Instant::now() < deadline, "the loss is not noticed");
    }
    for _ in 0..20 {
        let start = Instant::now();
        let error = put(&backend, "key", "2").await.expect_err("there is no master");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(start.elapsed() < Duration::from_millis(500), "it took {:?}", start.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let refused = RedisBackend::connect(config(&sentinel)).await.expect_err("there is no master");
    assert_eq!(refused.kind(), ErrorKind::Unavailable, "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_master_that_no_sentinel_knows_is_missing() -> TestResult {
    let sentinel = Sentinel::start(Flavour::Redis7).await;
    let config = RedisConfig::sentinel([sentinel.sentinel().address()], "nobody");
    let error = RedisBackend::connect(config).await.expect_err("nobody is watched over");
    assert_eq!(error.kind(), ErrorKind::Missing, "{error}");
    Ok(())
}

/// It was cut off from the others, so to say: the Sentinel names another master, and the former one
/// knows nothing of that and goes on to answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_former_master_that_still_answers_is_left() -> TestResult {
    let sentinel = Sentinel::start(Flavour::Redis7).await;
    let backend = RedisBackend::connect(config(&sentinel)).await?;
    let old = sentinel.master().await.port();
    let new = sentinel.servers().iter().find(|server| server.port() != old).ok_or("no replica")?;
    let watcher = sentinel.sentinel();
    watcher.command::<()>(&["SENTINEL", "REMOVE", Sentinel::MASTER]).await?;
    new.command::<()>(&["REPLICAOF", "NO", "ONE"]).await?;
    let port = new.port().to_string();
    watcher
        .command::<()>(&["SENTINEL", "MONITOR", Sentinel::MASTER, "127.0.0.1", &port, "1"])
        .await?;
    let moved = || async {
        put(&backend, "key", "1").await.is_ok()
            && new.command::<Option<String>>(&["GET", "key"]).await.is_ok_and(|got| got.is_some())
    };
    until("the new master is written to", moved).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn that_a_failover_can_lose_writes_is_a_risk() -> TestResult {
    let sentinel = Sentinel::start(Flavour::Valkey9).await;
    let backend = RedisBackend::connect(config(&sentinel)).await?;
    let risks = backend.risks().await?;
    assert!(risks.iter().any(|risk| risk.name() == "failover"), "{risks:?}");
    assert!(!backend.capabilities().contains(state_runtime::backend::Capability::Durable));
    Ok(())
}
