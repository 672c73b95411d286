//! Servers that refuse.

use super::*;
use state_runtime::backend::BatchOp;
use tests::proxy::{Action, Direction, Fault, Proxy};

#[tokio::test]
async fn a_full_server_takes_no_writes_and_goes_on_reading() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::start(flavour).await;
        let backend = connect(&server).await?;
        put(&backend, "a", "1").await?;
        server.command::<()>(&["CONFIG", "SET", "maxmemory", "1"]).await?;
        assert_eq!(refused(put(&backend, "b", "2")).await, ErrorKind::ReadOnly);
        assert_eq!(refused(backend.add(&key("n"), plus(1))).await, ErrorKind::ReadOnly);
        let write = |name| BatchOp::Set {
            key: key(name),
            value: "2".into(),
            options: SetOptions::default(),
        };
        let batch = backend.apply(vec![write("b"), write("c")]);
        assert_eq!(refused(batch).await, ErrorKind::ReadOnly);
        assert_eq!(value(&backend, "a").await?.as_deref(), Some("1"));
        backend.remove(&key("a"), <_>::default()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_replica_takes_no_writes_and_goes_on_reading() -> TestResult {
    for flavour in Flavour::ALL {
        let master = Server::start(flavour).await;
        let replica = Server::builder(flavour)
            .config(&format!("replicaof 127.0.0.1 {}", master.port()))
            .start()
            .await;
        put(&connect(&master).await?, "a", "1").await?;
        let backend = connect(&replica).await?;
        until("the replica follows", async || {
            value(&backend, "a").await.is_ok_and(|a| a.is_some())
        })
        .await;
        for _ in 0..20 {
            assert_eq!(refused(put(&backend, "a", "2")).await, ErrorKind::ReadOnly);
            assert_eq!(refused(backend.add(&key("n"), plus(1))).await, ErrorKind::ReadOnly);
            assert_eq!(value(&backend, "a").await?.as_deref(), Some("1"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_value_that_the_server_cannot_take_is_not_sent() -> TestResult {
    let server = Server::builder(Flavour::Redis7).arg("--proto-max-bulk-len", "1mb").start().await;
    let backend = connect(&server).await?;
    let limit = 1 << 20;
    let name = key("a");
    let set = |size| backend.set(&name, vec![b'x'; size].into(), SetOptions::default());
    set(limit).await?;
    assert_eq!(refused(set(limit + 1)).await, ErrorKind::TooLarge { size: limit + 1, limit });
    Ok(())
}

#[tokio::test]
async fn a_server_without_room_refuses_the_connection() -> TestResult {
    let server = Server::builder(Flavour::Redis7).arg("--maxclients", "2").start().await;
    let (_one, _two) = (server.connect().await?, server.connect().await?);
    // The server hangs up right behind its refusal. What reaches it after that makes the system throw
    // away what the client has not read yet, so nothing does.
    let proxy = Proxy::start(server.address()).await;
    proxy.arm(Fault::new(Direction::ToServer, 0, Action::Hold));
    let refusal = RedisBackend::connect(RedisConfig::new(proxy.address())).await;
    let error = refusal.expect_err("there is no room");
    assert_eq!(error.kind(), ErrorKind::Overloaded, "{error}");
    assert!(error.to_string().contains("maxclients"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_large_batch_is_one_step() -> TestResult {
    let server = Server::shared(Flavour::Redis7).await;
    let backend = connect(server).await?;
    // More than the stack of a script could hold.
    let batch: Vec<_> = (0..20_000)
        .map(|i| BatchOp::Set {
            key: key(&format!("limits:batch:{i}")),
            value: "1".into(),
            options: SetOptions::default(),
        })
        .collect();
    backend.apply(batch).await?;
    assert_eq!(value(&backend, "limits:batch:19999").await?.as_deref(), Some("1"));
    Ok(())
}
