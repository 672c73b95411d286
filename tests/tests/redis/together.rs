//! Many reads at once, which then travel together.

use super::*;
use futures_util::future::join_all;

#[tokio::test(flavor = "multi_thread")]
async fn every_one_of_many_reads_gets_its_own_answer() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::shared(flavour).await;
        let backend = connect(server).await?;
        server.command::<()>(&["DEL", "together:hash"]).await?;
        server.command::<()>(&["HSET", "together:hash", "a", "1"]).await?;
        for i in 0..100 {
            put(&backend, &format!("together:{i}"), &i.to_string()).await?;
        }
        for _ in 0..5 {
            let reads = (0..1000).map(|n| {
                let backend = backend.clone();
                tokio::spawn(async move {
                    match n % 4 {
                        0 => {
                            let hash = refused(value(&backend, "together:hash")).await;
                            assert_eq!(hash, ErrorKind::Foreign);
                        }
                        1 => assert_eq!(value(&backend, "together:none").await?, None),
                        _ => {
                            let i = n % 100;
                            let found = value(&backend, &format!("together:{i}")).await?;
                            assert_eq!(found, Some(i.to_string()));
                        }
                    }
                    Result::<(), state_runtime::backend::BackendError>::Ok(())
                })
            });
            for read in join_all(reads).await {
                read??;
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_is_dropped_takes_no_answer_along() -> TestResult {
    let server = Server::shared(Flavour::Redis7).await;
    let backend = connect(server).await?;
    put(&backend, "together:kept", "1").await?;
    for round in 0..20 {
        let reads: Vec<_> = (0..300)
            .map(|_| {
                let backend = backend.clone();
                tokio::spawn(async move { value(&backend, "together:kept").await })
            })
            .collect();
        // Some are dropped before they are sent, some on their way.
        for read in reads.iter().step_by(2 + round % 3) {
            read.abort();
        }
        for read in reads {
            match read.await {
                Ok(found) => assert_eq!(found?.as_deref(), Some("1")),
                Err(dropped) => assert!(dropped.is_cancelled()),
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn each_of_many_reads_of_a_dead_server_is_unavailable() -> TestResult {
    let server = Server::start(Flavour::Redis7).await;
    let config = RedisConfig::new(server.address())
        .with_response_timeout(Duration::from_millis(300))
        .with_connect_timeout(Duration::from_millis(300));
    let backend = RedisBackend::connect(config).await?;
    server.pause();
    let start = Instant::now();
    let reads = join_all((0..500).map(|_| refused(value(&backend, "a")))).await;
    assert!(reads.iter().all(|kind| *kind == ErrorKind::Unavailable));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    server.resume();
    until("it is back", async || value(&backend, "a").await.is_ok()).await;
    let reads = join_all((0..500).map(|_| value(&backend, "a"))).await;
    assert!(reads.iter().all(Result::is_ok));
    Ok(())
}

#[tokio::test]
async fn many_keys_come_back_in_their_order() -> TestResult {
    let server = Server::shared(Flavour::Valkey9).await;
    let backend = connect(server).await?;
    let count = 3000;
    let mut fill = ::redis::pipe();
    for i in (0..count).step_by(3) {
        fill.set(format!("together:many:{i}"), i).ignore();
    }
    fill.exec_async(&mut server.connect().await?).await?;
    let requests: Vec<_> = (0..count)
        .rev()
        .map(|i| (key(&format!("together:many:{i}")), GetOptions::default()))
        .collect();
    let found = backend.get_many(&requests).await?;
    for (entry, i) in found.into_iter().zip((0..count).rev()) {
        assert_eq!(entry.as_ref().map(text), (i % 3 == 0).then(|| i.to_string()));
    }
    Ok(())
}
