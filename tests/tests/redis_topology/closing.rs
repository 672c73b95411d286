//! What a backend has begun ends with it: tasks, and connections of whatever kind.

use tokio::runtime::Handle;

use super::*;

const NAME: &str = "short-lived";

/// How many tasks there are. The tests themselves have none.
fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

async fn no_task_is_left() {
    until("no task is left", || async { tasks() == 0 }).await;
}

/// Uses everything that has a connection or a task of its own, ends the backend while a scan is not
/// over and a watch is held, and looks whether anything goes on.
async fn ends_all(config: RedisConfig, servers: &[Server]) -> TestResult {
    for closes in [true, false] {
        no_task_is_left().await;
        let backend = RedisBackend::connect(config.clone().with_client_name(NAME)).await?;
        fill(&backend, "user:", 600).await?;
        let cursor = page(&backend, "user:", None, 10).await?.next;
        assert!(cursor.is_some(), "the scan is over");
        let changes = watch(&backend, "user:").await?;
        assert!(tasks() > 2, "there is nothing to end");
        if closes {
            backend.close().await?;
            no_task_is_left().await;
            let error = page(&backend, "user:", cursor, 10).await.expect_err("it is closed");
            assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
            no_task_is_left().await;
        } else {
            drop(backend);
            no_task_is_left().await;
            drop(cursor);
        }
        drop(changes);
        for server in servers {
            let gone = || async {
                let clients = server.command::<String>(&["CLIENT", "LIST"]).await;
                clients.is_ok_and(|clients| !clients.contains(NAME))
            };
            until("no connection is left", gone).await;
        }
    }
    Ok(())
}

#[tokio::test]
async fn with_one_server() -> TestResult {
    let server = Server::start(Flavour::Valkey9).await;
    ends_all(RedisConfig::new(server.address()), core::slice::from_ref(&server)).await
}

#[tokio::test]
async fn behind_a_sentinel() -> TestResult {
    let sentinel = Sentinel::start(Flavour::Redis7).await;
    let config = RedisConfig::sentinel([sentinel.sentinel().address()], Sentinel::MASTER);
    ends_all(config, sentinel.servers()).await
}

#[tokio::test]
async fn in_a_cluster() -> TestResult {
    let cluster = Cluster::start(Flavour::Redis8, 3).await;
    ends_all(RedisConfig::cluster(cluster.addresses()), cluster.nodes()).await
}

/// As long as the backend is open, that node is looked for again and again.
#[tokio::test]
async fn in_a_cluster_with_a_node_that_is_down() -> TestResult {
    let cluster = Cluster::start(Flavour::Redis7, 3).await;
    let down = &cluster.nodes()[2];
    for stands_still in [true, false] {
        no_task_is_left().await;
        if stands_still {
            down.pause();
        } else {
            down.kill();
        }
        let config = RedisConfig::cluster(cluster.addresses()).with_client_name(NAME);
        let backend = RedisBackend::connect(config).await?;
        backend.close().await?;
        no_task_is_left().await;
        if stands_still { down.resume() } else { down.restart().await }
    }
    Ok(())
}
