//! A bucket on three servers, one of which dies.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use super::*;
use futures_util::future::{join_all, try_join_all};
use state_runtime::backend::{AddOptions, ScanRequest};

/// Longer than servers take to agree on a leader, on a busy machine.
const ELECTION: Duration = Duration::from_secs(60);
/// How many writers there are, and how many writes of each have to succeed without the leader.
const WRITERS: usize = 4;
const AFTERWARDS: u64 = 25;

/// Three servers that know each other.
async fn cluster() -> core::result::Result<Vec<Server>, Box<dyn Error>> {
    let servers = join_all((0..3).map(|_| Server::start(Version::V2_15))).await;
    let ports: Vec<_> = servers.iter().map(|server| server.port() + 10_000).collect();
    let routes: Vec<_> = ports.iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
    let routes = routes.join(", ");
    for (i, (server, port)) in servers.iter().zip(&ports).enumerate() {
        let file = server.folder().join(format!("{}.conf", server.port()));
        let settings = fs::read_to_string(&file)?;
        let more = format!(
            "server_name: \"{i}\"\n\
             cluster {{ name: \"test\", listen: \"127.0.0.1:{port}\", routes: [{routes}] }}\n"
        );
        fs::write(file, settings + &more)?;
    }
    join_all(servers.iter().map(|server| server.restart())).await;
    Ok(servers)
}

/// The server that leads the bucket.
async fn leader(servers: &[Server]) -> core::result::Result<usize, Box<dyn Error>> {
    let urls: Vec<_> = servers.iter().map(Server::url).collect();
    let client = async_nats::connect(urls).await?;
    let stream = jetstream::new(client).get_stream("KV_state").await?;
    let cluster = stream.cached_info().cluster.as_ref().ok_or("it is on several servers")?;
    Ok(cluster.leader.as_deref().ok_or("it has a leader")?.parse()?)
}

/// Tries until it succeeds; meanwhile there is no leader, and that is said.
async fn at_last<T>(mut attempt: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + ELECTION;
    loop {
        match attempt().await {
            Err(error) if Instant::now() < deadline => {
                let kind = error.kind();
                // `Other` is that there are too few servers yet for the replicas of the bucket.
                assert!(matches!(kind, ErrorKind::Unavailable | ErrorKind::Other), "{error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            result => return result,
        }
    }
}

/// What is known of the writes.
#[derive(Default)]
struct Tally {
    counted: AtomicU64,
    /// How many additions nobody knows about.
    open: AtomicU64,
    is_dead: AtomicBool,
}

/// Writes until enough has succeeded after the death. Returns the keys that were acknowledged.
async fn write(backend: &NatsBackend, writer: usize, tally: &Tally) -> Result<Vec<String>> {
    let deadline = Instant::now() + ELECTION;
    let (mut written, mut afterwards) = (Vec::new(), 0);
    for i in 0.. {
        let is_dead = tally.is_dead.load(Ordering::SeqCst);
        let name = format!("{writer}:{i}");
        let add = AddOptions { delta: 1, min: i128::MIN, max: i128::MAX, ttl: None };
        let result = match put(backend, &name, &name).await {
            Ok(()) => {
                written.push(name);
                let added = backend.add(&key("count"), add).await;
                match &added {
                    Ok(_) => tally.counted.fetch_add(1, Ordering::SeqCst),
                    Err(error) if error.kind() == ErrorKind::Indeterminate => {
                        tally.open.fetch_add(1, Ordering::SeqCst)
                    }
                    Err(_) => 0,
                };
                added.map(drop)
            }
            refused => refused,
        };
        match result {
            Ok(()) if is_dead => afterwards += 1,
            Ok(()) => {}
            Err(error) => {
                let kind = error.kind();
                assert!(kind.is_retryable() || kind == ErrorKind::Indeterminate, "{error}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        if afterwards == AFTERWARDS {
            break;
        }
        assert!(Instant::now() < deadline, "only {afterwards} writes succeed without the leader");
    }
    Ok(written)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_the_death_of_the_leader() -> TestResult {
    let servers = cluster().await?;
    let [first, others @ ..] = servers.as_slice() else { return Err("there are three".into()) };
    let config = others.iter().fold(config(first, "state").with_replicas(3), |config, server| {
        config.with_server(server.address())
    });
    let backend = at_last(async || NatsBackend::connect(config.clone()).await).await?;
    let risks = backend.risks().await?;
    assert!(risks.is_empty(), "{risks:?}");
    let old = leader(&servers).await?;
    let tally = Tally::default();
    let writers = try_join_all((0..WRITERS).map(|writer| write(&backend, writer, &tally)));
    let death = async {
        until("there are writes", async || tally.counted.load(Ordering::SeqCst) >= 20).await;
        servers[old].kill();
        tally.is_dead.store(true, Ordering::SeqCst);
    };
    let (written, ()) = tokio::join!(writers, death);
    for name in written?.into_iter().flatten() {
        let found = at_last(async || value(&backend, &name).await).await?;
        assert_eq!(found.as_deref(), Some(&*name));
    }
    let count: u64 =
        at_last(async || value(&backend, "count").await).await?.ok_or("it counted")?.parse()?;
    let (counted, open) = (tally.counted.into_inner(), tally.open.into_inner());
    assert!((counted..=counted + open).contains(&count), "{count} of {counted} and {open}");
    until("another one leads", async || leader(&servers).await.is_ok_and(|new| new != old)).await;
    Ok(())
}

/// A bucket with replicas is read message by message, which writers outrun.
#[tokio::test(flavor = "multi_thread")]
async fn a_scan_lists_each_once_while_writers_never_pause() -> TestResult {
    const ITEMS: usize = 300;
    let servers = cluster().await?;
    let [first, ..] = servers.as_slice() else { return Err("there are three".into()) };
    let config = config(first, "state").with_replicas(3);
    let backend = at_last(async || NatsBackend::connect(config.clone()).await).await?;
    let name = |number: usize| format!("item:{number:03}");
    for number in 0..ITEMS {
        put(&backend, &name(number), "old").await?;
    }
    let is_over = AtomicBool::new(false);
    let write = async |writer: usize| -> Result<()> {
        while !is_over.load(Ordering::SeqCst) {
            for number in (writer..ITEMS).step_by(WRITERS) {
                put(&backend, &name(number), "new").await?;
            }
        }
        Ok(())
    };
    let scan = async || -> Result<Vec<String>> {
        let prefix = "item:".to_owned();
        let mut request = ScanRequest { prefix, cursor: None, limit: 16, want: Want::KEY };
        let mut found = Vec::new();
        loop {
            let page = backend.scan(request.clone()).await?;
            found.extend(page.entries.into_iter().map(|(key, _)| key.into_string()));
            request.cursor = page.next;
            if request.cursor.is_none() || found.len() > ITEMS {
                found.sort_unstable();
                return Ok(found);
            }
        }
    };
    let scans = async {
        let found = [scan().await, scan().await, scan().await];
        is_over.store(true, Ordering::SeqCst);
        found
    };
    let (written, found) = tokio::join!(try_join_all((0..WRITERS).map(write)), scans);
    written?;
    for found in found {
        assert!(found?.into_iter().eq((0..ITEMS).map(name)), "each is listed once");
    }
    Ok(())
}
