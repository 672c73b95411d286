//! What this process has seen of locks, and since when.
//!
//! A lease of somebody else has run out when it was seen unchanged for its whole length, by the
//! monotonic clock of the one who looks. So no clocks of two machines are ever compared.

use core::{hash::Hash, time::Duration};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

use super::lease::Lease;
use crate::backend::Revision;

/// How many locks are remembered. A forgotten one is only watched anew.
const MOST: usize = 4_096;

/// A lease as it is stored, and since when it was seen like that.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    pub(super) lease: Lease,
    pub(super) revision: Revision,
    since: Instant,
}

impl Sighting {
    /// How long the lease has to be seen unchanged until it has run out; `None` where it has, or
    /// where the lock is free.
    pub(super) fn left(&self) -> Option<Duration> {
        let left = self.lease.length()?.saturating_sub(self.since.elapsed());
        Some(left).filter(|left| !left.is_zero())
    }
}

#[derive(Debug)]
pub(super) struct Sightings<K>(Mutex<HashMap<K, Sighting>>);

impl<K> Default for Sightings<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash> Sightings<K> {
    /// What was seen last, if the lock was free then.
    pub(super) fn free(&self, key: &K) -> Option<Sighting> {
        self.lock().get(key).filter(|sighting| !sighting.lease.is_held()).cloned()
    }

    /// Notes what was just read or written.
    pub(super) fn note(&self, key: &K, lease: Lease, revision: Revision) -> Sighting {
        let mut seen = self.lock();
        // After the answer came, so not before the holder has sent its lease.
        let mut since = Instant::now();
        match seen.get(key) {
            Some(before) if before.lease == lease => since = before.since,
            None if seen.len() >= MOST => seen.clear(),
            Some(_) | None => {}
        }
        let sighting = Sighting { lease, revision, since };
        seen.insert(key.clone(), sighting.clone());
        sighting
    }

    pub(super) fn forget(&self, key: &K) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Sighting>> {
        // Nothing between locking and unlocking can panic halfway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::lease::Nonce, *};

    #[tokio::test(start_paused = true)]
    async fn a_lease_runs_out_when_it_was_seen_unchanged_for_its_length() {
        let (seen, second) = (Sightings::default(), Duration::from_secs(1));
        let revision = |text: &str| text.parse::<Revision>().unwrap();
        let lease = Lease::taken(1, &Nonce::new(), second);
        assert_eq!(seen.note(&"lock", lease.clone(), revision("01")).left(), Some(second));
        tokio::time::advance(second / 2).await;
        // The revision may change without the value.
        let again = seen.note(&"lock", lease.clone(), revision("02"));
        assert_eq!(again.left(), Some(second / 2));
        let renewed = seen.note(&"lock", lease.renewed(), revision("03"));
        assert_eq!(renewed.left(), Some(second));
        tokio::time::advance(second).await;
        assert_eq!(seen.note(&"lock", lease.renewed(), revision("03")).left(), None);
        assert!(seen.free(&"lock").is_none());
        seen.note(&"lock", lease.freed(), revision("04"));
        assert!(seen.free(&"lock").is_some());
    }
}
