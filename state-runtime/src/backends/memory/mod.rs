//! `MemoryBackend`: entries in the memory of this process, for development and tests.
//!
//! The entries are spread over shards by the hash of their keys. A shard is a hash map for lookups
//! and two ordered sets: of the keys, for scans, and of the expiries, for sweeping. Locks are those
//! of the standard library, held for one operation on plain data and never across an await.

mod bounds;
mod builder;
mod engine;
mod read;
mod shard;
mod watch;
mod write;

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;

pub use self::builder::MemoryBuilder;
use self::engine::Engine;
use crate::{
    backend::{
        AddOptions, Backend, Batch, BatchOp, Capabilities, Capability, Cas, Changes, Entry, Expiry,
        GetOptions, Page, RemoveOptions, Result, Revision, Risk, RiskKind, Scan, ScanRequest,
        SetOptions, ThrottleOptions, Throttled, Timestamp, Ttl, TtlChange, Watch, WatchRequest,
    },
    key::Key,
};

/// A backend in the memory of this process.
///
/// It can do all that a backend can, except keep state: with the process, everything is gone. A
/// clone is another handle to the same entries; they are dropped with the last handle, or by
/// [`close`](Backend::close).
///
/// ```
/// use state_runtime::{
///     backend::{Backend, Condition, ErrorKind, SetOptions},
///     backends::MemoryBackend,
///     key::Key,
/// };
/// # use state_runtime::backend::BackendError;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BackendError> {
/// let backend = MemoryBackend::new();
/// let key = Key::from_stored("job:7");
/// let create = SetOptions { condition: Condition::IfAbsent, ..SetOptions::default() };
///
/// backend.set(&key, "1".into(), create.clone()).await?;
/// let error = backend.set(&key, "2".into(), create).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Conflict { index: 0 });
/// # Ok(())
/// # }
/// ```
///
/// # Expiry
///
/// An entry is absent from the very millisecond in which it expires. What it took up is freed a
/// little later: every write removes a few expired entries of its shard, and a write that finds the
/// backend full removes all of them first. There is no task in the background. An idle watch wakes
/// up by tokio's timer to tell of expiries, at most about a tenth of a second late; outside of a
/// tokio runtime it tells of them when a write sweeps them.
///
/// # Bounds
///
/// Unbounded unless [built](Self::builder) otherwise. A full backend refuses writes with
/// [`ErrorKind::ReadOnly`](crate::backend::ErrorKind), like a full disk; it never drops an entry
/// that it acknowledged. Removing, and replacing by something that is not larger, goes on working.
///
/// # Dropped futures
///
/// Every operation happens in one step when its future is first polled: it has happened or not,
/// never half.
#[derive(Clone)]
pub struct MemoryBackend {
    engine: Arc<Engine>,
}

impl MemoryBackend {
    /// An empty backend without bounds.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts to configure a backend.
    pub fn builder() -> MemoryBuilder {
        MemoryBuilder::default()
    }

    fn over(engine: Engine) -> Self {
        Self { engine: Arc::new(engine) }
    }
}

impl Default for MemoryBackend {
    fn default() -> Self {
        Self::new()
    }
}

/// Tells how much there is, never what.
impl fmt::Debug for MemoryBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stored: usize = self.engine.cells().iter().map(|cell| cell.read().len()).sum();
        f.debug_struct("MemoryBackend")
            .field("stored", &stored)
            .field("watchers", &self.engine.hub.watchers())
            .finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
impl Backend for MemoryBackend {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.engine.get(key.as_str(), options)
    }

    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.engine.set(key.as_str(), value, &options)
    }

    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.engine.remove(key.as_str(), &options)
    }

    fn name(&self) -> &'static str {
        "memory"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE
            .with(Capability::Cas)
            .with(Capability::Ttl)
            .with(Capability::Batch)
            .with(Capability::Scan)
            .with(Capability::Watch)
            .with(Capability::UniqueRevision)
            .with(Capability::Counter)
    }

    fn now(&self) -> Timestamp {
        self.engine.clock.now()
    }

    /// Reads all entries at one moment: half a batch is never seen.
    async fn get_many(&self, requests: &[(Key, GetOptions)]) -> Result<Vec<Option<Entry>>> {
        self.engine.get_many(requests)
    }

    async fn exists(&self, key: &Key) -> Result<bool> {
        Ok(self.engine.expiry(key.as_str())?.is_some())
    }

    async fn expiry(&self, key: &Key) -> Result<Option<Expiry>> {
        self.engine.expiry(key.as_str())
    }

    async fn touch(&self, key: &Key, ttl: TtlChange) -> Result<bool> {
        self.engine.touch(key.as_str(), ttl)
    }

    async fn add(&self, key: &Key, options: AddOptions) -> Result<i128> {
        self.engine.add(key.as_str(), &options)
    }

    async fn throttle(&self, key: &Key, options: ThrottleOptions) -> Result<Throttled> {
        self.engine.throttle(key.as_str(), &options)
    }

    async fn apply(&self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        self.engine.apply(batch)
    }

    /// Goes through one shard after the other, in each in the order of the keys.
    async fn scan(&self, request: ScanRequest) -> Result<Page> {
        self.engine.scan(&request)
    }

    async fn watch(&self, request: WatchRequest) -> Result<Changes> {
        watch::subscribe(&self.engine, request)
    }

    /// Whether there is room for another entry.
    async fn health(&self) -> Result<()> {
        self.engine.health()
    }

    async fn close(&self) -> Result<()> {
        self.engine.close();
        Ok(())
    }

    async fn risks(&self) -> Result<Vec<Risk>> {
        Ok(vec![Risk::new(
            RiskKind::Memory,
            "the memory backend loses everything when the process ends",
        )])
    }
}

impl Cas for MemoryBackend {}
impl Ttl for MemoryBackend {}
impl Batch for MemoryBackend {}
impl Scan for MemoryBackend {}
impl Watch for MemoryBackend {}
