//! Backends that are not linearizable, each for one reason of those that there are in practice.

use core::{
    future::Future,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use state_runtime::{
    backend::{
        AddOptions, AnyBackend, Backend, BackendError, Batch, BatchOp, Capabilities, Capability,
        Cas, Changes, Condition, Entry, ErrorKind, Expiry, GetOptions, Page, RemoveOptions, Result,
        Revision, Risk, ScanRequest, SetOptions, ThrottleOptions, Throttled, Timestamp, TtlChange,
        Want, WatchRequest,
    },
    bytes::Bytes,
    key::Key,
};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// The condition of a write is ignored.
    PutInsteadOfCas,
    /// The condition of a write is checked before the write, not with it.
    CheckThenPut,
    /// An addition is sent once more.
    DoubledAdd,
    /// A read is answered from a cache of what was read before.
    StaleRead,
    /// A read of several is answered from a cache of what was read before.
    StaleReadOfMany,
    /// What is there is said to be absent, and the reverse.
    WrongExistence,
    /// The conditions of a batch are ignored.
    BatchWithoutConditions,
    /// A batch is acknowledged and never happens.
    LostBatch,
    /// A write is acknowledged and never happens.
    LostWrite,
    /// A write is refused although its condition holds.
    FalseConflict,
    /// A write that happened is said not to have happened.
    DeniedWrite,
    /// A write of unknown outcome is sent once more.
    Resent,
    /// A write of unknown outcome is said not to have happened.
    Denied,
}

impl Bug {
    /// Those that show all the time.
    pub const ALWAYS: [Self; 11] = [
        Self::PutInsteadOfCas,
        Self::CheckThenPut,
        Self::DoubledAdd,
        Self::StaleRead,
        Self::StaleReadOfMany,
        Self::WrongExistence,
        Self::BatchWithoutConditions,
        Self::LostBatch,
        Self::LostWrite,
        Self::FalseConflict,
        Self::DeniedWrite,
    ];

    /// Those that show only where something breaks.
    pub const WHEN_DISTURBED: [Self; 2] = [Self::Resent, Self::Denied];

    /// Whether a backend of these capabilities can have it.
    pub(super) fn can_be_in(self, capabilities: Capabilities) -> bool {
        let is_of_batches = matches!(self, Self::BatchWithoutConditions | Self::LostBatch);
        !is_of_batches || capabilities.contains(Capability::Batch)
    }
}

/// A bug that shows every time would be no test of a checker.
const EVERY: usize = 4;

/// A backend with one bug, or none. The bug shows every few times.
#[derive(Debug)]
pub struct Broken {
    inner: AnyBackend,
    bug: Option<Bug>,
    calls: AtomicUsize,
    read: Mutex<HashMap<Key, Option<Entry>>>,
}

impl Broken {
    /// `inner` with this bug.
    #[must_use]
    pub fn new(inner: AnyBackend, bug: Option<Bug>) -> Self {
        let (calls, read) = Default::default();
        Self { inner, bug, calls, read }
    }

    fn is(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// Whether the bug is this one, and shows now.
    fn shows(&self, bug: Bug) -> bool {
        self.is(bug) && self.calls.fetch_add(1, SeqCst) % EVERY == EVERY - 1
    }

    fn read(&self) -> MutexGuard<'_, HashMap<Key, Option<Entry>>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call that writes, and hides it if its outcome is unknown.
    async fn send<T, F>(&self, call: impl Fn() -> F + Send) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send,
    {
        match (call().await, self.bug) {
            (Err(error), Some(Bug::Resent)) if error.kind() == ErrorKind::Indeterminate => {
                call().await
            }
            (Err(error), Some(Bug::Denied)) if error.kind() == ErrorKind::Indeterminate => {
                Err(BackendError::new(ErrorKind::Unavailable, "a lie"))
            }
            (said, _) => said,
        }
    }

    async fn holds(&self, key: &Key, condition: &Condition) -> Result<bool> {
        let found = self.inner.get(key, GetOptions { want: Want::REVISION, renew: None }).await?;
        Ok(match condition {
            Condition::Always => true,
            Condition::IfAbsent => found.is_none(),
            Condition::IfRevision(revision) => {
                found.and_then(|entry| entry.revision).as_ref() == Some(revision)
            }
        })
    }
}

#[deny(clippy::missing_trait_methods)]
impl Backend for Broken {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        if self.shows(Bug::StaleRead)
            && let Some(entry) = self.read().get(key)
        {
            return Ok(entry.clone());
        }
        let entry = self.inner.get(key, options).await?;
        let caches = self.is(Bug::StaleRead) || self.is(Bug::StaleReadOfMany);
        if caches && options.want == Want::REVISION {
            self.read().insert(key.clone(), entry.clone());
        }
        Ok(entry)
    }
    async fn set(
        &self,
        key: &Key,
        value: Bytes,
        mut options: SetOptions,
    ) -> Result<Option<Revision>> {
        let is_plain = options.condition == Condition::Always && !options.want_revision;
        if is_plain && self.shows(Bug::LostWrite) {
            return Ok(None);
        }
        if options.condition != Condition::Always {
            if self.shows(Bug::PutInsteadOfCas) {
                options.condition = Condition::Always;
            } else if self.is(Bug::CheckThenPut) {
                if !self.holds(key, &options.condition).await? {
                    return Err(BackendError::conflict(0));
                }
                tokio::task::yield_now().await;
                options.condition = Condition::Always;
            } else if self.shows(Bug::FalseConflict) {
                return Err(BackendError::conflict(0));
            }
        }
        let set = || self.inner.set(key, value.clone(), options.clone());
        let written = self.send(set).await?;
        if self.shows(Bug::DeniedWrite) {
            return Err(BackendError::new(ErrorKind::Unavailable, "a lie"));
        }
        Ok(written)
    }
    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.send(|| self.inner.remove(key, options.clone())).await
    }
    fn name(&self) -> &'static str {
        self.inner.name()
    }
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
    fn now(&self) -> Timestamp {
        self.inner.now()
    }
    async fn get_many(&self, requests: &[(Key, GetOptions)]) -> Result<Vec<Option<Entry>>> {
        let mut found = self.inner.get_many(requests).await?;
        if self.shows(Bug::StaleReadOfMany) {
            for ((key, _), entry) in requests.iter().zip(&mut found) {
                if let Some(old) = self.read().get(key) {
                    entry.clone_from(old);
                }
            }
        }
        Ok(found)
    }
    async fn exists(&self, key: &Key) -> Result<bool> {
        Ok(self.inner.exists(key).await? != self.shows(Bug::WrongExistence))
    }
    async fn expiry(&self, key: &Key) -> Result<Option<Expiry>> {
        self.inner.expiry(key).await
    }
    async fn touch(&self, key: &Key, ttl: TtlChange) -> Result<bool> {
        self.inner.touch(key, ttl).await
    }
    async fn add(&self, key: &Key, options: AddOptions) -> Result<i128> {
        let sum = self.send(|| self.inner.add(key, options)).await?;
        if self.shows(Bug::DoubledAdd) { self.inner.add(key, options).await } else { Ok(sum) }
    }
    async fn throttle(&self, key: &Key, options: ThrottleOptions) -> Result<Throttled> {
        self.send(|| self.inner.throttle(key, options)).await
    }
    async fn apply(&self, mut batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        if self.shows(Bug::LostBatch) {
            return Ok(vec![None; batch.len()]);
        }
        if self.shows(Bug::BatchWithoutConditions) {
            for write in &mut batch {
                if let BatchOp::Set { options, .. } = write {
                    options.condition = Condition::Always;
                }
            }
        }
        self.send(|| self.inner.apply(batch.clone())).await
    }
    async fn scan(&self, request: ScanRequest) -> Result<Page> {
        self.inner.scan(request).await
    }
    async fn watch(&self, request: WatchRequest) -> Result<Changes> {
        self.inner.watch(request).await
    }
    async fn health(&self) -> Result<()> {
        self.inner.health().await
    }
    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
    async fn risks(&self) -> Result<Vec<Risk>> {
        self.inner.risks().await
    }
}

impl Cas for Broken {}
impl Batch for Broken {}
