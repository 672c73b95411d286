//! The places that state can be kept in: every backend, each on a server of its own where it needs one.

use std::any::Any;

use servers::{dapr, nats, redis};
use state_runtime::{backend::AnyBackend, connect};

use crate::Failure;

/// A backend, and what it talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The memory of the program.
    Memory,
    /// A folder.
    File,
    /// One Redis server.
    Redis,
    /// Three Redis servers that share the keys.
    Cluster,
    /// A NATS server.
    Nats,
    /// A Dapr sidecar over a file of `SQLite`.
    Dapr,
}

/// A place that was opened.
pub struct Opened {
    /// One backend for each connection. All hold the same entries.
    pub backends: Vec<AnyBackend>,
    /// Servers and folders, which end with it.
    _held: Vec<Box<dyn Any + Send>>,
}

/// How long to wait for a server: many ask at once.
const LIMIT: &str = "60s";

impl Place {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Memory, Self::File, Self::Redis, Self::Cluster, Self::Nats, Self::Dapr];

    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::File => "file",
            Self::Redis => "redis",
            Self::Cluster => "redis cluster",
            Self::Nats => "nats",
            Self::Dapr => "dapr, sqlite",
        }
    }

    /// Opens it with several connections. `None` where its server was left out aloud.
    ///
    /// # Errors
    ///
    /// Those of opening the backend.
    ///
    /// # Panics
    ///
    /// If the server is not installed, or does not get ready.
    pub async fn open(self, connections: usize) -> Result<Option<Opened>, Failure> {
        let limit = format!("response_timeout={LIMIT}");
        let folder = tempfile::tempdir()?;
        let (url, server): (_, Box<dyn Any + Send>) = match self {
            Self::Memory => ("memory:".to_owned(), Box::new(())),
            Self::File => (format!("file:{}/state", folder.path().display()), Box::new(())),
            Self::Redis => {
                let server = redis::Server::start(redis::Flavour::Redis8).await;
                (format!("{}?{limit}", server.url()), Box::new(server))
            }
            Self::Cluster => {
                let cluster = redis::Cluster::start(redis::Flavour::Redis8, 3).await;
                (format!("{}?{limit}", cluster.url()), Box::new(cluster))
            }
            Self::Nats => {
                let server = nats::Server::start(nats::Version::V2_15).await;
                (format!("{}/benches?{limit}", server.url()), Box::new(server))
            }
            Self::Dapr if dapr::is_left_out() => return Ok(None),
            Self::Dapr => {
                let component = dapr::Component::sqlite(folder.path());
                let sidecar = dapr::Sidecar::start(component).await;
                (format!("{}?timeout={LIMIT}", sidecar.url()), Box::new(sidecar))
            }
        };
        let mut backends = vec![connect::backend(&url).await?];
        while backends.len() < connections {
            // What has entries of its own is opened once.
            let another = match self {
                Self::Memory | Self::File => backends.first().cloned(),
                _ => Some(connect::backend(&url).await?),
            };
            backends.extend(another);
        }
        // First the server, then its folder.
        Ok(Some(Opened { backends, _held: vec![server, Box::new(folder)] }))
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("backends", &self.backends).finish_non_exhaustive()
    }
}
