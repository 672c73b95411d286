//! When expired entries are removed, and how many at once.
//!
//! An expired entry is absent anyway; removing it gives its space back and tells watchers. So it
//! can wait: a portion joins a group of writes, or makes one of its own while nobody writes.

use core::time::Duration;
use std::time::Instant;

use super::snapshot::Snapshot;
use crate::{
    backend::{Result, Timestamp},
    key::Key,
};

/// The most entries that are removed in one commit: they delay the writes of its group.
const PORTION: usize = 128;
/// How long after opening nothing is removed: a program that starts has better things to do.
const GRACE: Duration = Duration::from_millis(500);
/// The time between two portions while there is more to remove.
const PAUSE: Duration = Duration::from_millis(10);
/// The time between two looks for expired entries.
const INTERVAL: Duration = Duration::from_secs(1);
/// The same while somebody watches, who is to be told. The injected clock need not run like the
/// machine's, so that looking is the only way to know.
const WATCHED_INTERVAL: Duration = Duration::from_millis(50);

/// Decides when to look for expired entries.
#[derive(Debug)]
pub(super) struct Sweep {
    not_before: Instant,
}

impl Sweep {
    pub(super) fn new() -> Self {
        Self { not_before: Instant::now() + GRACE }
    }

    /// How long the writer may sleep; `None` while there is nothing that can expire.
    pub(super) fn sleep(
        &self,
        snapshot: &Snapshot,
        now: Timestamp,
        watched: bool,
    ) -> Option<Duration> {
        let next = snapshot.next_expiry().ok()??;
        let interval = if watched { WATCHED_INTERVAL } else { INTERVAL };
        let wait = next.since(now).min(interval);
        Some(wait.max(self.not_before.saturating_duration_since(Instant::now())))
    }

    /// The entries to remove now, if it is time to.
    pub(super) fn portion(&mut self, snapshot: &Snapshot, now: Timestamp) -> Result<Vec<Key>> {
        let start = Instant::now();
        if start < self.not_before {
            return Ok(Vec::new());
        }
        self.not_before = start + PAUSE;
        snapshot.expired(now, PORTION)
    }
}
