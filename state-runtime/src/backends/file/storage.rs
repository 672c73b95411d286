//! What the engine writes into: a file, or something that a test makes fail.

use core::fmt;
use std::sync::Arc;
use std::{collections::BTreeMap, io, sync::Mutex};

/// Bytes that can be addressed, extended and made durable.
///
/// The file backend is tested against storages that fail, tear and forget; programs give it a
/// folder.
#[expect(clippy::len_without_is_empty, reason = "a storage is never asked whether it is empty")]
pub trait Storage: fmt::Debug + Send + Sync + 'static {
    /// How many bytes there are.
    ///
    /// # Errors
    ///
    /// Whatever keeps the bytes failed.
    fn len(&self) -> io::Result<u64>;

    /// Reads all of `out` from `offset` on.
    ///
    /// # Errors
    ///
    /// Whatever keeps the bytes failed, or has not that many.
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Cuts, or extends with zeroes.
    ///
    /// # Errors
    ///
    /// Whatever keeps the bytes failed.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Returns once everything that was written survives a loss of power.
    ///
    /// # Errors
    ///
    /// Whatever keeps the bytes failed.
    fn sync(&self) -> io::Result<()>;

    /// Writes all of `data` at `offset`.
    ///
    /// # Errors
    ///
    /// Whatever keeps the bytes failed.
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()>;
}

/// A storage as redb wants it.
#[derive(Debug)]
pub(super) struct Direct(pub(super) Arc<dyn Storage>);

impl redb::StorageBackend for Direct {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

/// Shows what another holds and keeps every write to itself, in memory.
///
/// Opening a database may have to repair it first. After a disk error that must not touch the disk
/// again, and the file must stay what it is until somebody has looked at it.
#[derive(Debug)]
pub(super) struct Overlay<S> {
    below: S,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    len: u64,
    /// The shortest it ever was: what lies beyond below was cut off here.
    shown: u64,
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
}

const PAGE: usize = 4096;
const PAGE_LEN: u64 = PAGE as u64;

impl<S: redb::StorageBackend> Overlay<S> {
    pub(super) fn new(below: S) -> io::Result<Self> {
        let len = below.len()?;
        Ok(Self { below, written: Mutex::new(Written { len, shown: len, pages: BTreeMap::new() }) })
    }

    fn written(&self) -> io::Result<std::sync::MutexGuard<'_, Written>> {
        self.written.lock().map_err(|_| io::Error::other("a thread panicked"))
    }

    /// The page that starts at `start`, as it is below, of which only `shown` bytes count.
    fn page_below(&self, start: u64, shown: u64) -> io::Result<Box<[u8; PAGE]>> {
        let mut page = Box::new([0; PAGE]);
        let there = shown.saturating_sub(start).min(PAGE_LEN);
        let there = usize::try_from(there).unwrap_or(PAGE);
        if let Some(part) = page.get_mut(..there).filter(|part| !part.is_empty()) {
            self.below.read(start, part)?;
        }
        Ok(page)
    }
}

/// Splits `len` bytes from `offset` on at page bounds: start of the page, range in it, range in the
/// bytes.
fn pages(
    offset: u64,
    len: usize,
) -> impl Iterator<Item = (u64, core::ops::Range<usize>, core::ops::Range<usize>)> {
    let mut done = 0;
    core::iter::from_fn(move || {
        let at = offset + done as u64;
        let within = usize::try_from(at % PAGE_LEN).unwrap_or_default();
        let count = (PAGE - within).min(len - done);
        let bytes = done..done + count;
        done += count;
        (count > 0).then(|| (at - at % PAGE_LEN, within..within + count, bytes))
    })
}

impl<S: redb::StorageBackend> redb::StorageBackend for Overlay<S> {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written()?.len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written()?;
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > written.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (start, within, bytes) in pages(offset, out.len()) {
            let Some(out) = out.get_mut(bytes) else { continue };
            let below;
            let page = if let Some(page) = written.pages.get(&start) {
                page
            } else {
                below = self.page_below(start, written.shown)?;
                &below
            };
            out.copy_from_slice(page.get(within).unwrap_or_default());
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut written = self.written()?;
        if len < written.len {
            written.shown = written.shown.min(len);
            written.pages.split_off(&len.next_multiple_of(PAGE_LEN));
            let last = len - len % PAGE_LEN;
            let within = usize::try_from(len % PAGE_LEN).unwrap_or_default();
            if let Some(cut) = written.pages.get_mut(&last).and_then(|page| page.get_mut(within..))
            {
                cut.fill(0);
            }
        }
        written.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written()?;
        for (start, within, bytes) in pages(offset, data.len()) {
            if !written.pages.contains_key(&start) {
                let page = self.page_below(start, written.shown)?;
                written.pages.insert(start, page);
            }
            let page = written.pages.get_mut(&start).and_then(|page| page.get_mut(within));
            if let (Some(page), Some(data)) = (page, data.get(bytes)) {
                page.copy_from_slice(data);
            }
        }
        Ok(())
    }
}

/// A storage for the tests of what lies above.
#[cfg(test)]
pub(super) fn in_memory() -> Arc<dyn Storage> {
    use redb::StorageBackend as _;

    #[derive(Debug)]
    struct InMemory(redb::backends::InMemoryBackend);

    impl Storage for InMemory {
        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.0.read(offset, out)
        }
        fn set_len(&self, len: u64) -> io::Result<()> {
            self.0.set_len(len)
        }
        fn sync(&self) -> io::Result<()> {
            self.0.sync_data()
        }
        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.0.write(offset, data)
        }
    }

    Arc::new(InMemory(redb::backends::InMemoryBackend::new()))
}

#[cfg(test)]
mod tests {
    use redb::StorageBackend as _;

    use super::*;

    /// A storage that does what an overlay has to look like.
    fn below(len: usize) -> redb::backends::InMemoryBackend {
        let below = redb::backends::InMemoryBackend::new();
        let bytes: Vec<u8> = (0..len).map(|n| u8::try_from(n % 251).unwrap_or_default()).collect();
        below.set_len(len as u64).unwrap();
        below.write(0, &bytes).unwrap();
        below
    }

    fn all(storage: &impl redb::StorageBackend) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(storage.len().unwrap()).unwrap()];
        storage.read(0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn an_overlay_shows_its_writes_and_keeps_them_to_itself() {
        const LEN: usize = 3 * PAGE + 100;
        let (untouched, written) = (below(LEN), below(LEN));
        let overlay = Overlay::new(below(LEN)).unwrap();
        let changes: [(u64, &[u8]); 4] =
            [(0, b"start"), (PAGE_LEN - 2, b"across"), (3 * PAGE_LEN, &[7; 100]), (50, &[9; 9000])];
        for (offset, data) in changes {
            written.write(offset, data).unwrap();
            overlay.write(offset, data).unwrap();
            assert!(all(&overlay) == all(&written), "after the write at {offset}");
        }
        // What was cut off comes back as zeroes, not as what lies below.
        for len in [2 * PAGE_LEN + 10, 4 * PAGE_LEN, 100, PAGE_LEN] {
            written.set_len(len).unwrap();
            overlay.set_len(len).unwrap();
            assert!(all(&overlay) == all(&written), "at a length of {len}");
        }
        assert!(overlay.read(PAGE_LEN - 1, &mut [0; 2]).is_err(), "read past the end");
        assert!(all(&overlay.below) == all(&untouched), "what lies below was changed");
    }
}
