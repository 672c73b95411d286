//! `DaprBackend`: a state store of a Dapr sidecar, over its HTTP API.
//!
//! A sidecar is a process beside the program that hides which database is behind. How values are
//! stored in that database is told in `form.rs`, what is declared of which component in
//! `component.rs`, what failures mean in `error.rs`.

mod api;
mod batch;
mod component;
mod config;
mod connection;
mod error;
mod form;
mod link;
mod read;
mod revision;
mod time;
mod wire;
mod write;

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;

pub use self::config::{Consistency, DaprConfig};
use self::connection::Connection;
use crate::{
    backend::{
        Backend, BackendError, Batch, BatchOp, Capabilities, Cas, Entry, ErrorKind, GetOptions,
        RemoveOptions, Result, Revision, Risk, SetOptions, Ttl,
    },
    key::Key,
};

/// How often a read and a write that depends on it are tried before giving up. Each attempt that
/// fails is one in which another writer succeeded.
const ATTEMPTS: usize = 64;

/// A backend over a state store of a Dapr sidecar. A clone is another handle to the same one.
///
/// ```no_run
/// use state_runtime::backends::{DaprBackend, DaprConfig};
/// # use state_runtime::backend::BackendError;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), BackendError> {
/// let config = DaprConfig::new("127.0.0.1:3500", "statestore");
/// let backend = DaprBackend::connect(config).await?;
/// # Ok(())
/// # }
/// ```
///
/// # What it can do
///
/// That depends on the component of the store, which is asked for when connecting:
///
/// | component | compare-and-swap | TTL | batches | shared |
/// |---|---|---|---|---|
/// | `state.in-memory` | yes | yes | yes | no |
/// | `state.sqlite` | yes | yes | yes | yes |
/// | `state.redis` | yes | yes | no: its transactions are not all or nothing | yes |
/// | any other | no | no | no | no |
///
/// Of a component that is not in this table nothing is known but that it reads, writes and removes.
/// There is no way to list or to watch entries, revisions may come back for other content, and no
/// component says whether it is durable: [`risks`](Backend::risks) names that.
///
/// # What is stored
///
/// A JSON string, which holds the value after a first line: numbers of any size and floats survive
/// only as text. Values of other programs are read as they are. Where the component is Redis, a
/// removal leaves a mark for an hour; a revision that is older than that and is used after a removal
/// is not refused.
///
/// All programs that share a store over several app-ids need the component's `keyPrefix` to be
/// `name` or `none`. A time to live of the component itself (`ttlInSeconds` in its settings) has no
/// effect: every write says its own.
///
/// # Retries of the sidecar
///
/// A sidecar and its Redis client may send a command again that was carried out, when the connection
/// to the database breaks at that moment. The second one then fails because of the first, and a
/// conditional write that happened is answered as a conflict. Set `redisMaxRetries` of the component
/// to `-1` and give its store no retries in a resiliency policy where that matters.
#[derive(Clone)]
pub struct DaprBackend {
    connection: Arc<Connection>,
}

impl DaprBackend {
    /// Connects: asks the sidecar for its components.
    ///
    /// # Errors
    ///
    /// All name the address.
    /// - [`ErrorKind::Unavailable`]: nothing answers there.
    /// - [`ErrorKind::Denied`]: the API token is wrong.
    /// - [`ErrorKind::Missing`]: the sidecar has no such store; those that it has are named.
    /// - [`ErrorKind::Other`]: the address is none, or no sidecar answers there.
    pub async fn connect(config: DaprConfig) -> Result<Self> {
        Ok(Self { connection: Arc::new(Connection::open(&config).await?) })
    }

    fn open(&self) -> Result<&Connection> {
        self.connection.api.link.check_open()?;
        Ok(&self.connection)
    }
}

impl fmt::Debug for DaprBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DaprBackend")
            .field("link", &self.connection.api.link)
            .field("component", &self.connection.component)
            .finish_non_exhaustive()
    }
}

impl Backend for DaprBackend {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.open()?.get(key, options).await
    }

    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.open()?.set(key, value, options).await
    }

    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.open()?.remove(key, options).await
    }

    fn name(&self) -> &'static str {
        "dapr"
    }

    fn capabilities(&self) -> Capabilities {
        self.connection.offers
    }

    async fn get_many(&self, requests: &[(Key, GetOptions)]) -> Result<Vec<Option<Entry>>> {
        self.open()?.get_many(requests).await
    }

    async fn apply(&self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        self.open()?.apply(batch).await
    }

    /// Nothing is sent from now on. The exchanges in progress are not waited for: a write that was
    /// sent and got no answer yet is [`ErrorKind::Indeterminate`].
    async fn close(&self) -> Result<()> {
        self.connection.api.link.close();
        Ok(())
    }

    /// By the type of the component alone, for a sidecar tells no more of it.
    async fn risks(&self) -> Result<Vec<Risk>> {
        Ok(self.open()?.component.risks())
    }
}

impl Cas for DaprBackend {}
impl Ttl for DaprBackend {}
impl Batch for DaprBackend {}

fn contended() -> BackendError {
    BackendError::new(ErrorKind::Overloaded, "too many writers change this entry at once")
}
