//! Some of several servers are down, or silent, when a backend connects.

use std::net::TcpListener;

use super::*;

/// A server that lets everybody connect and never says a word. It ends with the listener.
fn silent() -> std::io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    Ok((listener, address))
}

/// The names of keys that `node` has, and of others.
async fn divided(
    node: &Server,
    names: Vec<String>,
) -> core::result::Result<(Vec<String>, Vec<String>), Box<dyn Error>> {
    let (mut there, mut elsewhere) = (Vec::new(), Vec::new());
    for name in names {
        // Everybody else sends the caller on.
        let found = node.command::<Option<String>>(&["GET", &name]).await.is_ok();
        if found { &mut there } else { &mut elsewhere }.push(name);
    }
    assert!(!there.is_empty() && !elsewhere.is_empty(), "the keys are not divided");
    Ok((there, elsewhere))
}

#[derive(Clone, Copy)]
enum Trouble {
    Killed,
    StandsStill,
}

async fn one_master_of_three(trouble: Trouble) -> TestResult {
    let cluster = Cluster::start(Flavour::Redis7, 3).await;
    for node in cluster.nodes() {
        node.command::<()>(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]).await?;
    }
    let config = || RedisConfig::cluster(cluster.addresses());
    let backend = RedisBackend::connect(config()).await?;
    let names = fill(&backend, "key:", 60).await?;
    drop(backend);
    let down = &cluster.nodes()[1];
    let (lost, others) = divided(down, names).await?;
    match trouble {
        Trouble::Killed => down.kill(),
        Trouble::StandsStill => down.pause(),
    }

    // Were it waited for, it would take as long as this.
    let backend = RedisBackend::connect(config().with_response_timeout(PATIENCE * 10)).await?;
    for name in &others {
        assert_eq!(value(&backend, name).await?.as_ref(), Some(name));
    }
    for name in &lost {
        let put = tokio::time::timeout(PATIENCE, put(&backend, name, "new"));
        let error = put.await?.expect_err("its node is down");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains(&down.address()), "{error}");
    }
    match trouble {
        Trouble::Killed => down.restart().await,
        Trouble::StandsStill => down.resume(),
    }
    let back = || async {
        let reads = lost.iter().map(|name| value(&backend, name));
        let found = futures_util::future::join_all(reads).await;
        found
            .iter()
            .zip(&lost)
            .all(|(found, name)| found.as_ref().ok() == Some(&Some(name.clone())))
    };
    until("all keys are back", back).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_is_down_keeps_nobody_from_the_others() -> TestResult {
    one_master_of_three(Trouble::Killed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_stands_still_keeps_nobody_from_the_others() -> TestResult {
    one_master_of_three(Trouble::StandsStill).await
}

#[tokio::test(flavor = "multi_thread")]
async fn seeds_that_are_down_or_silent_are_passed_over() -> TestResult {
    let cluster = Cluster::start(Flavour::Valkey9, 2).await;
    let known = cluster.addresses().pop().ok_or("no nodes")?;
    let (_listener, mute) = silent()?;
    let seeds = ["127.0.0.1:1".to_owned(), mute, "no.such.host.invalid".to_owned(), known];
    let backend = RedisBackend::connect(RedisConfig::cluster(seeds)).await?;
    for name in fill(&backend, "key:", 20).await? {
        assert_eq!(value(&backend, &name).await?, Some(name));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_seed_answers_all_of_them_are_named() -> TestResult {
    let seeds = ["127.0.0.1:1", "127.0.0.1:2"];
    let error = RedisBackend::connect(RedisConfig::cluster(seeds)).await.expect_err("no nodes");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    for seed in seeds {
        assert!(error.to_string().contains(seed), "{error}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentinel_that_is_silent_keeps_nobody_from_the_master() -> TestResult {
    let sentinel = Sentinel::start(Flavour::Redis7).await;
    let speaks = sentinel.sentinel().address();
    let (_listener, mute) = silent()?;
    for sentinels in [[mute.clone(), speaks.clone()], [speaks.clone(), mute.clone()]] {
        let config = RedisConfig::sentinel(sentinels, Sentinel::MASTER);
        let backend = RedisBackend::connect(config).await?;
        put(&backend, "key", "1").await?;
    }
    let nobody = RedisConfig::sentinel([mute, speaks.clone()], "nobody");
    let error = RedisBackend::connect(nobody).await.expect_err("nobody is watched over");
    assert_eq!(error.kind(), ErrorKind::Missing, "{error}");
    assert!(error.to_string().contains(&speaks), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_never_answer_are_named_when_the_time_is_over() -> TestResult {
    let ((_one, first), (_other, second)) = (silent()?, silent()?);
    let several = || [first.clone(), second.clone()];
    for config in [
        RedisConfig::new(first.clone()),
        RedisConfig::cluster(several()),
        RedisConfig::sentinel(several(), "mymaster"),
    ] {
        let single = format!("{config:?}").contains("Single");
        let config = config
            .with_connect_timeout(Duration::from_millis(300))
            .with_password("tiger-5e2")
            .with_sentinel_password("tiger-5e2");
        let error = RedisBackend::connect(config).await.expect_err("nobody answers");
        let shown = format!("{error} {error:?}");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(shown.contains(&first) && (single || shown.contains(&second)), "{shown}");
        assert!(!shown.contains("tiger"), "{shown}");
    }
    Ok(())
}
