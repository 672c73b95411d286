//! `AnyBackend`: a backend whose type is known only at run time.

use core::{fmt, future::Future, pin::Pin};
use std::sync::Arc;

use bytes::Bytes;

use super::{
    AddOptions, Backend, Batch, BatchOp, Capabilities, Cas, Changes, Entry, Expiry, GetOptions,
    Page, RemoveOptions, Result, Revision, Risk, Scan, ScanRequest, SetOptions, ThrottleOptions,
    Throttled, Timestamp, Ttl, TtlChange, Watch, WatchRequest, forward_backend,
};
use crate::key::Key;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Any backend, its type erased. Cheap to clone.
///
/// It has every marker trait, because what the backend inside can do is known only at run time:
/// a missing capability is `Unsupported` then, never ignored.
#[derive(Clone)]
pub struct AnyBackend(Arc<dyn Object>);

impl AnyBackend {
    /// Erases the type of `backend`.
    pub fn new<B: Backend>(backend: B) -> Self {
        Self(Arc::new(backend))
    }
}

impl fmt::Debug for AnyBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[deny(clippy::missing_trait_methods)]
impl Backend for AnyBackend {
    forward_backend!(self => self.0);
}

impl Cas for AnyBackend {}
impl Ttl for AnyBackend {}
impl Batch for AnyBackend {}
impl Scan for AnyBackend {}
impl Watch for AnyBackend {}

/// The object-safe twin of [`Backend`]. A method that is missing here cannot be forwarded above.
trait Object: fmt::Debug + Send + Sync {
    fn get<'a>(&'a self, key: &'a Key, options: GetOptions) -> BoxFuture<'a, Option<Entry>>;
    fn set<'a>(
        &'a self,
        key: &'a Key,
        value: Bytes,
        options: SetOptions,
    ) -> BoxFuture<'a, Option<Revision>>;
    fn remove<'a>(&'a self, key: &'a Key, options: RemoveOptions) -> BoxFuture<'a, ()>;
    fn name(&self) -> &'static str;
    fn capabilities(&self) -> Capabilities;
    fn now(&self) -> Timestamp;
    fn get_many<'a>(
        &'a self,
        requests: &'a [(Key, GetOptions)],
    ) -> BoxFuture<'a, Vec<Option<Entry>>>;
    fn exists<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, bool>;
    fn expiry<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Option<Expiry>>;
    fn touch<'a>(&'a self, key: &'a Key, ttl: TtlChange) -> BoxFuture<'a, bool>;
    fn add<'a>(&'a self, key: &'a Key, options: AddOptions) -> BoxFuture<'a, i128>;
    fn throttle<'a>(&'a self, key: &'a Key, options: ThrottleOptions) -> BoxFuture<'a, Throttled>;
    fn apply(&self, batch: Vec<BatchOp>) -> BoxFuture<'_, Vec<Option<Revision>>>;
    fn scan(&self, request: ScanRequest) -> BoxFuture<'_, Page>;
    fn watch(&self, request: WatchRequest) -> BoxFuture<'_, Changes>;
    fn health(&self) -> BoxFuture<'_, ()>;
    fn close(&self) -> BoxFuture<'_, ()>;
    fn risks(&self) -> BoxFuture<'_, Vec<Risk>>;
}

impl<B: Backend> Object for B {
    fn get<'a>(&'a self, key: &'a Key, options: GetOptions) -> BoxFuture<'a, Option<Entry>> {
        Box::pin(Backend::get(self, key, options))
    }
    fn set<'a>(
        &'a self,
        key: &'a Key,
        value: Bytes,
        options: SetOptions,
    ) -> BoxFuture<'a, Option<Revision>> {
        Box::pin(Backend::set(self, key, value, options))
    }
    fn remove<'a>(&'a self, key: &'a Key, options: RemoveOptions) -> BoxFuture<'a, ()> {
        Box::pin(Backend::remove(self, key, options))
    }
    fn name(&self) -> &'static str {
        Backend::name(self)
    }
    fn capabilities(&self) -> Capabilities {
        Backend::capabilities(self)
    }
    fn now(&self) -> Timestamp {
        Backend::now(self)
    }
    fn get_many<'a>(
        &'a self,
        requests: &'a [(Key, GetOptions)],
    ) -> BoxFuture<'a, Vec<Option<Entry>>> {
        Box::pin(Backend::get_many(self, requests))
    }
    fn exists<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, bool> {
        Box::pin(Backend::exists(self, key))
    }
    fn expiry<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Option<Expiry>> {
        Box::pin(Backend::expiry(self, key))
    }
    fn touch<'a>(&'a self, key: &'a Key, ttl: TtlChange) -> BoxFuture<'a, bool> {
        Box::pin(Backend::touch(self, key, ttl))
    }
    fn add<'a>(&'a self, key: &'a Key, options: AddOptions) -> BoxFuture<'a, i128> {
        Box::pin(Backend::add(self, key, options))
    }
    fn throttle<'a>(&'a self, key: &'a Key, options: ThrottleOptions) -> BoxFuture<'a, Throttled> {
        Box::pin(Backend::throttle(self, key, options))
    }
    fn apply(&self, batch: Vec<BatchOp>) -> BoxFuture<'_, Vec<Option<Revision>>> {
        Box::pin(Backend::apply(self, batch))
    }
    fn scan(&self, request: ScanRequest) -> BoxFuture<'_, Page> {
        Box::pin(Backend::scan(self, request))
    }
    fn watch(&self, request: WatchRequest) -> BoxFuture<'_, Changes> {
        Box::pin(Backend::watch(self, request))
    }
    fn health(&self) -> BoxFuture<'_, ()> {
        Box::pin(Backend::health(self))
    }
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(Backend::close(self))
    }
    fn risks(&self) -> BoxFuture<'_, Vec<Risk>> {
        Box::pin(Backend::risks(self))
    }
}
