//! How a file store is opened.

use core::fmt;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use tokio::sync::{oneshot, watch};

use super::{
    FileBackend,
    engine::{Engine, Source},
    error,
    folder::Folder,
    queue::{Bounds, Queue},
    reader::Shared,
    storage::Storage,
    time::Time,
    writer::Writer,
};
use crate::backend::{BackendError, Clock, ErrorKind, Result, SystemClock};

/// Configures a [`FileBackend`] before it is opened.
///
/// ```
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// use state_runtime::backends::file::FileBackend;
/// # let folder = std::env::temp_dir().join(format!("state-doc-builder-{}", std::process::id()));
///
/// let backend = FileBackend::builder(&folder).with_cache_size(16 << 20).open().await?;
/// # drop(backend);
/// # std::fs::remove_dir_all(folder).ok();
/// # Ok::<(), state_runtime::backend::BackendError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a builder opens nothing until `open` is called"]
pub struct FileBackendBuilder {
    path: PathBuf,
    storage: Option<Arc<dyn Storage>>,
    clock: Arc<dyn Clock>,
    cache_size: usize,
    bounds: Bounds,
    verify: bool,
}

impl fmt::Debug for FileBackendBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBackendBuilder")
            .field("path", &self.path)
            .field("cache_size", &self.cache_size)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

impl FileBackendBuilder {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            storage: None,
            clock: Arc::new(SystemClock),
            cache_size: 256 << 20,
            bounds: Bounds { jobs: 65_536, bytes: 256 << 20 },
            verify: false,
        }
    }

    /// The most memory that pages of the file may take, in bytes. 256 MiB unless said otherwise.
    pub const fn with_cache_size(mut self, bytes: usize) -> Self {
        self.cache_size = bytes;
        self
    }

    /// How many writes, and how many bytes of them, may wait for the disk. More are refused as
    /// [`ErrorKind::Overloaded`]. 65,536 writes and 256 MiB unless said otherwise.
    pub const fn with_queue_bound(mut self, writes: usize, bytes: usize) -> Self {
        self.bounds = Bounds { jobs: writes, bytes };
        self
    }

    /// The time that entries expire by: the wall clock unless said otherwise.
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Verifies the checksum of every page before the store is opened. It reads the whole file.
    pub const fn with_integrity_check(mut self) -> Self {
        self.verify = true;
        self
    }

    /// Keeps the state in `storage` in place of a folder.
    #[doc(hidden)]
    pub fn with_storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = Some(storage);
        self
    }

    /// Opens the store, and creates it where there is nothing.
    ///
    /// # Errors
    ///
    /// All name the folder and what to do.
    /// - [`ErrorKind::Locked`]: another process has it open, or this one has.
    /// - [`ErrorKind::Foreign`]: the folder holds something else, or a newer format.
    /// - [`ErrorKind::Corrupted`]: what it holds is damaged.
    /// - [`ErrorKind::ReadOnly`]: the disk is full or read-only.
    /// - [`ErrorKind::Other`]: the file system refuses, for want of permission for example.
    pub async fn open(self) -> Result<FileBackend> {
        let path = self.path.clone();
        let (opened, wait) = oneshot::channel();
        let (working, finished) = watch::channel(());
        let run = move || {
            let path = self.path.clone();
            match self.start() {
                Ok(writer) => {
                    // Made here: when nobody waits for it any more, wherever it is on its way, it
                    // is dropped, and so closed again.
                    drop(opened.send(Ok(FileBackend { path, shared: writer.shared(), finished })));
                    writer.run();
                }
                Err(error) => drop(opened.send(Err(error))),
            }
            drop(working);
        };
        let spawned = thread::Builder::new().name("state-file-writer".to_owned()).spawn(run);
        spawned.map_err(|error| {
            error::at(&path, ErrorKind::Other, "no thread could be started").with_source(error)
        })?;
        wait.await.unwrap_or_else(|_| Err(error::in_folder(&path, error::damaged())))
    }

    /// Opens everything. It may take a while after a crash, so it runs on the writer's thread.
    fn start(self) -> Result<Writer> {
        let named = |error: BackendError| error::in_folder(&self.path, error);
        let (folder, source) = if let Some(storage) = self.storage {
            (None, Source::Storage(storage))
        } else {
            let folder = Folder::open(&self.path)?;
            let source = folder.source();
            (Some(folder), source)
        };
        let engine = Engine::open(source, self.cache_size, self.verify).map_err(named)?;
        if let Some(folder) = &folder {
            folder.finish()?;
        }
        let shared = Arc::new(Shared::new(Queue::new(self.bounds), Time::new(self.clock)));
        Writer::start(shared, engine, folder).map_err(named)
    }
}
