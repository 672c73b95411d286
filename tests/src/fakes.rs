//! Backends that misbehave on demand, for faults that a real one does not produce when asked.

use std::{
    future::Future,
    sync::atomic::{AtomicUsize, Ordering},
};

use state_runtime::{
    backend::{
        AddOptions, Backend, Batch, BatchOp, Capabilities, Capability, Cas, Changes, Entry, Expiry,
        GetOptions, Page, RemoveOptions, Result, Revision, Risk, Scan, ScanRequest, SetOptions,
        ThrottleOptions, Throttled, Timestamp, Ttl, TtlChange, Watch, WatchRequest,
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

/// A backend that lets others run before and after each call, so that its operations can be dropped
/// in between.
#[derive(Debug)]
pub struct Yielding<B>(pub B);

impl<B: Backend> Yielding<B> {
    async fn surrounded<T>(&self, call: impl Future<Output = T>) -> T {
        tokio::task::yield_now().await;
        let output = call.await;
        tokio::task::yield_now().await;
        output
    }
}

#[deny(clippy::missing_trait_methods)]
impl<B: Backend> Backend for Yielding<B> {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.surrounded(self.0.get(key, options)).await
    }
    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.surrounded(self.0.set(key, value, options)).await
    }
    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.surrounded(self.0.remove(key, options)).await
    }
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    fn now(&self) -> Timestamp {
        self.0.now()
    }
    async fn get_many(&self, requests: &[(Key, GetOptions)]) -> Result<Vec<Option<Entry>>> {
        self.surrounded(self.0.get_many(requests)).await
    }
    async fn exists(&self, key: &Key) -> Result<bool> {
        self.surrounded(self.0.exists(key)).await
    }
    async fn expiry(&self, key: &Key) -> Result<Option<Expiry>> {
        self.surrounded(self.0.expiry(key)).await
    }
    async fn touch(&self, key: &Key, ttl: TtlChange) -> Result<bool> {
        self.surrounded(self.0.touch(key, ttl)).await
    }
    async fn add(&self, key: &Key, options: AddOptions) -> Result<i128> {
        self.surrounded(self.0.add(key, options)).await
    }
    async fn throttle(&self, key: &Key, options: ThrottleOptions) -> Result<Throttled> {
        self.surrounded(self.0.throttle(key, options)).await
    }
    async fn apply(&self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        self.surrounded(self.0.apply(batch)).await
    }
    async fn scan(&self, request: ScanRequest) -> Result<Page> {
        self.surrounded(self.0.scan(request)).await
    }
    async fn watch(&self, request: WatchRequest) -> Result<Changes> {
        self.surrounded(self.0.watch(request)).await
    }
    async fn health(&self) -> Result<()> {
        self.surrounded(self.0.health()).await
    }
    async fn close(&self) -> Result<()> {
        self.surrounded(self.0.close()).await
    }
    async fn risks(&self) -> Result<Vec<Risk>> {
        self.surrounded(self.0.risks()).await
    }
}

impl<B: Cas> Cas for Yielding<B> {}
impl<B: Ttl> Ttl for Yielding<B> {}
impl<B: Batch> Batch for Yielding<B> {}
impl<B: Scan> Scan for Yielding<B> {}
impl<B: Watch> Watch for Yielding<B> {}
