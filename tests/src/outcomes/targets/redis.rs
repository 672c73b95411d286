//! `RedisBackend` on one server, behind a Sentinel, and on a cluster.

use core::time::Duration;
use std::io;

use state_runtime::{
    backend::{BackendError, ErrorKind, Result},
    backends::{RedisBackend, RedisConfig},
    key::Key,
};
use tokio::{net::TcpListener, time::Instant};

use crate::{
    outcomes::Target,
    raw::resp::{self, Client, Reply},
    servers::redis,
};

fn limits(config: RedisConfig, limit: Duration) -> RedisConfig {
    config.with_connect_timeout(limit).with_response_timeout(limit)
}

/// One server.
#[derive(Debug)]
pub struct Redis {
    server: String,
    client: Client,
}

impl Redis {
    /// The server at `host:port`.
    #[must_use]
    pub fn new(server: String) -> Self {
        Self { client: Client::new(server.clone()), server }
    }
}

impl Target for Redis {
    type Backend = RedisBackend;

    fn server(&self) -> String {
        self.server.clone()
    }

    async fn open(&self, address: String, limit: Duration) -> Result<RedisBackend> {
        RedisBackend::connect(limits(RedisConfig::new(address), limit)).await
    }

    async fn stored(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        self.client.get(key.as_str()).await
    }

    async fn put(&self, key: &Key, value: Option<&[u8]>) -> io::Result<()> {
        self.client.put(key.as_str(), value).await
    }
}

/// A server that a Sentinel names as the master.
///
/// A real Sentinel would watch the server through the proxy and set off its faults; so this is one
/// that knows nothing but the one answer.
#[derive(Debug)]
pub struct Sentinel(Redis);

impl Sentinel {
    /// The server at `host:port`.
    #[must_use]
    pub fn new(server: String) -> Self {
        Self(Redis::new(server))
    }
}

impl Target for Sentinel {
    type Backend = RedisBackend;

    fn server(&self) -> String {
        self.0.server()
    }

    async fn open(&self, address: String, limit: Duration) -> Result<RedisBackend> {
        let failed = |error: io::Error| BackendError::new(ErrorKind::Other, error.to_string());
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let sentinel = listener.local_addr().map_err(failed)?.to_string();
        // It lives as long as the runtime of the test.
        tokio::spawn(resp::serve(listener, move |command| match command {
            [b"SENTINEL", ..] => {
                let (host, port) = address.split_once(':').unwrap_or_default();
                Reply::List(vec![Reply::Bytes(host.into()), Reply::Bytes(port.into())])
            }
            _ => Reply::Bytes(b"PONG".to_vec()),
        }));
        let config = RedisConfig::sentinel([sentinel], redis::Sentinel::MASTER);
        RedisBackend::connect(limits(config, limit)).await
    }

    async fn stored(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        self.0.stored(key).await
    }

    async fn put(&self, key: &Key, value: Option<&[u8]>) -> io::Result<()> {
        self.0.put(key, value).await
    }
}

/// A cluster, whose first node is behind the proxy and has all the keys.
#[derive(Debug)]
pub struct Cluster<'c> {
    nodes: &'c redis::Cluster,
    node: &'c redis::Server,
    first: Redis,
}

impl<'c> Cluster<'c> {
    /// The slot of this tag is among those of the first of three nodes.
    const TAG: &'static str = "{b}";

    /// A cluster of three nodes.
    ///
    /// # Panics
    ///
    /// If it has no node.
    #[must_use]
    pub fn new(cluster: &'c redis::Cluster) -> Self {
        let node = cluster.nodes().first().expect("a cluster has nodes");
        Self { nodes: cluster, node, first: Redis::new(node.address()) }
    }
}

/// Lets a node tell its clients that it is at `address`, and waits until all nodes do.
///
/// # Errors
///
/// They cannot be asked, or do not learn it.
pub async fn announce(
    cluster: &redis::Cluster,
    node: &redis::Server,
    address: &str,
) -> io::Result<()> {
    let port = address.rsplit(':').next().unwrap_or_default();
    let announced = format!("CONFIG SET cluster-announce-port {port}");
    Client::new(node.address()).words(&announced).await?;
    let deadline = Instant::now() + Duration::from_secs(30);
    for node in cluster.addresses() {
        let client = Client::new(node);
        let told = format!("Number({port})");
        while !format!("{:?}", client.words("CLUSTER SLOTS").await?).contains(&told) {
            if Instant::now() > deadline {
                return Err(io::Error::other("the nodes do not learn the address"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(())
}

impl Target for Cluster<'_> {
    type Backend = RedisBackend;

    fn server(&self) -> String {
        self.first.server()
    }

    async fn open(&self, address: String, limit: Duration) -> Result<RedisBackend> {
        let failed = |error: io::Error| BackendError::new(ErrorKind::Other, error.to_string());
        announce(self.nodes, self.node, &address).await.map_err(failed)?;
        RedisBackend::connect(limits(RedisConfig::cluster([address]), limit)).await
    }

    async fn stored(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        self.first.stored(key).await
    }

    async fn put(&self, key: &Key, value: Option<&[u8]>) -> io::Result<()> {
        self.first.put(key, value).await
    }

    fn key(&self, group: &str, name: &str) -> Key {
        Key::from_stored(format!("{}:{group}:{name}", Self::TAG))
    }
}
