//! `RedisBackend`: entries on a Redis or Valkey server that several programs share.
//!
//! An entry is a plain string of the server under the encoded key, and its expiry is the server's
//! own: `redis-cli GET session:abc123` prints what was written. Nothing is stored beside it, so
//! other programs, in any language, read and write the same entries.
//!
//! | operation | what is sent, in one round trip unless it says otherwise |
//! |---|---|
//! | get, also with the revision | `GET`, or one `MGET` with other reads when many are in flight |
//! | get with the expiry | one script: both are of the same moment |
//! | get that renews | `GET` and `PTTL`; another round trip when less than 7/8 is left |
//! | get of many | one `MGET` for every 1,024 keys; `EXISTS` after it if some are missing |
//! | set, create, set that keeps the TTL | `SET` with `PX`, `NX` or `KEEPTTL` |
//! | set or remove under a revision, batch | one script, with all checks before the first write |
//! | add | one script |
//! | remove, exists, expiry, touch | `DEL`, `EXISTS`, `PTTL`, `PEXPIRE` |
//! | a page of a scan | `SCAN` until there are enough keys, then as get of many; of keys `SCAN` alone |
//! | watch | `CLIENT TRACKING` in broadcast mode, on a connection of its own |
//!
//! A script that a server has not seen yet costs another round trip, once. What is larger than a quarter
//! of a megabyte, and reads of many keys, have a connection of their own, so that they hold up nothing
//! small.
//!
//! In a cluster, get of many is a `GET` for each key, sent to all nodes at the same time.
//!
//! From the link upwards: `dial` makes a connection, `stream` and `pulse` tell whether it is alive,
//! `handle` sends on it, `keeper` replaces it when it is not, for a `link` that lasts, `node` has the
//! links of one server and the rule of outcomes, `router` finds the server of a key, and `read`,
//! `write` and `throttle` are the operations. `sentinel` and `cluster` tell where servers are; `scan` and `watch`
//! have to do with all of them. `lazy` opens what is not needed at once, `first` asks several servers
//! of which one is enough.

mod cluster;
mod config;
mod dial;
mod error;
#[cfg(test)]
mod fake;
mod first;
mod handle;
mod keeper;
mod lazy;
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
mod stream;
mod throttle;
mod tls;
mod values;
mod watch;
mod write;

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;

pub use self::config::RedisConfig;
use self::{config::Servers, dial::Dialer, router::Router, settings::Settings, watch::Watches};
use crate::{
    backend::{
        AddOptions, Backend, BackendError, Batch, BatchOp, Capabilities, Capability, Cas, Changes,
        Entry, ErrorKind, Expiry, GetOptions, Page, RemoveOptions, Result, Revision, Risk,
        RiskKind, Scan, ScanRequest, SetOptions, ThrottleOptions, Throttled, Ttl, TtlChange, Watch,
        WatchRequest, spoken,
    },
    key::Key,
};

/// The most bytes of one command that a server takes, less some room for what is around them.
const MAX_BATCH: usize = (1 << 30) - (16 << 20);

/// A backend on a Redis (6.2 or later) or Valkey server, which other programs share. A clone is
/// another handle to the same connections; they end with the last one, or by
/// [`close`](Backend::close).
///
/// ```no_run
/// use state_runtime::{
///     backend::{Backend, SetOptions},
///     backends::redis::{RedisBackend, RedisConfig},
///     key::Key,
/// };
/// # use state_runtime::backend::BackendError;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BackendError> {
/// let backend = RedisBackend::connect(RedisConfig::new("127.0.0.1:6379")).await?;
/// backend.set(&Key::from_stored("job:7"), "1".into(), SetOptions::default()).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Outcomes
///
/// While the server is known to be down, every operation fails at once with
/// [`ErrorKind::Unavailable`], and nothing is sent; a task in the background connects again. A write
/// that was handed over is not applied only if the server answered it with an error; without any
/// answer it is [`ErrorKind::Indeterminate`], and never sent again. A connection that owes an
/// answer, and from which nothing comes for longer than
/// [the response time-out](RedisConfig::with_response_timeout), is given up together with all that
/// wait for it. A part of a long answer counts, and time in which this process stood still does not.
///
/// A future that is dropped before its command has left takes the command back; one that is dropped
/// later leaves the write to the server. Other operations never notice.
///
/// What is larger than some 256 KiB goes over a second connection, so that small operations need not
/// wait for it. Operations that are awaited one after the other keep their order; a large write that
/// was dropped or is [`ErrorKind::Indeterminate`] may still arrive after a small one that was begun
/// later.
///
/// # Revisions
///
/// The revision of an entry is the SHA-1 of its bytes. So a change back to what was there before
/// (A, B, A) is not seen as one, nor is a write of the same bytes. The script that compares computes
/// the digest on the server: some 10 microseconds for a value of 300 bytes, 0.3 milliseconds for
/// 64 KiB and several for a megabyte, during which the server serves nobody else.
///
/// # Expiry
///
/// Entries expire by the clock of the server, to the millisecond. What
/// [`Expiry::At`] tells is the time that is left, counted from the clock of this machine when the
/// answer came, so two machines whose clocks differ are told different times for one moment.
///
/// # What is there already
///
/// A read of a key that holds a list, a hash or the like is [`ErrorKind::Foreign`]. A write without
/// a condition replaces it, and a removal removes it, as they do with any value.
///
/// # Durability
///
/// What a server acknowledged can be lost unless it syncs every write to its disk and evicts
/// nothing; [`risks`](Backend::risks) tells what its settings are, and
/// [`Capability::Durable`] what they were when it was connected to. Replication is asynchronous:
/// with Sentinel and in a cluster, a failover can lose writes that were acknowledged just before.
///
/// # Sentinels
///
/// The sentinels are asked for the master at every connection, and every few seconds in between;
/// most of them have to agree, if most can be reached; one that answers is enough if the others are
/// silent. The server that they name has to say itself that it is a master. Replicas are never read.
/// While there is no master, operations fail at once.
///
/// # Clusters
///
/// Entries are on the node that has the slot of their key; keys with the same `{tag}` share one.
/// [`get_many`](Backend::get_many) asks all nodes at the same time, so what it returns is not of one
/// moment. A [batch](Backend::apply) needs keys of one slot; others are refused as
/// [`ErrorKind::Unsupported`] before anything is sent. So a type with a former key needs the same tag
/// in both formats.
///
/// Connecting takes one node that tells of the others. What a node has that is down is
/// [`ErrorKind::Unavailable`] at once, until it or a replica is there; the others work.
///
/// A node that does not have a slot any more says where it is now. Such a command was not carried
/// out and is sent again there; nothing else ever is. A batch whose keys are just being moved one by
/// one is tried a few times and is then [`ErrorKind::Unavailable`].
///
/// # Scans
///
/// A scan goes through all keys of the servers, whatever its prefix: its cost is that of the whole
/// database. It holds 20 to 40 bytes for each key that it has listed, in its cursor, so that none
/// comes twice. After a lost connection, a failover or the move of a slot it goes through the server
/// concerned from the beginning; it is complete nevertheless. If that happens again and again, or
/// while a server is down, the page is [`ErrorKind::Unavailable`], and can be asked for once more.
///
/// In a cluster, slots that go from node to node are noticed by the epochs of the nodes, even where
/// one is back at its former owner when the scan looks again: everything is then gone through once
/// more. The one thing that a scan cannot know is a slot whose move was begun and taken back, its keys
/// with it, without that it ever had another owner.
///
/// # Watches
///
/// The server names the keys that change, expiry and renewal included; five quick changes may be
/// named once. [`Change::Everything`](crate::backend::Change) is told after a connection was lost,
/// after `FLUSHALL`, and when a node joins a cluster. Each server has one more connection while
/// anything is watched. It compares every key that changes with every prefix that is watched, so
/// watch one prefix rather than a thousand keys.
///
/// # Rights
///
/// A user of an access control list needs the commands of the operations that are used (see the
/// table in the [module](self)), `EVAL` and `EVALSHA` for those that are scripts, and the keys of
/// its namespaces. [`health`](Backend::health) writes under `=health`. `INFO` and `CONFIG GET` let
/// [`risks`](Backend::risks) look at the settings; without them that is a risk of its own. Scans need
/// `SCAN`, watches `CLIENT TRACKING`, clusters `CLUSTER SLOTS` and `CLUSTER NODES`, and `ROLE` is
/// asked behind sentinels.
///
/// On Redis 6.2 a batch can be cut short by rights: the server cannot be asked there whether a user
/// may run the second command of a script before the first has run. The outcome is then
/// [`ErrorKind::Indeterminate`].
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
    /// Connects to a server, and keeps connected as long as there is a handle. It belongs to the
    /// tokio runtime that it is called in.
    ///
    /// # Errors
    ///
    /// All name the address. Of several servers, one that answers is enough; where none does, all of
    /// them are named.
    /// - [`ErrorKind::Unavailable`]: nobody answers there, not in time, or not yet.
    /// - [`ErrorKind::Denied`]: the server asks for another login.
    /// - [`ErrorKind::Missing`]: the server has no database of that number.
    /// - [`ErrorKind::Overloaded`]: the server has no room for another connection.
    /// - [`ErrorKind::Other`]: the configuration can never work, a file that it names is not readable,
    ///   or what answers there speaks another protocol: TLS where none is used or the reverse, HTTP,
    ///   NATS.
    ///
    /// To know that last, a server that does not let this connect is asked once more, without a login.
    pub async fn connect(config: RedisConfig) -> Result<Self> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(BackendError::new(
                ErrorKind::Other,
                "a server is connected to within a tokio runtime, which keeps the connection",
            ));
        }
        let limit = config.connect_timeout;
        let dialer = Arc::new(Dialer::new(config)?);
        let connecting = async {
            let router = Arc::new(Router::connect(Arc::clone(&dialer)).await?);
            let settings = known_settings(&router).await?;
            Ok((router, settings))
        };
        let connecting = async {
            let connected = tokio::time::timeout(limit, connecting).await;
            connected.unwrap_or_else(|_| Err(error::silent(&dialer.config)))
        };
        let RedisConfig { servers, tls, .. } = &dialer.config;
        let (servers, fault) = (servers.shown(), |spoken| error::of_spoken(spoken, tls.is_some()));
        // In a box, so that whoever connects does not hold room for it.
        let connecting = Box::pin(spoken::connecting(&servers, fault, limit, connecting));
        let (router, settings) = connecting.await?;
        let synced = settings.iter().all(|settings| settings.risks().is_empty());
        let durable = synced && failover(&dialer).is_none();
        let max_value = settings.iter().map(Settings::max_value).min();
        let max_value = max_value.unwrap_or(settings::MAX_VALUE);
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

/// The settings of the servers that tell them just now: of several, one that is down keeps nobody
/// from the others.
async fn known_settings(router: &Router) -> Result<Vec<Settings>> {
    let nodes = router.connected();
    let (mut known, mut refusals) = (Vec::new(), Vec::new());
    for told in join_all(nodes.iter().map(|node| settings::read(node))).await {
        match told {
            Ok(settings) => known.push(settings),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if known.is_empty() && !refusals.is_empty() { Err(first::none(&refusals)) } else { Ok(known) }
}

/// What a replica lacks when it takes the place of its master.
fn failover(dialer: &Dialer) -> Option<Risk> {
    let reason = "a replica that takes the place of its master lacks the latest writes, because \
                  replication is asynchronous; no setting cures that, so accept it or use one server";
    (!matches!(dialer.config.servers, Servers::Single(_)))
        .then(|| Risk::new(RiskKind::Failover, reason))
}

/// Who still has a page of a scan, or looks after watches, holds no connection by that.
impl Drop for Inner {
    fn drop(&mut self) {
        self.router.close();
    }
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
            .with(Capability::Counter)
            .with(Capability::ExactRevision);
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

    async fn throttle(&self, key: &Key, options: ThrottleOptions) -> Result<Throttled> {
        throttle::throttle(self.router(), key, &options).await
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

    async fn scan(&self, request: ScanRequest) -> Result<Page> {
        scan::page(self.router(), request).await
    }

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
        let mut risks: Vec<Risk> = failover(&self.inner.dialer).into_iter().collect();
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
