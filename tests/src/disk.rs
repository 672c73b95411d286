//! Disks in memory that crash and fail.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use state_runtime::backends::file::Storage;

/// What a disk writes as a whole; everything larger can tear.
const SECTOR: usize = 512;

/// A small generator of random numbers, so that a failing case can be run again by its seed.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Starts at `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    /// The next number.
    pub const fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }
}

/// A disk that holds back what was not synced, and shows what a crash would leave of it.
///
/// Of the writes after the last sync, each sector of 512 bytes arrives or does not, whatever the
/// order in which they were written.
#[derive(Debug)]
pub struct CrashDisk(Mutex<State>);

#[derive(Debug)]
struct State {
    synced: Vec<u8>,
    current: Vec<u8>,
    unsynced: Vec<Unsynced>,
    ignores_sync: bool,
    random: Random,
    one_in: u64,
    progress: Arc<[AtomicU64]>,
    crashes: Vec<Crash>,
}

#[derive(Debug)]
enum Unsynced {
    Write { offset: usize, data: Vec<u8> },
    Len(usize),
}

/// What one crash left.
#[derive(Debug)]
pub struct Crash {
    /// The bytes of the disk.
    pub image: Vec<u8>,
    /// What the callers had been told by then.
    pub progress: Vec<u64>,
}

impl CrashDisk {
    /// A disk of these bytes that does not crash yet.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            synced: bytes.clone(),
            current: bytes,
            unsynced: Vec::new(),
            ignores_sync: false,
            random: Random::new(0),
            one_in: 0,
            progress: Arc::from([]),
            crashes: Vec::new(),
        })))
    }

    /// From now on notes a crash at about one in `calls` changes, together with `progress`.
    pub fn crash_at_one_in(&self, calls: u64, random: Random, progress: Arc<[AtomicU64]>) {
        let mut state = self.state();
        (state.one_in, state.random, state.progress) = (calls, random, progress);
    }

    /// Lets every sync from now on do nothing.
    pub fn ignore_sync(&self) {
        self.state().ignores_sync = true;
    }

    /// The crashes so far.
    #[must_use]
    pub fn crashes(&self) -> Vec<Crash> {
        core::mem::take(&mut self.state().crashes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no thread panics while it holds the disk")
    }
}

impl State {
    fn maybe_crash(&mut self) {
        if self.one_in == 0 || self.random.below(self.one_in) != 0 {
            return;
        }
        let progress = self.progress.iter().map(|n| n.load(Ordering::SeqCst)).collect();
        let image = self.image();
        self.crashes.push(Crash { image, progress });
    }

    fn image(&mut self) -> Vec<u8> {
        let mut image = self.synced.clone();
        // Nothing, nearly everything, or anything between arrives.
        let arriving = self.random.below(5) * 25;
        for change in &self.unsynced {
            match change {
                Unsynced::Len(len) if self.random.below(100) < arriving => image.resize(*len, 0),
                Unsynced::Len(_) => {}
                Unsynced::Write { offset, data } => {
                    for (number, sector) in data.chunks(SECTOR).enumerate() {
                        if self.random.below(100) < arriving {
                            let start = offset + number * SECTOR;
                            let end = start + sector.len();
                            image.resize(image.len().max(end), 0);
                            image[start..end].copy_from_slice(sector);
                        }
                    }
                }
            }
        }
        image
    }
}

impl Storage for CrashDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let bytes = state.current.get(start..).and_then(|rest| rest.get(..out.len()));
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        let len = usize::try_from(len).map_err(io::Error::other)?;
        state.current.resize(len, 0);
        state.unsynced.push(Unsynced::Len(len));
        state.maybe_crash();
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        state.maybe_crash();
        if !state.ignores_sync {
            let State { synced, current, unsynced, .. } = &mut *state;
            for change in unsynced.drain(..) {
                match change {
                    Unsynced::Len(len) => synced.resize(len, 0),
                    Unsynced::Write { offset, data } => {
                        let end = offset + data.len();
                        synced.resize(synced.len().max(end), 0);
                        synced[offset..end].copy_from_slice(&data);
                    }
                }
            }
            debug_assert_eq!(synced.len(), current.len());
        }
        state.maybe_crash();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let end = offset + data.len();
        let len = state.current.len().max(end);
        state.current.resize(len, 0);
        state.current[offset..end].copy_from_slice(data);
        state.unsynced.push(Unsynced::Write { offset, data: data.to_vec() });
        state.maybe_crash();
        Ok(())
    }
}

/// A disk that starts to fail when it is told to.
#[derive(Debug)]
pub struct FailingDisk {
    below: Arc<CrashDisk>,
    /// How many more calls that change something succeed.
    writes_left: AtomicU64,
    /// How many further reads fail.
    failing_reads: AtomicU64,
}

impl FailingDisk {
    /// A disk on top of `below` that works.
    #[must_use]
    pub fn new(below: Arc<CrashDisk>) -> Arc<Self> {
        let (writes_left, failing_reads) = (AtomicU64::new(u64::MAX), AtomicU64::new(0));
        Arc::new(Self { below, writes_left, failing_reads })
    }

    /// Lets every change after the next `count` fail, as a full disk does.
    pub fn fail_writes_after(&self, count: u64) {
        self.writes_left.store(count, Ordering::SeqCst);
    }

    /// Lets the next `count` reads fail.
    pub fn fail_reads(&self, count: u64) {
        self.failing_reads.store(count, Ordering::SeqCst);
    }

    /// Whether a change was refused.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.writes_left.load(Ordering::SeqCst) == 0
    }

    fn change(&self) -> io::Result<()> {
        let take = |left: u64| if left == u64::MAX { Some(left) } else { left.checked_sub(1) };
        let left = self.writes_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
        left.map(|_| ()).map_err(|_| io::ErrorKind::StorageFull.into())
    }
}

impl Storage for FailingDisk {
    fn len(&self) -> io::Result<u64> {
        self.below.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let take = |left: u64| left.checked_sub(1);
        if self.failing_reads.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok() {
            return Err(io::Error::other("the disk is gone"));
        }
        self.below.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change()?;
        self.below.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.change()?;
        self.below.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change()?;
        self.below.write(offset, data)
    }
}
