//! What is large does not stand in the way of what is small.

use super::*;
use state_runtime::backend::{BatchOp, Bytes};
use tests::proxy::{Action, Direction, Fault, Proxy};

const LARGE: usize = 4 << 20;

fn large() -> Bytes {
    vec![b'7'; LARGE].into()
}

/// Carries out `write` while its bytes are held in the middle, and small operations beside it.
async fn small_ones_go_on<W>(write: impl FnOnce(RedisBackend) -> W) -> TestResult
where
    W: Future<Output = Result<()>> + Send + 'static,
{
    let server = Server::shared(Flavour::Redis7).await;
    let proxy = Proxy::start(server.address()).await;
    let config = RedisConfig::new(proxy.address()).with_response_timeout(PATIENCE * 10);
    let backend = RedisBackend::connect(config).await?;
    put(&backend, "lanes:small", "1").await?;

    proxy.arm(Fault::new(Direction::ToServer, LARGE as u64 / 2, Action::Hold));
    let write = tokio::spawn(write(backend.clone()));
    until("the large one is on its way", async || proxy.traffic().faults == 1).await;
    for _ in 0..10 {
        assert_eq!(value(&backend, "lanes:small").await?.as_deref(), Some("1"));
        put(&backend, "lanes:small", "1").await?;
    }
    assert!(!write.is_finished(), "the large one was not held");
    proxy.release();
    write.await??;
    assert_eq!(value(&backend, "lanes:large").await?.map(|text| text.len()), Some(LARGE));
    Ok(())
}

#[tokio::test]
async fn a_large_set_holds_up_nothing_small() -> TestResult {
    small_ones_go_on(|backend| async move {
        backend.set(&key("lanes:large"), large(), SetOptions::default()).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_large_batch_holds_up_nothing_small() -> TestResult {
    small_ones_go_on(|backend| async move {
        let key = key("lanes:large");
        let set = BatchOp::Set { key, value: large(), options: SetOptions::default() };
        backend.apply(vec![set]).await.map(drop)
    })
    .await
}
