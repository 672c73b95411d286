//! Writes that wait for the next group.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{error, operation::Job};
use crate::backend::{BackendError, Result};

/// How long a group that is smaller than expected waits for one more write: about what it takes
/// to wake a caller that was just answered. See [`Queue::linger`].
const PATIENCE: Duration = Duration::from_micros(50);
/// The longest that it waits in all.
const LONGEST_LINGER: Duration = Duration::from_micros(250);

/// How long the writer looks out for the next write of a lone caller.
const LOOK_OUT: Duration = Duration::from_micros(100);

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) jobs: usize,
    pub(super) bytes: usize,
}

/// A queue of many callers and one writer.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    bounds: Bounds,
    /// The number of waiting jobs, to be looked at without the lock.
    count: AtomicUsize,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Box<dyn Job>>,
    bytes: usize,
    closed: bool,
    salvage: bool,
    writer_sleeps: bool,
}

/// What the writer has to do next.
pub(super) enum Work {
    /// Carry out these.
    Group(Vec<Box<dyn Job>>),
    /// Nothing came in time.
    Idle,
    /// A reader met a disk error.
    Salvage,
    /// Nothing more will come.
    Closed,
}

impl Queue {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            waiting: Mutex::default(),
            filled: Condvar::new(),
            bounds,
            count: AtomicUsize::new(0),
        }
    }

    /// Appends a write.
    pub(super) fn push(&self, job: Box<dyn Job>) -> Result<()> {
        let size = job.size();
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(BackendError::closed());
        }
        // One write that is larger than the bound passes as long as it is alone.
        let full = waiting.bytes.saturating_add(size) > self.bounds.bytes && waiting.bytes > 0;
        if full || waiting.jobs.len() >= self.bounds.jobs {
            return Err(error::overloaded());
        }
        waiting.bytes = waiting.bytes.saturating_add(size);
        waiting.jobs.push_back(job);
        self.count.store(waiting.jobs.len(), Ordering::Relaxed);
        self.wake(waiting);
        Ok(())
    }

    /// Tells the writer that the disk failed under a reader.
    pub(super) fn salvage(&self) {
        let mut waiting = self.lock();
        waiting.salvage = true;
        self.wake(waiting);
    }

    /// Refuses all further writes. Those that wait are still carried out.
    pub(super) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        self.wake(waiting);
    }

    /// Refuses all further writes and gives up those that wait.
    pub(super) fn abandon(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        let jobs = core::mem::take(&mut waiting.jobs);
        drop(waiting);
        drop(jobs);
    }

    /// How many writes wait.
    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Gives callers that were just answered the moment they need to come back, until `expected`
    /// writes wait.
    ///
    /// Without it, a group starts while the callers of the one before are still waking up, and
    /// callers fall into two halves that take turns. A lone caller has no company to wait for; and
    /// as soon as nobody comes any more, the group starts.
    pub(super) fn linger(&self, expected: usize) {
        if expected <= 1 {
            return self.look_out();
        }
        let start = Instant::now();
        let (mut seen, mut last) = (self.len(), start);
        while seen < expected {
            thread::yield_now();
            let (count, now) = (self.len(), Instant::now());
            if count > seen {
                (seen, last) = (count, now);
            } else if now.duration_since(last) > PATIENCE {
                break;
            }
            if now.duration_since(start) > LONGEST_LINGER {
                break;
            }
        }
    }

    /// Looks out for the next write for a moment before the writer goes to sleep.
    ///
    /// A lone caller that was just answered comes back after about as long as it takes to wake a
    /// thread. Waking the writer once more would make it wait for that twice a write.
    pub(super) fn look_out(&self) {
        let start = Instant::now();
        while self.len() == 0 && start.elapsed() < LOOK_OUT {
            thread::yield_now();
        }
    }

    /// Everything that waits, up to `limit` writes; sleeps until `timeout` if there is nothing.
    pub(super) fn next(&self, limit: usize, timeout: Option<Duration>) -> Work {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut waiting = self.lock();
        loop {
            if core::mem::take(&mut waiting.salvage) {
                return Work::Salvage;
            }
            if !waiting.jobs.is_empty() {
                let count = waiting.jobs.len().min(limit);
                let group: Vec<_> = waiting.jobs.drain(..count).collect();
                self.count.store(waiting.jobs.len(), Ordering::Relaxed);
                let taken: usize = group.iter().map(|job| job.size()).sum();
                waiting.bytes = waiting.bytes.saturating_sub(taken);
                return Work::Group(group);
            }
            if waiting.closed {
                return Work::Closed;
            }
            waiting.writer_sleeps = true;
            waiting = match deadline {
                None => self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        waiting.writer_sleeps = false;
                        return Work::Idle;
                    }
                    let woken = self.filled.wait_timeout(waiting, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            waiting.writer_sleeps = false;
        }
    }

    /// Wakes the writer if it sleeps: a system call that a busy writer need not cost its callers.
    fn wake(&self, mut waiting: MutexGuard<'_, Waiting>) {
        let sleeps = core::mem::take(&mut waiting.writer_sleeps);
        drop(waiting);
        if sleeps {
            self.filled.notify_one();
        }
    }

    /// The state is whole at every moment, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
