//! Backends that misbehave on demand, for faults that a real one does not produce when asked.

use std::sync::atomic::{AtomicUsize, Ordering};

use state_runtime::{
    backend::{
        Backend, Batch, BatchOp, Capabilities, Capability, Cas, Entry, GetOptions, Page,
        RemoveOptions, Result, Revision, Scan, ScanRequest, SetOptions, Ttl,
    },
    backends::MemoryBackend,
    bytes::Bytes,
    key::Key,
};
use tokio::sync::Semaphore;

/// A memory backend that counts the calls it gets.
#[derive(Debug, Default)]
pub struct Counting {
    inner: MemoryBackend,
    calls: AtomicUsize,
}

impl Counting {
    /// How many calls there were since the last time.
    pub fn calls(&self) -> usize {
        self.calls.swap(0, Ordering::SeqCst)
    }

    fn count(&self) -> &MemoryBackend {
        self.calls.fetch_add(1, Ordering::SeqCst);
        &self.inner
    }
}

impl Backend for Counting {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.count().get(key, options).await
    }
    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.count().set(key, value, options).await
    }
    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.count().remove(key, options).await
    }
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities().without(Capability::Watch)
    }
    async fn get_many(&self, requests: &[(Key, GetOptions)]) -> Result<Vec<Option<Entry>>> {
        self.count().get_many(requests).await
    }
    async fn apply(&self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        self.count().apply(batch).await
    }
    async fn scan(&self, request: ScanRequest) -> Result<Page> {
        self.count().scan(request).await
    }
}

impl Cas for Counting {}
impl Ttl for Counting {}
impl Batch for Counting {}
impl Scan for Counting {}

/// A backend of three methods, each of which waits until it is let go.
#[derive(Debug)]
pub struct Waiting {
    inner: MemoryBackend,
    go: Semaphore,
}

impl Waiting {
    /// Lets nothing go yet.
    #[must_use]
    pub fn new() -> Self {
        Self { inner: MemoryBackend::new(), go: Semaphore::new(0) }
    }

    /// Lets one call go.
    pub fn let_go(&self) {
        self.go.add_permits(1);
    }

    async fn wait(&self) -> &MemoryBackend {
        if let Ok(permit) = self.go.acquire().await {
            permit.forget();
        }
        &self.inner
    }
}

impl Default for Waiting {
    fn default() -> Self {
        Self::new()
    }
}

impl Backend for Waiting {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.wait().await.get(key, options).await
    }
    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.wait().await.set(key, value, options).await
    }
    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.wait().await.remove(key, options).await
    }
}
