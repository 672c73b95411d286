//! The backend floor: the contract between the typed store and whatever keeps the bytes.
//!
//! [`Backend`] is a trait of three required methods. Everything else has a default, and is
//! switched on by declaring a [`Capability`] and by implementing its marker trait.

mod any;
mod batch;
mod capabilities;
mod clock;
mod defaults;
mod entry;
mod error;
#[cfg(any(feature = "file", feature = "memory", feature = "redis"))]
pub(crate) mod hub;
pub(crate) mod integer;
mod options;
mod risk;
#[cfg(any(
    feature = "dapr",
    feature = "file",
    feature = "memory",
    feature = "nats",
    feature = "redis"
))]
pub(crate) mod rules;
mod scan;
pub(crate) mod seen;
#[cfg(any(feature = "dapr", feature = "nats", feature = "redis"))]
pub(crate) mod spoken;
pub(crate) mod suggest;
pub(crate) mod throttle;
mod watch;

use core::{fmt, future::Future, time::Duration};
use std::sync::Arc;

/// The bytes of a value, cheap to clone: the type of the `bytes` crate.
pub use bytes::Bytes;

pub use self::{
    any::AnyBackend,
    batch::BatchOp,
    capabilities::{Batch, Capabilities, Capability, Cas, Scan, Ttl, Watch},
    clock::{Clock, ManualClock, MonotonicClock, SystemClock, Timestamp},
    entry::{Entry, Expiry, InvalidRevision, Revision},
    error::{BackendError, ErrorKind, Result},
    options::{AddOptions, Condition, GetOptions, RemoveOptions, SetOptions, TtlChange, Want},
    risk::{Risk, RiskKind, UnknownRisk},
    scan::{Cursor, Page, ScanRequest},
    throttle::{Pace, RateWindow, ThrottleOptions, Throttled},
    watch::{BoxStream, Change, Changes, WatchRequest},
};
use crate::key::Key;

/// Something that keeps bytes under keys.
///
/// # What every backend promises
///
/// - Values come back byte for byte; an entry past its expiry is absent.
/// - Removing an absent entry is `Ok`. A failed condition is [`ErrorKind::Conflict`].
/// - After an error other than [`ErrorKind::Indeterminate`], nothing was written and nothing will be.
/// - A future may be dropped at any point. A write that was handed over by then may still happen;
///   the backend stays usable.
///
/// # Writing one
///
/// [`get`](Self::get), [`set`](Self::set) and [`remove`](Self::remove) are enough. As long as
/// [`capabilities`](Self::capabilities) declares nothing, the options of all three arrive empty, so
/// there is nothing to ignore by mistake. The `conformance` feature has the suite that tells
/// whether a backend keeps these promises.
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// Reads an entry; `None` where there is none.
    fn get(
        &self,
        key: &Key,
        options: GetOptions,
    ) -> impl Future<Output = Result<Option<Entry>>> + Send;

    /// Writes an entry. Returns its revision if that was asked for.
    fn set(
        &self,
        key: &Key,
        value: Bytes,
        options: SetOptions,
    ) -> impl Future<Output = Result<Option<Revision>>> + Send;

    /// Removes an entry.
    fn remove(&self, key: &Key, options: RemoveOptions) -> impl Future<Output = Result<()>> + Send;

    /// What it is called in messages.
    fn name(&self) -> &'static str {
        "custom"
    }

    /// What this instance can do beyond get, set and remove. It must not change.
    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE
    }

    /// What time it is for the expiry of entries. By default what the machine's clock says.
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// Reads several entries, in the order of `requests`. By default one after the other.
    fn get_many(
        &self,
        requests: &[(Key, GetOptions)],
    ) -> impl Future<Output = Result<Vec<Option<Entry>>>> + Send {
        defaults::get_many(self, requests)
    }

    /// Whether there is an entry. By default by reading it.
    fn exists(&self, key: &Key) -> impl Future<Output = Result<bool>> + Send {
        async move { Ok(self.get(key, GetOptions::default()).await?.is_some()) }
    }

    /// When an entry expires; `None` where there is none. By default by reading it.
    fn expiry(&self, key: &Key) -> impl Future<Output = Result<Option<Expiry>>> + Send {
        defaults::expiry(self, key)
    }

    /// Gives an entry a new expiry and leaves its value; `false` where there is none.
    ///
    /// By default by reading and writing under [`Condition::IfRevision`].
    fn touch(&self, key: &Key, ttl: TtlChange) -> impl Future<Output = Result<bool>> + Send {
        defaults::touch(self, key, ttl)
    }

    /// Adds to a decimal integer in one atomic step and returns the result. An absent entry is 0.
    ///
    /// By default by reading and writing under a condition.
    fn add(&self, key: &Key, options: AddOptions) -> impl Future<Output = Result<i128>> + Send {
        defaults::add(self, key, options)
    }

    /// Takes permits of a rate limit in one atomic step, or tells when there are enough. What is
    /// stored is a [`RateWindow`], which expires when all permits are there again.
    ///
    /// By default by reading and writing under a condition, by the time that [`now`](Self::now) tells.
    fn throttle(
        &self,
        key: &Key,
        options: ThrottleOptions,
    ) -> impl Future<Output = Result<Throttled>> + Send {
        defaults::throttle(self, key, options)
    }

    /// Carries out all operations, or none. Every condition is checked before the first write, and
    /// holds at one and the same moment. No key may stand in a batch twice.
    ///
    /// Returns the revisions that were asked for, in the order of `batch`.
    fn apply(
        &self,
        batch: Vec<BatchOp>,
    ) -> impl Future<Output = Result<Vec<Option<Revision>>>> + Send {
        let _ = batch;
        async { Err(BackendError::unsupported(Capability::Batch)) }
    }

    /// Lists one page of entries.
    fn scan(&self, request: ScanRequest) -> impl Future<Output = Result<Page>> + Send {
        let _ = request;
        async { Err(BackendError::unsupported(Capability::Scan)) }
    }

    /// Subscribes to changes. Every change after the future is done is told.
    fn watch(&self, request: WatchRequest) -> impl Future<Output = Result<Changes>> + Send {
        let _ = request;
        async { Err(BackendError::unsupported(Capability::Watch)) }
    }

    /// Whether the backend can take a write right now. By default it writes, reads and removes an
    /// entry under a reserved key.
    fn health(&self) -> impl Future<Output = Result<()>> + Send {
        defaults::health(self)
    }

    /// Ends the work in progress and frees what is held. Later calls answer [`ErrorKind::Closed`].
    fn close(&self) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// In which ways state that this instance acknowledged could be lost in production; empty if it
    /// could not. A server is asked for its settings. By default there is one risk, unless
    /// [`Capability::Durable`] is declared.
    fn risks(&self) -> impl Future<Output = Result<Vec<Risk>>> + Send {
        let durable = self.capabilities().contains(Capability::Durable);
        let risk = (!durable).then(|| {
            let reason = format!("the {} backend does not say that it is durable", self.name());
            Risk::new(RiskKind::NotDurable, reason)
        });
        async { Ok(risk.into_iter().collect()) }
    }
}

/// Forwards every method of [`Backend`] to what an expression gives.
macro_rules! forward_backend {
    ($self:ident => $inner:expr) => {
        async fn get(&$self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
            $inner.get(key, options).await
        }
        async fn set(
            &$self,
            key: &Key,
            value: Bytes,
            options: SetOptions,
        ) -> Result<Option<Revision>> {
            $inner.set(key, value, options).await
        }
        async fn remove(&$self, key: &Key, options: RemoveOptions) -> Result<()> {
            $inner.remove(key, options).await
        }
        fn name(&$self) -> &'static str {
            $inner.name()
        }
        fn capabilities(&$self) -> Capabilities {
            $inner.capabilities()
        }
        fn now(&$self) -> Timestamp {
            $inner.now()
        }
        async fn get_many(&$self, requests: &[(Key, GetOptions)]) -> Result<Vec<Option<Entry>>> {
            $inner.get_many(requests).await
        }
        async fn exists(&$self, key: &Key) -> Result<bool> {
            $inner.exists(key).await
        }
        async fn expiry(&$self, key: &Key) -> Result<Option<Expiry>> {
            $inner.expiry(key).await
        }
        async fn touch(&$self, key: &Key, ttl: TtlChange) -> Result<bool> {
            $inner.touch(key, ttl).await
        }
        async fn add(&$self, key: &Key, options: AddOptions) -> Result<i128> {
            $inner.add(key, options).await
        }
        async fn throttle(&$self, key: &Key, options: ThrottleOptions) -> Result<Throttled> {
            $inner.throttle(key, options).await
        }
        async fn apply(&$self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
            $inner.apply(batch).await
        }
        async fn scan(&$self, request: ScanRequest) -> Result<Page> {
            $inner.scan(request).await
        }
        async fn watch(&$self, request: WatchRequest) -> Result<Changes> {
            $inner.watch(request).await
        }
        async fn health(&$self) -> Result<()> {
            $inner.health().await
        }
        async fn close(&$self) -> Result<()> {
            $inner.close().await
        }
        async fn risks(&$self) -> Result<Vec<Risk>> {
            $inner.risks().await
        }
    };
}
pub(crate) use forward_backend;

/// Two stores can share one backend.
#[deny(clippy::missing_trait_methods)]
impl<B: Backend> Backend for Arc<B> {
    forward_backend!(self => (**self));
}

impl<B: Cas> Cas for Arc<B> {}
impl<B: Ttl> Ttl for Arc<B> {}
impl<B: Batch> Batch for Arc<B> {}
impl<B: Scan> Scan for Arc<B> {}
impl<B: Watch> Watch for Arc<B> {}

/// The shortest time to live: a millisecond. Engines count in nothing finer.
pub const MIN_TTL: Duration = Duration::from_millis(1);
/// The longest time to live: ten years.
pub const MAX_TTL: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
