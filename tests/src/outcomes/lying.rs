//! Backends that do not tell the truth, to see that it is noticed.

use core::{future::Future, time::Duration};
use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use state_runtime::{
    backend::{
        AddOptions, Backend, BackendError, BatchOp, Bytes, Capabilities, Capability, Entry,
        ErrorKind, GetOptions, RemoveOptions, Result, Revision, SetOptions,
    },
    key::Key,
};
use tokio::time::sleep;

use super::Target;

/// In what a backend is not honest. Each is what somebody has shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// A write of unknown outcome is sent again.
    Repeats,
    /// Of a write of unknown outcome it says that it was not applied.
    Denies,
    /// Of a write of unknown outcome it says that it was applied.
    Assumes,
    /// What cannot be read is absent.
    Absent,
    /// A write that failed is sent again later, behind the caller's back.
    Queues,
    /// A write that nobody waits for any more goes on, and is sent again if it fails.
    Insists,
    /// After its first failure it gives a reader what the reader before was to get.
    Mixes,
    /// What it promises to support it does not.
    Disowns,
    /// While the server is down it waits.
    Waits,
    /// After its first failure it does not work any more.
    GivesUp,
}

/// How long a repeated or queued write waits before it is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// How often it is tried.
const TRIES: usize = 50;

/// A backend that lies.
#[derive(Debug)]
pub struct Lying<B> {
    inner: Arc<B>,
    lie: Lie,
    failed: AtomicBool,
    last: Mutex<Option<Entry>>,
}

impl<B: Backend> Lying<B> {
    /// Lets `inner` lie.
    pub fn new(inner: B, lie: Lie) -> Self {
        Self { inner: Arc::new(inner), lie, failed: AtomicBool::new(false), last: Mutex::default() }
    }

    async fn read<T, F>(&self, call: impl Fn(Arc<B>) -> F + Send + Sync) -> Result<T>
    where
        T: Default + Send,
        F: Future<Output = Result<T>> + Send,
    {
        self.still_works()?;
        let result = call(Arc::clone(&self.inner)).await;
        match (self.lie, result) {
            (Lie::Absent, Err(_)) => Ok(T::default()),
            (Lie::Waits, Err(_)) => again(&self.inner, &call).await,
            (_, result) => self.noted(result),
        }
    }

    async fn write<T, F>(&self, call: impl Fn(Arc<B>) -> F + Send + Sync + 'static) -> Result<T>
    where
        T: Default + Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        self.still_works()?;
        if self.lie == Lie::Insists {
            return self.insist(call).await;
        }
        let error = match call(Arc::clone(&self.inner)).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let is_unknown = error.kind() == ErrorKind::Indeterminate;
        match self.lie {
            Lie::Repeats if is_unknown => again(&self.inner, &call).await,
            Lie::Denies if is_unknown => {
                Err(BackendError::new(ErrorKind::Unavailable, "the connection is gone"))
            }
            Lie::Assumes if is_unknown => Ok(T::default()),
            Lie::Waits if !is_unknown => again(&self.inner, &call).await,
            Lie::Queues => {
                let inner = Arc::clone(&self.inner);
                tokio::spawn(async move { again(&inner, &call).await });
                Err(BackendError::new(ErrorKind::Unavailable, "the connection is gone"))
            }
            _ => self.noted(Err(error)),
        }
    }

    /// Carries a write out in a task of its own, which goes on unless somebody has heard how it failed.
    async fn insist<T, F>(&self, call: impl Fn(Arc<B>) -> F + Send + Sync + 'static) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let (inner, is_heard) = (Arc::clone(&self.inner), Arc::new(AtomicBool::new(false)));
        let hears = Arc::clone(&is_heard);
        let write = tokio::spawn(async move {
            let result = call(Arc::clone(&inner)).await;
            if result.is_err() {
                tokio::spawn(async move {
                    sleep(PAUSE).await;
                    if !hears.load(Ordering::Relaxed) {
                        drop(again(&inner, &call).await);
                    }
                });
            }
            result
        });
        // So that it can be dropped before it hears anything, however fast the task is.
        tokio::task::yield_now().await;
        let result = write.await;
        is_heard.store(true, Ordering::Relaxed);
        result.map_err(|_| BackendError::new(ErrorKind::Other, "the task is gone"))?
    }

    fn still_works(&self) -> Result<()> {
        if self.lie == Lie::GivesUp && self.failed.load(Ordering::Relaxed) {
            return Err(BackendError::new(ErrorKind::Unavailable, "no connection any more"));
        }
        Ok(())
    }

    fn noted<T>(&self, result: Result<T>) -> Result<T> {
        self.failed.fetch_or(result.is_err(), Ordering::Relaxed);
        result
    }
}

/// Carries something out until it is certain that it was, or was not.
async fn again<B, T, F>(inner: &Arc<B>, call: &(impl Fn(Arc<B>) -> F + Sync)) -> Result<T>
where
    F: Future<Output = Result<T>> + Send,
{
    for _ in 1..TRIES {
        sleep(PAUSE).await;
        match call(Arc::clone(inner)).await {
            Err(error)
                if error.kind().is_retryable() || error.kind() == ErrorKind::Indeterminate => {}
            certain => return certain,
        }
    }
    call(Arc::clone(inner)).await
}

impl<B: Backend> Backend for Lying<B> {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        let found = self.read(|inner| async move { inner.get(key, options).await }).await?;
        if self.lie == Lie::Mixes && self.failed.load(Ordering::Relaxed) {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok(core::mem::replace(&mut *last, found));
        }
        Ok(found)
    }

    async fn get_many(&self, requests: &[(Key, GetOptions)]) -> Result<Vec<Option<Entry>>> {
        self.read(|inner| async move { inner.get_many(requests).await }).await
    }

    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        let key = key.clone();
        self.write(move |inner| {
            let (key, value, options) = (key.clone(), value.clone(), options.clone());
            async move { inner.set(&key, value, options).await }
        })
        .await
    }

    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        let key = key.clone();
        self.write(move |inner| {
            let (key, options) = (key.clone(), options.clone());
            async move { inner.remove(&key, options).await }
        })
        .await
    }

    async fn add(&self, key: &Key, options: AddOptions) -> Result<i128> {
        let key = key.clone();
        self.write(move |inner| {
            let key = key.clone();
            async move { inner.add(&key, options).await }
        })
        .await
    }

    async fn apply(&self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        if self.lie == Lie::Disowns {
            return Err(BackendError::new(ErrorKind::Unsupported(Capability::Batch), "no batches"));
        }
        self.write(move |inner| {
            let batch = batch.clone();
            async move { inner.apply(batch).await }
        })
        .await
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
}

/// A target whose backends lie.
#[derive(Debug)]
pub struct Liar<'t, T> {
    /// The honest one.
    pub target: &'t T,
    /// In what it lies.
    pub lie: Lie,
}

impl<T: Target> Target for Liar<'_, T> {
    type Backend = Lying<T::Backend>;

    fn server(&self) -> String {
        self.target.server()
    }

    async fn open(&self, address: String, limit: Duration) -> Result<Self::Backend> {
        Ok(Lying::new(self.target.open(address, limit).await?, self.lie))
    }

    async fn stored(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        self.target.stored(key).await
    }

    async fn put(&self, key: &Key, value: Option<&[u8]>) -> io::Result<()> {
        self.target.put(key, value).await
    }

    fn key(&self, group: &str, name: &str) -> Key {
        self.target.key(group, name)
    }
}
