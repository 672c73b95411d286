//! The embedded default: durable state in a folder of its own, without a server.

mod config;
mod engine;
mod error;
mod expiry;
mod folder;
mod layout;
mod operation;
mod plan;
mod queue;
mod reader;
mod record;
mod rescue;
mod snapshot;
mod storage;
mod time;
mod watch;
mod writer;

use core::{fmt, time::Duration};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;

pub use self::config::FileBackendBuilder;
#[doc(hidden)]
pub use self::storage::Storage;
use self::{
    operation::{Add, Apply, Probe, Remove, Renew, Set, Throttle, Touch},
    reader::Shared,
    record::Record,
    snapshot::Snapshot,
};
use crate::{
    backend::{
        AddOptions, Backend, Batch, BatchOp, Capabilities, Capability, Cas, Changes, Cursor, Entry,
        Expiry, GetOptions, Page, RemoveOptions, Result, Revision, Scan, ScanRequest, SetOptions,
        ThrottleOptions, Throttled, Timestamp, Ttl, TtlChange, Watch, WatchRequest,
        rules::{check_batch, check_ttl, renewal_is_due},
    },
    key::Key,
};

/// The largest value, and the largest batch, in bytes: 1 GiB.
pub const MAX_VALUE_LEN: usize = 1 << 30;

/// The most entries that one page of a scan looks at, however many were asked for, so that a read
/// in place never takes an executor's thread for long.
const PAGE_ENTRIES: usize = 1024;
/// About how many bytes of values it may hold.
const PAGE_BYTES: usize = 4 << 20;

/// Durable state in a folder, for one process.
///
/// A write is acknowledged once it survives a loss of power. Concurrent writers share one sync of
/// the disk, so the more of them there are, the more they get done together. A read happens in
/// place, in microseconds.
///
/// # Guarantees
///
/// - Writes happen in the order in which they were handed over, and each sees those before it. A
///   read sees every write that was acknowledged before it began.
/// - A dropped future of a write that was handed over leaves the write to happen.
/// - When the disk fails during a commit, all writes of that commit are
///   [`ErrorKind::Indeterminate`]. From then on reads go on and writes are [`ErrorKind::ReadOnly`]
///   until the folder is opened again.
/// - Time never steps back while the store is open, nor, across a restart, below the time of the
///   last commit. An expired entry is removed within moments, but a read does not wait for that:
///   after a crash in between, a clock that was set back brings the entry back for as long. A clock
///   that was set ahead by mistake makes time stand still, once it is right again, until it gets
///   there.
/// - A read that renews waits for its commit where the renewal is due: the expiry that it tells is
///   as durable as any write. That is about eight times a TTL for an entry; all other reads wait
///   for nothing.
///
/// - Damage of the file is [`ErrorKind::Corrupted`] where it is met. An ordinary opening does not
///   look for it: [`with_integrity_check`](FileBackendBuilder::with_integrity_check) reads the whole
///   file and verifies every checksum. The engine meets some damage with a panic, which is caught
///   here and becomes `Corrupted`; a program that is built with `panic = "abort"` ends instead.
/// - A full disk takes no removals either, because they are written, too: free some space first.
///
/// Dropping the backend lets the waiting writes finish in the background; [`close`](Backend::close)
/// waits for them.
///
/// [`ErrorKind::Corrupted`]: crate::backend::ErrorKind::Corrupted
/// [`ErrorKind::Indeterminate`]: crate::backend::ErrorKind::Indeterminate
/// [`ErrorKind::ReadOnly`]: crate::backend::ErrorKind::ReadOnly
///
/// ```
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// use state_runtime::backend::Backend as _;
/// use state_runtime::backends::file::FileBackend;
/// # let folder = std::env::temp_dir().join(format!("state-doc-file-{}", std::process::id()));
///
/// let backend = FileBackend::open(&folder).await?;
/// backend.health().await?;
/// backend.close().await?;
/// # std::fs::remove_dir_all(folder).ok();
/// # Ok::<(), state_runtime::backend::BackendError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FileBackend {
    path: PathBuf,
    shared: Arc<Shared>,
    /// Its sender is gone when the writer's thread is done.
    finished: tokio::sync::watch::Receiver<()>,
}

impl FileBackend {
    /// Opens the store in the folder `path`, and creates it where there is nothing.
    ///
    /// # Errors
    ///
    /// Those of [`FileBackendBuilder::open`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder(path).open().await
    }

    /// Configures a store in the folder `path`.
    pub fn builder(path: impl AsRef<Path>) -> FileBackendBuilder {
        FileBackendBuilder::new(path.as_ref())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The entry under `key`, unless it has expired.
    fn find(&self, snapshot: &Snapshot, key: &Key) -> Result<Option<Record>> {
        let found = snapshot.get(key.as_str())?;
        Ok(found.filter(|record| self.is_live(record)))
    }

    /// Asks for the time only where it matters.
    fn is_live(&self, record: &Record) -> bool {
        record.header.expiry.is_none() || record.header.is_live(self.shared.time.now())
    }

    /// Moves the expiry of the entries that were read, where that is asked for and due. Together, so
    /// that they share a commit.
    async fn renew(&self, asked: &[(&Key, Option<Duration>)], found: &mut [Option<Record>]) {
        let mut renewals = Vec::new();
        for (&(key, ttl), record) in asked.iter().zip(found) {
            let (Some(ttl), Some(Record { header, .. })) = (ttl, record) else { continue };
            let now = self.shared.time.now();
            if header.expiry.is_some_and(|at| renewal_is_due(at, now, ttl)) {
                let (revision, expiry) = (header.revision, now.after(ttl));
                let renewal = self.shared.hand_over(Renew { key: key.clone(), revision, expiry });
                renewals.push((header, expiry, renewal));
            }
        }
        for (header, expiry, renewal) in renewals {
            // The value was read: that it could not be renewed is no reason to keep it back.
            if let Ok(renewal) = renewal
                && renewal.await.is_ok()
            {
                header.expiry = Some(expiry);
            }
        }
    }
}

impl Drop for FileBackend {
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}

impl fmt::Debug for FileBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBackend").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Backend for FileBackend {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        let mut found = [self.shared.read(|snapshot| self.find(snapshot, key))?];
        self.renew(&[(key, options.renew)], &mut found).await;
        let [found] = found;
        Ok(found.map(|record| record.into_entry(options.want)))
    }

    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        check_size(value.len())?;
        check_change(options.ttl)?;
        self.shared.write(Set { key: key.clone(), value, options }).await
    }

    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.shared.write(Remove { key: key.clone(), options }).await
    }

    fn name(&self) -> &'static str {
        "file"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE
            .with(Capability::Cas)
            .with(Capability::Ttl)
            .with(Capability::Batch)
            .with(Capability::Scan)
            .with(Capability::Watch)
            .with(Capability::Durable)
            .with(Capability::UniqueRevision)
            .with(Capability::Counter)
    }

    fn now(&self) -> Timestamp {
        self.shared.time.now()
    }

    /// Reads all entries from one snapshot: half a batch is never seen.
    async fn get_many(&self, requests: &[(Key, GetOptions)]) -> Result<Vec<Option<Entry>>> {
        let mut found: Vec<_> = self.shared.read(|snapshot| {
            requests.iter().map(|(key, _)| self.find(snapshot, key)).collect::<Result<_>>()
        })?;
        let renewals: Vec<_> = requests.iter().map(|(key, options)| (key, options.renew)).collect();
        self.renew(&renewals, &mut found).await;
        let entries = found.into_iter().zip(requests);
        Ok(entries.map(|(record, (_, options))| Some(record?.into_entry(options.want))).collect())
    }

    async fn exists(&self, key: &Key) -> Result<bool> {
        Ok(self.expiry(key).await?.is_some())
    }

    async fn expiry(&self, key: &Key) -> Result<Option<Expiry>> {
        let header = self.shared.read(|snapshot| snapshot.header(key.as_str()))?;
        let live = header
            .filter(|header| header.expiry.is_none() || header.is_live(self.shared.time.now()));
        Ok(live.map(|header| header.expiry.map_or(Expiry::Never, Expiry::At)))
    }

    async fn touch(&self, key: &Key, ttl: TtlChange) -> Result<bool> {
        check_change(ttl)?;
        self.shared.write(Touch { key: key.clone(), ttl }).await
    }

    async fn add(&self, key: &Key, options: AddOptions) -> Result<i128> {
        if let Some(ttl) = options.ttl {
            check_ttl(ttl)?;
        }
        self.shared.write(Add { key: key.clone(), options }).await
    }

    async fn throttle(&self, key: &Key, options: ThrottleOptions) -> Result<Throttled> {
        self.shared.write(Throttle { key: key.clone(), options }).await
    }

    async fn apply(&self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        check_batch(&batch)?;
        check_size(batch.iter().map(operation::batch_op_size).sum())?;
        for op in &batch {
            if let BatchOp::Set { options, .. } = op {
                check_change(options.ttl)?;
            }
        }
        self.shared.write(Apply(batch)).await
    }

    async fn scan(&self, request: ScanRequest) -> Result<Page> {
        let after = request.cursor.as_ref().map(Cursor::as_bytes);
        let limit = request.limit.clamp(1, PAGE_ENTRIES);
        let (records, more) = self
            .shared
            .read(|snapshot| snapshot.page(&request.prefix, after, limit, PAGE_BYTES))?;
        let last = records.last().map(|(key, _)| Cursor::from_bytes(key.as_str().as_bytes()));
        let live = records.into_iter().filter(|(_, record)| self.is_live(record));
        let entries = live.map(|(key, record)| (key, record.into_entry(request.want))).collect();
        Ok(Page { entries, next: last.filter(|_| more) })
    }

    async fn watch(&self, request: WatchRequest) -> Result<Changes> {
        watch::subscribe(&self.shared, request)
    }

    /// Commits without a change: it takes the way of every write, and leaves nothing behind.
    async fn health(&self) -> Result<()> {
        self.shared.write(Probe).await
    }

    async fn close(&self) -> Result<()> {
        self.shared.queue.close();
        let mut finished = self.finished.clone();
        while finished.changed().await.is_ok() {}
        Ok(())
    }
}

impl Cas for FileBackend {}
impl Ttl for FileBackend {}
impl Batch for FileBackend {}
impl Scan for FileBackend {}
impl Watch for FileBackend {}

fn check_size(size: usize) -> Result<()> {
    if size > MAX_VALUE_LEN { Err(error::too_large(size)) } else { Ok(()) }
}

fn check_change(ttl: TtlChange) -> Result<()> {
    if let TtlChange::After(ttl) = ttl { check_ttl(ttl) } else { Ok(()) }
}
