//! The connection for large commands when it cannot be made, while that for small ones works.

use tests::proxy::{Action, Direction, Fault, Proxy};

use super::*;

/// More connections than the backend makes in any of these tests.
const MANY: usize = 1000;

/// Enough keys for the connection that is for large commands.
fn requests() -> Vec<(Key, GetOptions)> {
    (0..100).map(|number| (key(&format!("bulk:{number}")), GetOptions::default())).collect()
}

/// Every connection after the first is accepted and then silent.
fn swallow_further(proxy: &Proxy) {
    for number in 1..MANY {
        proxy.arm(Fault::new(Direction::ToServer, 0, Action::Swallow).on(number));
    }
}

async fn connect_through(proxy: &Proxy, limit: Duration) -> Result<RedisBackend> {
    let config = RedisConfig::new(proxy.address()).with_connect_timeout(limit);
    RedisBackend::connect(config).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_known_to_be_down_is_unavailable_at_once() -> TestResult {
    let server = Server::shared(Flavour::Redis7).await;
    let proxy = Proxy::start(server.address()).await;
    let limit = Duration::from_secs(1);
    let backend = connect_through(&proxy, limit).await?;
    swallow_further(&proxy);
    let (requests, start) = (requests(), Instant::now());

    // Those who come first wait for the same attempt, and not one after the other.
    let first = (0..20).map(|_| backend.get_many(&requests));
    for outcome in futures_util::future::join_all(first).await {
        assert_eq!(outcome.map_err(|error| error.kind()), Err(ErrorKind::Unavailable));
    }
    let later = Instant::now();
    for _ in 0..100 {
        let outcome = backend.get_many(&requests).await;
        assert_eq!(outcome.map_err(|error| error.kind()), Err(ErrorKind::Unavailable));
        put(&backend, "bulk:small", "1").await?;
    }
    assert!(later.elapsed() < limit * 30, "whoever came later waited: {:?}", later.elapsed());
    // Not one attempt more than there was time for, whoever asked.
    let attempts = proxy.traffic().connections - 1;
    let possible = start.elapsed().as_millis() / limit.as_millis() + 1;
    assert!(attempts as u128 <= possible, "{attempts} attempts in {:?}", start.elapsed());

    proxy.disarm();
    proxy.sever().await;
    until("it is made", || async { backend.get_many(&requests).await.is_ok() }).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_being_made_ends_when_the_backend_is_closed() -> TestResult {
    let server = Server::shared(Flavour::Redis8).await;
    for closes in [true, false] {
        let proxy = Proxy::start(server.address()).await;
        // Far longer than anybody waits here.
        let backend = connect_through(&proxy, PATIENCE * 10).await?;
        swallow_further(&proxy);
        let (clone, requests) = (backend.clone(), requests());
        let asking = tokio::spawn(async move { clone.get_many(&requests).await });
        until("it is begun", || async { proxy.traffic().connections == 2 }).await;
        if closes {
            backend.close().await?;
            let outcome = tokio::time::timeout(PATIENCE, asking).await??;
            assert_eq!(outcome.map_err(|error| error.kind()), Err(ErrorKind::Closed));
        } else {
            asking.abort();
            drop(backend);
        }
        until("no connection is left", || async { proxy.open() == 0 }).await;
    }
    Ok(())
}
