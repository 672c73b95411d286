//! A file that counts how often it is made durable, for both sides of a comparison.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use state_runtime::backends::file::Storage;

/// A file on the disk.
#[derive(Debug, Clone)]
pub struct CountingFile {
    file: Arc<File>,
    syncs: Arc<AtomicU64>,
}

impl CountingFile {
    /// Creates the file.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        Ok(Self { file: Arc::new(file), syncs: Arc::default() })
    }

    /// How often it was made durable.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }
}

impl Storage for CountingFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }
}

impl redb::StorageBackend for CountingFile {
    fn len(&self) -> Result<u64, io::Error> {
        Storage::len(self)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        Storage::read(self, offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        Storage::set_len(self, len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        Storage::write(self, offset, data)
    }
}
