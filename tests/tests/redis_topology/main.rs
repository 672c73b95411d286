//! What the Redis backend promises where servers are many, come and go: scans, watches, clusters
//! and Sentinels, and what is left when it is closed.

mod bulk;
mod closing;
mod cluster;
mod moving;
mod partial;
mod scan;
mod sentinel;
mod watch;

use std::{
    collections::BTreeMap,
    error::Error,
    future::Future,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use state_runtime::{
    backend::{
        Backend, Change, Changes, Cursor, ErrorKind, GetOptions, Page, Result, ScanRequest,
        SetOptions, Want, WatchRequest,
    },
    backends::redis::{RedisBackend, RedisConfig},
    key::Key,
};
use tests::servers::redis::{Cluster, Flavour, Sentinel, Server};

type TestResult = core::result::Result<(), Box<dyn Error>>;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn key(text: &str) -> Key {
    Key::from_stored(text)
}

async fn connect(server: &Server) -> Result<RedisBackend> {
    RedisBackend::connect(RedisConfig::new(server.address())).await
}

async fn put(backend: &RedisBackend, name: &str, value: &str) -> Result<()> {
    backend.set(&key(name), value.to_owned().into(), SetOptions::default()).await.map(drop)
}

async fn value(backend: &RedisBackend, name: &str) -> Result<Option<String>> {
    let entry = backend.get(&key(name), GetOptions::default()).await?;
    Ok(entry.map(|entry| String::from_utf8_lossy(&entry.value).into_owned()))
}

/// Writes `count` values, each the name of its key, faster than one by one.
async fn fill(backend: &RedisBackend, prefix: &str, count: usize) -> Result<Vec<String>> {
    let names: Vec<_> = (0..count).map(|number| format!("{prefix}{number:05}")).collect();
    for chunk in names.chunks(256) {
        let writes = chunk.iter().map(|name| put(backend, name, name));
        futures_util::future::try_join_all(writes).await?;
    }
    Ok(names)
}

async fn page(
    backend: &RedisBackend,
    prefix: &str,
    cursor: Option<Cursor>,
    limit: usize,
) -> Result<Page> {
    let prefix = prefix.to_owned();
    backend.scan(ScanRequest { prefix, cursor, limit, want: Want::VALUE }).await
}

/// How often each key was listed.
type Listed = BTreeMap<String, usize>;

fn list(listed: &mut Listed, page: Page) -> Option<Cursor> {
    for (key, _) in page.entries {
        *listed.entry(key.into_string()).or_default() += 1;
    }
    page.next
}

/// Goes on with a scan until its end, and over moments in which there is no server.
async fn finish(
    backend: &RedisBackend,
    prefix: &str,
    mut cursor: Option<Cursor>,
    listed: &mut Listed,
) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while cursor.is_some() {
        match page(backend, prefix, cursor.clone(), 100).await {
            Ok(page) => cursor = list(listed, page),
            Err(error) if error.kind() == ErrorKind::Unavailable && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// All of these were listed, and each once.
fn assert_complete(listed: &Listed, names: &[String]) {
    let missing = names.iter().filter(|name| !listed.contains_key(*name)).count();
    assert_eq!(missing, 0, "keys were passed over, of {}", names.len());
    let twice = listed.values().filter(|times| **times > 1).count();
    assert_eq!(twice, 0, "keys were listed twice, of {}", listed.len());
}

async fn watch(backend: &RedisBackend, prefix: &str) -> Result<Changes> {
    backend.watch(WatchRequest::Prefix(prefix.to_owned())).await
}

async fn next(changes: &mut Changes) -> core::result::Result<Change, Box<dyn Error>> {
    let next = tokio::time::timeout(PATIENCE, changes.next()).await;
    let next = next.map_err(|_| "no change was told")?;
    Ok(next.ok_or("the watch ended")??)
}

fn told(name: &str) -> Change {
    Change::Key(key(name))
}

/// Waits until `look` says yes.
async fn until<F: Future<Output = bool>>(what: &str, mut look: impl FnMut() -> F) {
    let start = Instant::now();
    while !look().await {
        assert!(start.elapsed() < PATIENCE, "{what} within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until the replica of `master` has all that the master acknowledged: what it lacks is lost
/// with the master, and that is not the backend's fault.
async fn replicated(master: &Server) {
    let caught_up = || async {
        let info = master.command::<String>(&["INFO", "replication"]).await.unwrap_or_default();
        let after = |label: &str| {
            let rest = info.split_once(label).map_or("", |(_, rest)| rest);
            rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().to_owned()
        };
        !after(",offset=").is_empty() && after(",offset=") == after("master_repl_offset:")
    };
    until("the replica has caught up", caught_up).await;
}
