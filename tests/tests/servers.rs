//! The servers that other tests start: they get ready, survive what they should, and always end.

use std::{
    error::Error,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tests::servers::{
    nats::{self, Version},
    redis::{Cluster, Flavour, Sentinel, Server},
};

type TestResult = Result<(), Box<dyn Error>>;

/// Longer than the system takes to end a process.
const PATIENCE: Duration = Duration::from_secs(20);

async fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        if Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    true
}

fn is_reachable(address: &str) -> bool {
    TcpStream::connect(address).is_ok()
}

#[tokio::test]
async fn every_redis_starts_and_says_its_version() -> TestResult {
    for (flavour, line) in Flavour::ALL.into_iter().zip(["6.2.", "7.0.", "8.", "9."]) {
        let server = Server::start(flavour).await;
        assert!(server.version().starts_with(line), "{flavour}: {}", server.version());
        assert_eq!(server.command::<String>(&["PING"]).await?, "PONG", "{flavour}");
    }
    Ok(())
}

#[tokio::test]
async fn every_nats_starts_and_says_its_version() {
    for (version, line) in Version::ALL.into_iter().zip(["2.9.", "2.11.", "2.15."]) {
        let server = nats::Server::start(version).await;
        assert!(server.version().starts_with(line), "{version:?}: {}", server.version());
        assert!(is_reachable(&server.address()), "{version:?}");
    }
}

#[tokio::test]
async fn a_killed_server_comes_back_with_its_port_and_data() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::builder(flavour).synced().start().await;
        let address = server.address();
        server.command::<()>(&["SET", "key", "kept"]).await?;
        server.kill();
        assert!(!is_reachable(&address), "{flavour} still listens");
        server.restart().await;
        assert_eq!(server.address(), address);
        assert_eq!(server.command::<String>(&["GET", "key"]).await?, "kept", "{flavour}");
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_asked_to_end_comes_back_with_its_data() -> TestResult {
    let server = Server::start(Flavour::Redis7).await;
    server.command::<()>(&["SET", "key", "kept"]).await?;
    server.stop().await;
    assert!(!is_reachable(&server.address()));
    server.restart().await;
    assert_eq!(server.command::<String>(&["GET", "key"]).await?, "kept");
    Ok(())
}

#[tokio::test]
async fn a_paused_server_answers_nothing_until_it_is_resumed() -> TestResult {
    let server = Server::start(Flavour::Valkey9).await;
    let mut connection = server.connect().await?;
    let ping = redis::cmd("PING");
    server.pause();
    {
        let mut answer = Box::pin(ping.query_async::<String>(&mut connection));
        let early = tokio::time::timeout(Duration::from_millis(200), &mut answer).await;
        assert!(early.is_err(), "a paused server answered");
        server.resume();
        assert_eq!(answer.await?, "PONG");
    }
    // One that is paused can be killed, too.
    server.pause();
    server.kill();
    assert!(!is_reachable(&server.address()));
    Ok(())
}

#[tokio::test]
async fn a_dropped_server_is_gone_with_its_folder() {
    let server = nats::Server::start(Version::V2_11).await;
    let (address, folder) = (server.address(), server.folder().to_owned());
    assert!(folder.is_dir());
    drop(server);
    assert!(!is_reachable(&address));
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_server_ends_when_its_test_program_is_killed() -> TestResult {
    let mut holder =
        Command::new(env!("CARGO_BIN_EXE_server_holder")).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(holder.stdout.take().ok_or("no output")?).lines();
    let (Some(address), Some(folder)) = (lines.next(), lines.next()) else {
        return Err("it did not say where the server is".into());
    };
    let (address, folder) = (address?, folder?);
    assert!(is_reachable(&address));
    holder.kill()?;
    holder.wait()?;
    assert!(eventually(|| !is_reachable(&address)).await, "the server outlives its program");
    assert!(eventually(|| !Path::new(&folder).exists()).await, "its folder is still there");
    Ok(())
}

#[tokio::test]
async fn users_and_passwords_are_asked_for() -> TestResult {
    let server = Server::builder(Flavour::Redis8)
        .password("hunter2")
        .user("ada", "lovelace", "~app:* +@read")
        .start()
        .await;
    assert_eq!(server.command::<String>(&["PING"]).await?, "PONG");
    let stranger = redis::Client::open(server.url())?.get_multiplexed_async_connection().await;
    let refused = match stranger {
        Ok(mut connection) => redis::cmd("PING").query_async::<String>(&mut connection).await.err(),
        Err(error) => Some(error),
    };
    assert_eq!(
        refused.and_then(|error| error.code().map(str::to_owned)).as_deref(),
        Some("NOAUTH")
    );
    let users: Vec<String> = server.command(&["ACL", "USERS"]).await?;
    assert_eq!(users, ["ada", "default"]);
    Ok(())
}

#[tokio::test]
async fn a_redis_can_speak_tls() -> TestResult {
    let server = Server::builder(Flavour::Redis7).tls().start().await;
    assert!(server.url().starts_with("rediss://127.0.0.1:"));
    assert_eq!(server.command::<String>(&["PING"]).await?, "PONG");
    let in_the_clear = redis::Client::open(format!("redis://{}", server.address()))?;
    assert!(in_the_clear.get_multiplexed_async_connection().await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_nats_can_speak_tls() -> TestResult {
    for version in Version::ALL {
        let server = nats::Server::builder(version).tls().start().await;
        assert!(server.url().starts_with("tls+nats://127.0.0.1:"));
        let trusted = server.certificates().ok_or("it has no certificates")?.authority();
        let client = async_nats::ConnectOptions::new()
            .require_tls(true)
            .add_root_certificates(trusted)
            .connect(server.address())
            .await?;
        assert!(client.server_info().tls_required, "{version:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_cluster_shares_the_slots_among_its_nodes() -> TestResult {
    for flavour in Flavour::ALL {
        let cluster = Cluster::start(flavour, 3).await;
        let mut stored = 0;
        for node in cluster.nodes() {
            for i in 0..20 {
                let written = node.command::<()>(&["SET", &format!("key{i}"), "1"]).await;
                stored += usize::from(written.is_ok());
            }
        }
        assert_eq!(stored, 20, "{flavour}: every key belongs to one node");
    }
    Ok(())
}

#[tokio::test]
async fn a_sentinel_makes_the_replica_the_master() -> TestResult {
    for flavour in [Flavour::Redis7, Flavour::Redis8, Flavour::Valkey9] {
        let sentinel = Sentinel::start(flavour).await;
        let old = sentinel.master().await.port();
        sentinel.fail_over().await;
        let new = sentinel.master().await;
        assert_ne!(new.port(), old, "{flavour}");
        new.command::<()>(&["SET", "key", "1"]).await?;
    }
    Ok(())
}
