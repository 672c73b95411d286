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

/// How many entries may be removed in one commit, however little was written: they delay the
/// writes of its group.
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
    /// How many writes there were since the last portion. As many entries may be removed: else
    /// those that expire could pile up faster than they are removed.
    writes: usize,
}

impl Sweep {
    pub(super) fn new() -> Self {
        Self { not_before: Instant::now() + GRACE, writes: 0 }
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

    /// The entries to remove together with a group of `writes`.
    pub(super) fn portion(
        &mut self,
        snapshot: &Snapshot,
        now: Timestamp,
        writes: usize,
    ) -> Result<Vec<Key>> {
        let limit = self.limit(Instant::now(), writes);
        limit.map_or(Ok(Vec::new()), |limit| snapshot.expired(now, limit))
    }

    /// How many may be removed, if it is time to.
    fn limit(&mut self, start: Instant, writes: usize) -> Option<usize> {
        self.writes = self.writes.saturating_add(writes);
        if start < self.not_before {
            return None;
        }
        self.not_before = start + PAUSE;
        Some(core::mem::take(&mut self.writes).max(PORTION))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_removed_right_after_opening() {
        let mut sweep = Sweep::new();
        let start = Instant::now();
        assert_eq!(sweep.limit(start, 1), None);
        assert_eq!(sweep.limit(start + GRACE, 1), Some(PORTION));
    }

    #[test]
    fn as_many_are_removed_as_were_written_since() {
        let mut sweep = Sweep::new();
        let start = Instant::now() + GRACE;
        assert_eq!(sweep.limit(start, 1_000), Some(1_000));
        assert_eq!(sweep.limit(start, 700), None);
        assert_eq!(sweep.limit(start, 800), None);
        assert_eq!(sweep.limit(start + PAUSE, 0), Some(1_500));
        assert_eq!(sweep.limit(start + 2 * PAUSE, 0), Some(PORTION));
    }
}
