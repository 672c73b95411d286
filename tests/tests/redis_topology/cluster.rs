//! A cluster: keys of several slots, and nodes that are down.

use state_runtime::backend::{BatchOp, Capability};

use super::*;

fn config(cluster: &Cluster) -> RedisConfig {
    RedisConfig::cluster(cluster.addresses())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_over_several_slots_is_refused_and_nothing_of_it_written() -> TestResult {
    let cluster = Cluster::start(Flavour::Redis7, 3).await;
    let backend = RedisBackend::connect(config(&cluster)).await?;
    let write = |name: &str| BatchOp::Set {
        key: key(name),
        value: "1".into(),
        options: SetOptions::default(),
    };
    let error = backend.apply(vec![write("a"), write("b")]).await.expect_err("two slots");
    assert_eq!(error.kind(), ErrorKind::Unsupported(Capability::Batch), "{error}");
    assert_eq!(value(&backend, "a").await?, None);
    backend.apply(vec![write("{t}a"), write("{t}b")]).await?;
    assert_eq!(value(&backend, "{t}b").await?.as_deref(), Some("1"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_is_enough_to_find_the_others() -> TestResult {
    let cluster = Cluster::start(Flavour::Valkey9, 3).await;
    let known = cluster.addresses().pop().ok_or("no nodes")?;
    // The other one is not there at all.
    let config = RedisConfig::cluster(["127.0.0.1:1".to_owned(), known]);
    let backend = RedisBackend::connect(config).await?;
    let names = fill(&backend, "key:", 50).await?;
    for name in &names {
        assert_eq!(value(&backend, name).await?.as_ref(), Some(name));
    }
    for node in cluster.nodes() {
        assert!(node.command::<i64>(&["DBSIZE"]).await? > 0, "a node got nothing");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_in_no_cluster_is_refused() -> TestResult {
    let server = Server::shared(Flavour::Redis8).await;
    let error = RedisBackend::connect(RedisConfig::cluster([server.address()]))
        .await
        .expect_err("it is in no cluster");
    assert_eq!(error.kind(), ErrorKind::Other, "{error}");
    assert!(error.to_string().contains("RedisConfig::new"), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_keys_of_a_node_that_is_down_are_unavailable() -> TestResult {
    let cluster = Cluster::start(Flavour::Redis7, 3).await;
    for node in cluster.nodes() {
        node.command::<()>(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]).await?;
    }
    let backend = RedisBackend::connect(config(&cluster)).await?;
    let names = fill(&backend, "key:", 60).await?;
    let down = &cluster.nodes()[1];
    let mut lost = Vec::new();
    for name in &names {
        let there = down.command::<Option<String>>(&["GET", name]).await.is_ok();
        lost.extend(there.then_some(name));
    }
    assert!(!lost.is_empty() && lost.len() < names.len());
    down.kill();
    let noticed = || async { value(&backend, lost[0]).await.is_err() };
    until("the loss is noticed", noticed).await;

    for name in &names {
        let start = Instant::now();
        let found = value(&backend, name).await.map_err(|error| error.kind());
        let expected =
            if lost.contains(&name) { Err(ErrorKind::Unavailable) } else { Ok(Some(name.clone())) };
        assert_eq!(found, expected, "{name}");
        assert!(start.elapsed() < Duration::from_millis(500), "it took {:?}", start.elapsed());
    }
    let error = page(&backend, "key:", None, 100).await.expect_err("it cannot be complete");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");

    down.restart().await;
    let back = || async {
        let reads = names.iter().map(|name| value(&backend, name));
        futures_util::future::join_all(reads).await.iter().all(Result::is_ok)
    };
    until("all keys are back", back).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_the_place_of_its_master() -> TestResult {
    let cluster = Cluster::start(Flavour::Valkey9, 3).await;
    let replica = Server::builder(Flavour::Valkey9)
        .config("cluster-enabled yes")
        .config("cluster-node-timeout 2000")
        .config("cluster-replica-validity-factor 0")
        .start()
        .await;
    let master = &cluster.nodes()[0];
    let (id, port) = (master.command::<String>(&["CLUSTER", "MYID"]).await?, replica.port());
    master.command::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port.to_string()]).await?;
    let follows = || async {
        drop(replica.command::<()>(&["CLUSTER", "REPLICATE", &id]).await);
        let info = master.command::<String>(&["INFO", "replication"]).await.unwrap_or_default();
        info.contains("state=online")
    };
    until("the replica follows", follows).await;
    // Who does not know it yet would not hear that it has taken over.
    let known = || async {
        let views =
            cluster.nodes().iter().map(|node| node.command::<String>(&["CLUSTER", "NODES"]));
        let views = futures_util::future::join_all(views).await;
        views.iter().flatten().filter(|view| view.contains(&format!("slave {id}"))).count() == 3
    };
    until("all know the replica", known).await;

    let backend = RedisBackend::connect(config(&cluster)).await?;
    let names = fill(&backend, "key:", 60).await?;
    let mut changes = watch(&backend, "key:").await?;
    let (mut listed, cursor) = (Listed::new(), None::<Cursor>);
    let cursor = list(&mut listed, page(&backend, "key:", cursor, 5).await?);
    replicated(master).await;
    master.kill();

    let back = || async {
        let reads = names.iter().map(|name| value(&backend, name));
        let found = futures_util::future::join_all(reads).await;
        found.iter().all(|found| matches!(found, Ok(Some(_))))
    };
    until("the replica has taken over", back).await;
    finish(&backend, "key:", cursor, &mut listed).await?;
    assert_complete(&listed, &names);
    while next(&mut changes).await? != Change::Everything {}
    for name in &names {
        put(&backend, name, "new").await?;
        while next(&mut changes).await? != told(name) {}
    }
    Ok(())
}
