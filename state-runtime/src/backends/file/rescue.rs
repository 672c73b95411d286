//! When a database that a disk error spoiled is opened again for reading.

use core::time::Duration;
use std::time::Instant;

/// The rest that a disk gets after the first reopening; each further one doubles it.
const SHORTEST_REST: Duration = Duration::from_millis(10);
/// The longest rest: for so long may every read fail because one part of the disk cannot be read.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// Keeps apart reopenings, each of which may have to read the whole file.
#[derive(Debug)]
pub(super) struct Rescue {
    wanted: bool,
    not_before: Instant,
    rest: Duration,
}

impl Rescue {
    pub(super) fn new() -> Self {
        Self { wanted: false, not_before: Instant::now(), rest: SHORTEST_REST }
    }

    /// A reader met an error.
    pub(super) const fn want(&mut self) {
        self.wanted = true;
    }

    /// How long it is until the next reopening; `None` while none is wanted.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.wanted.then(|| self.not_before.saturating_duration_since(Instant::now()))
    }

    /// The database was opened again just now, or could not be.
    pub(super) fn done(&mut self) {
        self.wanted = false;
        self.not_before = Instant::now() + self.rest;
        self.rest = (self.rest * 2).min(LONGEST_REST);
    }
}
