//! `NatsBackend`: a key-value bucket of NATS `JetStream`.
//!
//! A bucket is a stream that keeps the last message of each subject. A write is a message, a
//! revision its sequence in the stream, a condition the sequence that the last message of the
//! subject has to have. What has to happen at the same time is decided by the server alone.
//!
//! | file | what it does |
//! |---|---|
//! | `config` | what a user configures |
//! | `link`, `backoff` | the connection of the moment, made anew after pauses |
//! | `session`, `signals` | one connection, what is asked over it, and what it tells by itself |
//! | `bucket` | opens or creates the bucket |
//! | `api`, `stored`, `subject` | what is said: requests and answers, messages, keys |
//! | `read`, `write`, `batch`, `scan`, `watch`, `expiries` | the operations |
//! | `error`, `risks` | outcomes, and what is to be feared |

mod api;
mod backoff;
mod batch;
mod bucket;
mod config;
mod error;
mod expiries;
mod link;
mod read;
mod risks;
mod scan;
mod session;
mod signals;
mod stored;
mod subject;
mod watch;
mod write;

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;

pub use self::{
    config::{MissingBucket, NatsConfig, Storage},
    subject::KeyMapping,
};
use self::{link::Link, session::Session};
use crate::{
    backend::{
        AddOptions, Backend, BackendError, Batch, BatchOp, Capabilities, Capability, Cas, Changes,
        Clock, Entry, ErrorKind, Expiry, GetOptions, Page, RemoveOptions, Result, Revision, Risk,
        Scan, ScanRequest, SetOptions, SystemClock, ThrottleOptions, Throttled, Timestamp, Ttl,
        TtlChange, Watch, WatchRequest,
    },
    key::Key,
};

/// State in a key-value bucket of NATS `JetStream`, shared by all who connect to it.
///
/// Values are stored as they are, so the clients of other languages read and write the same state:
/// `session:abc` is the key `session.abc` of the bucket ([`KeyMapping`]). A clone is another handle
/// to the same connection.
///
/// ```no_run
/// # async fn example() -> Result<(), state_runtime::backend::BackendError> {
/// use state_runtime::{
///     backend::Backend as _,
///     backends::{NatsBackend, NatsConfig},
/// };
///
/// let config = NatsConfig::new("127.0.0.1:4222").with_bucket("shop").with_replicas(3);
/// let backend = NatsBackend::connect(config).await?;
/// backend.health().await?;
/// backend.close().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Servers
///
/// NATS 2.9 and later, with `JetStream`. Batches need 2.12 and a bucket that allows them
/// (`allow_atomic`), as one does that is created here. A bucket that exists is used as it is and
/// never reconfigured; what is wrong with it is told by [`risks`](Backend::risks).
///
/// The login has to be allowed to publish to `$KV.<bucket>.>`, `$JS.API.STREAM.INFO.KV_<bucket>`,
/// `$JS.API.STREAM.MSG.GET.KV_<bucket>`, `$JS.API.DIRECT.GET.KV_<bucket>`,
/// `$JS.API.DIRECT.GET.KV_<bucket>.>` and, for watches, `$JS.API.CONSUMER.CREATE.KV_<bucket>`,
/// `$JS.API.CONSUMER.MSG.NEXT.KV_<bucket>.*` and `$JS.API.CONSUMER.DELETE.KV_<bucket>.*`; to create a
/// bucket, to `$JS.API.STREAM.CREATE.KV_<bucket>`; and to subscribe to `_INBOX.>`, and to
/// `$JS.EVENT.ADVISORY.STREAM.DELETED.KV_<bucket>` so that a removed bucket is noticed at once. What it
/// may not do is [`Denied`](crate::backend::ErrorKind::Denied).
///
/// # Outcomes
///
/// - Without a connection every operation is [`Unavailable`](crate::backend::ErrorKind::Unavailable)
///   at once. A new connection is made in the background; nothing that was queued for a lost one is
///   ever sent.
/// - A write that was handed over, and got no answer, is
///   [`Indeterminate`](crate::backend::ErrorKind::Indeterminate). If that was for want of time, its
///   connection is given up with all that was still queued. What had reached the server's machine
///   may still happen.
/// - A dropped future of a write that the client has taken leaves the write to happen.
///
/// # Reads
///
/// Reads see every write that was acknowledged before, by whomever: they are answered by the leader
/// of the bucket. A bucket with one replica that allows direct gets answers them as raw bytes; one
/// with several is asked in a way that takes longer, because a replica may be behind. That the
/// number of replicas, or a mirror, was added to a bucket is noticed at the next connection.
///
/// # Time
///
/// An entry with a time to live carries the time of its expiry in a header, `State-Expires`. That is
/// what reads, conditions and watches go by, on the clock of the machine that they run on: those
/// clocks should agree. From 2.11 on the server removes expired entries a little later, and markers
/// of removals after an hour, where the bucket allows it (`allow_msg_ttl`, one message a key).
/// Elsewhere they stay until they are overwritten; clients of other languages then still see an
/// expired entry. A time to live that another client gave its message is honoured by the server
/// alone: here its entry never expires, until it is gone.
///
/// # Scans and watches
///
/// A scan goes through the messages in the order in which they were written, follows entries that are
/// rewritten, and remembers what it has listed: each once, up to a million of them. Where writers are
/// faster, it asks for the names of all entries and reads those that are left. With direct gets
/// (2.11, one replica) a page is one request, elsewhere every entry is one.
///
/// An entry whose header `State-Expires` is no time was written by another program. Nobody can tell
/// whether it is there: a read is [`Foreign`](crate::backend::ErrorKind::Foreign), and a scan leaves it
/// out and logs its sequence as a warning. Overwriting or removing it repairs it.
///
/// A watch tells of expiries, too. It reads the headers of everything that it covers once when it
/// begins. After a lost connection it tells that everything may have changed.
#[derive(Clone)]
pub struct NatsBackend {
    engine: Engine,
}

/// What the operations work with.
#[derive(Clone)]
struct Engine {
    link: Arc<Link>,
    mapping: KeyMapping,
    capabilities: Capabilities,
    clock: SystemClock,
}

impl NatsBackend {
    /// Connects, and opens the bucket or creates it.
    ///
    /// # Errors
    ///
    /// - [`Unavailable`](crate::backend::ErrorKind::Unavailable): no server can be reached.
    /// - [`Denied`](crate::backend::ErrorKind::Denied): the login is refused, or may not do what is
    ///   needed.
    /// - [`Missing`](crate::backend::ErrorKind::Missing): there is no such bucket, and none is to be
    ///   created; or `JetStream` is not enabled.
    /// - [`Foreign`](crate::backend::ErrorKind::Foreign): the stream of that name is no bucket, or has a
    ///   setting with which it cannot be one, or other replicas, storage or limits than the
    ///   configuration says. The setting is named.
    /// - [`Other`](crate::backend::ErrorKind::Other): the configuration can never work, or what answers
    ///   there speaks another protocol: no TLS where some is needed or the reverse, HTTP, Redis. To know
    ///   that, a server that does not let this connect is asked once more, without a login.
    pub async fn connect(config: NatsConfig) -> Result<Self> {
        let mapping = config.mapping;
        let (link, session) = Link::open(config).await?;
        let capabilities = capabilities(&session);
        Ok(Self { engine: Engine { link, mapping, capabilities, clock: SystemClock } })
    }
}

/// What the bucket can do, as it was found.
fn capabilities(session: &Session) -> Capabilities {
    let always = Capabilities::NONE
        .with(Capability::Cas)
        .with(Capability::Ttl)
        .with(Capability::Scan)
        .with(Capability::Watch)
        .with(Capability::Shared)
        .with(Capability::UniqueRevision);
    let config = &session.bucket.config;
    let durable = config.storage != "memory";
    let found = if durable { always.with(Capability::Durable) } else { always };
    if config.allow_atomic { found.with(Capability::Batch) } else { found }
}

impl Engine {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The subject of a key.
    fn subject(&self, session: &Session, key: &Key) -> Result<String> {
        let name = self.mapping.name(key.as_str())?;
        Ok(format!("{}{name}", session.bucket.prefix))
    }
}

/// Tells where it is connected to, never what is stored.
impl fmt::Debug for NatsBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.engine.link.config;
        f.debug_struct("NatsBackend")
            .field("servers", &config.servers)
            .field("bucket", &config.bucket)
            .field("connected", &self.engine.link.session().is_ok())
            .finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
impl Backend for NatsBackend {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.engine.get(key, options).await
    }

    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.engine.set(key, value, options).await
    }

    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.engine.remove(key, options).await
    }

    fn name(&self) -> &'static str {
        "nats"
    }

    fn capabilities(&self) -> Capabilities {
        self.engine.capabilities
    }

    fn now(&self) -> Timestamp {
        self.engine.now()
    }

    async fn get_many(&self, requests: &[(Key, GetOptions)]) -> Result<Vec<Option<Entry>>> {
        self.engine.get_many(requests).await
    }

    async fn exists(&self, key: &Key) -> Result<bool> {
        Ok(self.engine.find(key).await?.is_some())
    }

    async fn expiry(&self, key: &Key) -> Result<Option<Expiry>> {
        self.engine.expiry(key).await
    }

    async fn touch(&self, key: &Key, ttl: TtlChange) -> Result<bool> {
        self.engine.touch(key, ttl).await
    }

    async fn add(&self, key: &Key, options: AddOptions) -> Result<i128> {
        self.engine.add(key, options).await
    }

    async fn throttle(&self, key: &Key, options: ThrottleOptions) -> Result<Throttled> {
        self.engine.throttle(key, options).await
    }

    async fn apply(&self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        if !self.engine.capabilities.contains(Capability::Batch) {
            return Err(BackendError::unsupported(Capability::Batch));
        }
        self.engine.apply(batch).await
    }

    async fn scan(&self, request: ScanRequest) -> Result<Page> {
        self.engine.scan(request).await
    }

    async fn watch(&self, request: WatchRequest) -> Result<Changes> {
        watch::subscribe(&self.engine, request).await
    }

    /// Writes an entry under a reserved key, reads it and removes it.
    async fn health(&self) -> Result<()> {
        let key = Key::from_stored("=health");
        let probe = Bytes::from_static(b"\"ok\"");
        self.engine.set(&key, probe.clone(), SetOptions::default()).await?;
        let found = self.engine.find(&key).await?;
        self.engine.remove(&key, RemoveOptions::default()).await?;
        // Another prober may have removed it in between: only other bytes are a fault.
        match found {
            Some(stored) if stored.value != probe => {
                Err(BackendError::new(ErrorKind::Corrupted, "the probe read back other bytes"))
            }
            _ => Ok(()),
        }
    }

    /// Sends what is queued and ends the connection. Writes that are not answered by then are
    /// [`Indeterminate`](crate::backend::ErrorKind::Indeterminate).
    async fn close(&self) -> Result<()> {
        self.engine.link.close().await;
        Ok(())
    }

    async fn risks(&self) -> Result<Vec<Risk>> {
        Ok(risks::of(&self.engine.link.session()?.bucket))
    }
}

impl Cas for NatsBackend {}
impl Ttl for NatsBackend {}
impl Batch for NatsBackend {}
impl Scan for NatsBackend {}
impl Watch for NatsBackend {}
