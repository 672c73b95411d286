//! A backend with one fault, of the kinds that authors of backends make.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{TryStreamExt, stream};
use state_runtime::{
    backend::{
        AddOptions, Backend, BackendError, Batch, BatchOp, Bytes, Capabilities, Cas, Changes,
        Condition, Entry, GetOptions, Page, RemoveOptions, Result, Revision, Scan, ScanRequest,
        SetOptions, Timestamp, Ttl, TtlChange, Want, Watch, WatchRequest,
    },
    backends::MemoryBackend,
    key::Key,
};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    PutInsteadOfCas,
    CheckThenPut,
    RemoveIgnoresConditions,
    TtlIgnored,
    KeepForgets,
    RenewsAlways,
    NeverRenews,
    TouchCreates,
    BatchOneByOne,
    BatchCheckThenWrite,
    LostRemove,
    StaleGet,
    CutsAtNul,
    FoldsCase,
    AddReadThenWrite,
    AddOf64Bits,
    GetManySorted,
    OneRevisionForAll,
    NoRevisionInBatch,
    ScanIgnoresPrefix,
    ScanRepeats,
    ScanSkips,
    WatchIsSilent,
    WatchStartsLate,
    HealthLeavesProbe,
    HalfClosed,
    DebugLeaks,
    PanicsOnLargeValues,
    Hangs,
}

/// Memory with a fault.
pub(crate) struct Broken {
    inner: MemoryBackend,
    fault: Fault,
    seen: Mutex<HashMap<String, Option<Entry>>>,
    last: Mutex<Bytes>,
    closed: AtomicBool,
}

impl Broken {
    pub(crate) fn new(inner: MemoryBackend, fault: Fault) -> Self {
        let (seen, last, closed) = Default::default();
        Self { inner, fault, seen, last, closed }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn key(&self, key: &Key) -> Key {
        if self.has(Fault::FoldsCase) {
            return Key::from_stored(key.as_str().to_lowercase());
        }
        key.clone()
    }

    fn ttl(&self, ttl: TtlChange) -> TtlChange {
        match ttl {
            TtlChange::After(_) if self.has(Fault::TtlIgnored) => TtlChange::Clear,
            TtlChange::Keep if self.has(Fault::KeepForgets) => TtlChange::Clear,
            other => other,
        }
    }

    /// Whether a condition holds right now, asked apart from the write.
    async fn check(&self, key: &Key, condition: &Condition, index: usize) -> Result<()> {
        let entry = self.inner.get(key, GetOptions { want: Want::REVISION, renew: None }).await?;
        let holds = match condition {
            Condition::Always => true,
            Condition::IfAbsent => entry.is_none(),
            Condition::IfRevision(revision) => {
                entry.and_then(|entry| entry.revision).as_ref() == Some(revision)
            }
        };
        tokio::task::yield_now().await;
        if holds { Ok(()) } else { Err(BackendError::conflict(index)) }
    }

    async fn write(&self, op: BatchOp) -> Result<Option<Revision>> {
        match op {
            BatchOp::Set { key, value, options } => self.inner.set(&key, value, options).await,
            BatchOp::Remove { key, options } => {
                self.inner.remove(&key, options).await.map(|()| None)
            }
        }
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has(Fault::DebugLeaks) { write!(f, "{last:?}") } else { f.write_str("Broken") }
    }
}

impl Backend for Broken {
    async fn get(&self, key: &Key, mut options: GetOptions) -> Result<Option<Entry>> {
        let key = self.key(key);
        match self.fault {
            Fault::NeverRenews => options.renew = None,
            Fault::RenewsAlways => {
                if let Some(ttl) = options.renew.take() {
                    self.inner.touch(&key, TtlChange::After(ttl)).await?;
                }
            }
            Fault::StaleGet => {
                let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(entry) = seen.get(key.as_str()) {
                    return Ok(entry.clone());
                }
            }
            _ => {}
        }
        let mut entry = self.inner.get(&key, options).await?;
        if self.has(Fault::OneRevisionForAll)
            && let Some(revision) = entry.as_mut().and_then(|entry| entry.revision.as_mut())
        {
            *revision = Revision::from(1_u64);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(key.into_string(), entry.clone());
        Ok(entry)
    }

    async fn set(
        &self,
        key: &Key,
        mut value: Bytes,
        mut options: SetOptions,
    ) -> Result<Option<Revision>> {
        let key = self.key(key);
        options.ttl = self.ttl(options.ttl);
        match self.fault {
            Fault::PutInsteadOfCas => options.condition = Condition::Always,
            Fault::CheckThenPut => {
                self.check(&key, &options.condition, 0).await?;
                options.condition = Condition::Always;
            }
            Fault::CutsAtNul => {
                let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
                value.truncate(end);
            }
            Fault::HalfClosed if self.closed.load(Ordering::SeqCst) => {
                return Err(BackendError::closed());
            }
            Fault::PanicsOnLargeValues => assert!(value.len() < 100_000, "no room"),
            _ => {}
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = value.clone();
        let revision = self.inner.set(&key, value, options).await?;
        let one = self.has(Fault::OneRevisionForAll);
        Ok(revision.map(|revision| if one { Revision::from(1_u64) } else { revision }))
    }

    async fn remove(&self, key: &Key, mut options: RemoveOptions) -> Result<()> {
        match self.fault {
            Fault::LostRemove => return Ok(()),
            Fault::RemoveIgnoresConditions => options.condition = Condition::Always,
            _ => {}
        }
        self.inner.remove(&self.key(key), options).await
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn get_many(&self, requests: &[(Key, GetOptions)]) -> Result<Vec<Option<Entry>>> {
        let mut requests = requests.to_vec();
        match self.fault {
            Fault::Hangs => return core::future::pending().await,
            Fault::NeverRenews => requests.iter_mut().for_each(|(_, options)| options.renew = None),
            Fault::GetManySorted => {
                requests.sort_by(|(a, _), (b, _)| a.cmp(b));
                requests.dedup_by(|(a, _), (b, _)| a == b);
            }
            _ => {}
        }
        self.inner.get_many(&requests).await
    }

    async fn touch(&self, key: &Key, ttl: TtlChange) -> Result<bool> {
        if self.has(Fault::TouchCreates) && !self.inner.exists(key).await? {
            self.inner.set(key, Bytes::new(), SetOptions::default()).await?;
        }
        self.inner.touch(key, self.ttl(ttl)).await
    }

    async fn add(&self, key: &Key, options: AddOptions) -> Result<i128> {
        match self.fault {
            Fault::AddReadThenWrite => {
                let entry = self.inner.get(key, GetOptions::default()).await?;
                tokio::task::yield_now().await;
                let old = entry.and_then(|entry| String::from_utf8(entry.value.into()).ok());
                let sum = old.map_or(0, |text| text.parse().unwrap_or(0)) + options.delta;
                self.inner.set(key, sum.to_string().into(), SetOptions::default()).await?;
                Ok(sum)
            }
            Fault::AddOf64Bits => {
                let (min, max) = (i64::MIN.into(), i64::MAX.into());
                let (min, max) = (options.min.max(min), options.max.min(max));
                self.inner.add(key, AddOptions { min, max, ..options }).await
            }
            _ => self.inner.add(key, options).await,
        }
    }

    async fn apply(&self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        match self.fault {
            Fault::BatchCheckThenWrite => {
                for (index, op) in batch.iter().enumerate() {
                    let (BatchOp::Set { options: SetOptions { condition, .. }, .. }
                    | BatchOp::Remove { options: RemoveOptions { condition }, .. }) = op;
                    self.check(op.key(), condition, index).await?;
                }
            }
            Fault::BatchOneByOne => {}
            Fault::NoRevisionInBatch => {
                return Ok(vec![None; self.inner.apply(batch).await?.len()]);
            }
            _ => return self.inner.apply(batch).await,
        }
        let mut revisions = Vec::new();
        for mut op in batch {
            if self.has(Fault::BatchCheckThenWrite) {
                match &mut op {
                    BatchOp::Set { options, .. } => options.condition = Condition::Always,
                    BatchOp::Remove { options, .. } => options.condition = Condition::Always,
                }
            }
            revisions.push(self.write(op).await?);
            tokio::task::yield_now().await;
        }
        Ok(revisions)
    }

    async fn scan(&self, mut request: ScanRequest) -> Result<Page> {
        let later = request.cursor.is_some();
        if self.has(Fault::ScanIgnoresPrefix) {
            request.prefix.clear();
        }
        let mut page = self.inner.scan(request).await?;
        match (self.fault, page.entries.first().cloned()) {
            (Fault::ScanRepeats, Some(first)) => page.entries.push(first),
            (Fault::ScanSkips, Some(_)) if later => drop(page.entries.remove(0)),
            _ => {}
        }
        Ok(page)
    }

    async fn watch(&self, request: WatchRequest) -> Result<Changes> {
        match self.fault {
            Fault::WatchIsSilent => Ok(Box::pin(stream::pending())),
            Fault::WatchStartsLate => {
                let inner = self.inner.clone();
                let subscribe = async move { inner.watch(request).await };
                Ok(Box::pin(stream::once(subscribe).try_flatten()))
            }
            _ => self.inner.watch(request).await,
        }
    }

    async fn health(&self) -> Result<()> {
        if self.has(Fault::HealthLeavesProbe) {
            let key = Key::from_stored("=health");
            self.inner.set(&key, Bytes::new(), SetOptions::default()).await?;
        }
        self.inner.health().await
    }

    async fn close(&self) -> Result<()> {
        self.closed.store(true, Ordering::SeqCst);
        if self.has(Fault::HalfClosed) { Ok(()) } else { self.inner.close().await }
    }
}

impl Cas for Broken {}
impl Ttl for Broken {}
impl Batch for Broken {}
impl Scan for Broken {}
impl Watch for Broken {}
