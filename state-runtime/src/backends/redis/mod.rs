//! `RedisBackend`: entries on a Redis or Valkey server that several programs share.

mod cluster;
mod config;
mod dial;
mod error;
mod link;
mod node;
mod pulse;
mod read;
mod reads;
mod router;
mod scan;
mod script;
mod sentinel;
mod settings;
mod tls;
mod values;
mod watch;
mod write;

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;

pub use self::config::RedisConfig;
use self::{dial::Dialer, router::Router, settings::Settings, watch::Watches};
use crate::{
    backend::{
        AddOptions, Backend, BackendError, Batch, BatchOp, Capabilities, Capability, Cas, Changes,
        Entry, ErrorKind, Expiry, GetOptions, Page, RemoveOptions, Result, Revision, Risk, Scan,
        ScanRequest, SetOptions, Ttl, TtlChange, Watch, WatchRequest,
    },
    key::Key,
};

/// The most bytes of one command that a server takes, less some room for what is around them.
const MAX_BATCH: usize = (1 << 30) - (16 << 20);

/// A backend on a Redis or Valkey server. A clone is another handle to the same connections.
#[derive(Clone)]
pub struct RedisBackend {
    inner: Arc<Inner>,
}

struct Inner {
    dialer: Arc<Dialer>,
    router: Arc<Router>,
    watches: Watches,
    durable: bool,
    max_value: usize,
}

impl RedisBackend {
    /// Connects.
    ///
    /// # Errors
    ///
    /// What the server, or the way to it, refused.
    pub async fn connect(config: RedisConfig) -> Result<Self> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(BackendError::new(
                ErrorKind::Other,
                "a server is connected to within a tokio runtime, which keeps the connection",
            ));
        }
        let limit = config.connect_timeout;
        let dialer = Arc::new(Dialer::new(config)?);
        let connected = tokio::time::timeout(limit, async {
            let router = Arc::new(Router::connect(Arc::clone(&dialer)).await?);
            let settings = all_settings(&router).await?;
            Ok((router, settings))
        });
        let (router, settings) = connected.await.unwrap_or_else(|_| {
            Err(error::unavailable(format_args!("no answer within {limit:?}")))
        })?;
        let durable = settings.iter().all(|settings| settings.risks().is_empty());
        let max_value = settings.iter().map(Settings::max_value).min().unwrap_or(usize::MAX);
        let watches = Watches::default();
        Ok(Self { inner: Arc::new(Inner { dialer, router, watches, durable, max_value }) })
    }

    fn router(&self) -> &Router {
        &self.inner.router
    }

    fn check_size(&self, size: usize) -> Result<()> {
        let limit = self.inner.max_value;
        if size <= limit {
            return Ok(());
        }
        let message = "the value is larger than the server takes (`proto-max-bulk-len`)";
        Err(BackendError::new(ErrorKind::TooLarge { size, limit }, message))
    }
}

async fn all_settings(router: &Router) -> Result<Vec<Settings>> {
    let mut all = Vec::new();
    for node in router.nodes().await? {
        all.push(settings::read(&node).await?);
    }
    Ok(all)
}

impl fmt::Debug for RedisBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBackend")
            .field("router", &self.inner.router)
            .field("durable", &self.inner.durable)
            .finish_non_exhaustive()
    }
}

impl Backend for RedisBackend {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        read::get(self.router(), key, options).await
    }

    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.check_size(value.len())?;
        write::set(self.router(), key, &value, &options).await
    }

    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        write::remove(self.router(), key, &options).await
    }

    fn name(&self) -> &'static str {
        "redis"
    }

    fn capabilities(&self) -> Capabilities {
        let all = Capabilities::NONE
            .with(Capability::Cas)
            .with(Capability::Ttl)
            .with(Capability::Batch)
            .with(Capability::Scan)
            .with(Capability::Watch)
            .with(Capability::Shared)
            .with(Capability::Counter);
        if self.inner.durable { all.with(Capability::Durable) } else { all }
    }

    async fn get_many(&self, requests: &[(Key, GetOptions)]) -> Result<Vec<Option<Entry>>> {
        read::get_many(self.router(), requests).await
    }

    async fn exists(&self, key: &Key) -> Result<bool> {
        read::exists(self.router(), key).await
    }

    async fn expiry(&self, key: &Key) -> Result<Option<Expiry>> {
        read::expiry(self.router(), key).await
    }

    async fn touch(&self, key: &Key, ttl: TtlChange) -> Result<bool> {
        write::touch(self.router(), key, ttl).await
    }

    async fn add(&self, key: &Key, options: AddOptions) -> Result<i128> {
        write::add(self.router(), key, &options).await
    }

    async fn apply(&self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        let mut total = 0;
        for op in &batch {
            total += op.key().as_str().len();
            if let BatchOp::Set { value, .. } = op {
                self.check_size(value.len())?;
                total += value.len();
            }
        }
        if total > MAX_BATCH {
            let message = "the batch is larger than the server takes (`client-query-buffer-limit`)";
            let kind = ErrorKind::TooLarge { size: total, limit: MAX_BATCH };
            return Err(BackendError::new(kind, message));
        }
        write::apply(self.router(), &batch).await
    }

    /// Goes through all keys of the servers, also those under other prefixes: that is what it costs.
    /// A scan holds 16 bytes for each key that it has listed. It goes on after a lost connection, a
    /// failover or the move of a slot, at the price of looking at a server once more.
    async fn scan(&self, request: ScanRequest) -> Result<Page> {
        scan::page(self.router(), request).await
    }

    /// Tells the latest state of affairs, not every change; and all is told as changed after a
    /// connection was lost, and after `FLUSHALL`. Each watched prefix costs the server a comparison
    /// for every key that changes.
    async fn watch(&self, request: WatchRequest) -> Result<Changes> {
        let Inner { dialer, router, watches, .. } = &*self.inner;
        watches.watch(dialer, router, request).await
    }

    async fn close(&self) -> Result<()> {
        self.inner.watches.close();
        self.router().close();
        Ok(())
    }

    async fn risks(&self) -> Result<Vec<Risk>> {
        let mut risks: Vec<Risk> = Vec::new();
        for settings in all_settings(self.router()).await? {
            for risk in settings.risks() {
                if !risks.iter().any(|known| known.name() == risk.name()) {
                    risks.push(risk);
                }
            }
        }
        Ok(risks)
    }
}

impl Cas for RedisBackend {}
impl Ttl for RedisBackend {}
impl Batch for RedisBackend {}
impl Scan for RedisBackend {}
impl Watch for RedisBackend {}
