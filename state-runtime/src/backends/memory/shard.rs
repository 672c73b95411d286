//! One shard: a part of the entries, and the two orders in which they are walked.

use std::{
    collections::{BTreeSet, HashMap},
    ops::{Bound, Deref, DerefMut},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use foldhash::fast::RandomState;

use crate::backend::Timestamp;

/// What is stored under one key.
pub(super) struct Slot {
    pub(super) value: Bytes,
    pub(super) revision: u64,
    pub(super) expires: Option<Timestamp>,
}

impl Slot {
    /// Whether it is there at a time, which is asked for only where it matters.
    pub(super) fn is_live(&self, now: impl FnOnce() -> Timestamp) -> bool {
        self.expires.is_none_or(|at| now() < at)
    }
}

/// A part of the entries, chosen by the hash of their keys.
///
/// `order` and `expiries` hold exactly the keys of `slots`, and of those of them that expire.
pub(super) struct Shard {
    slots: HashMap<Arc<str>, Slot, RandomState>,
    order: BTreeSet<Arc<str>>,
    expiries: BTreeSet<(Timestamp, Arc<str>)>,
    revision: u64,
    stride: u64,
}

impl Shard {
    /// Revisions start at `first` and go up by `stride`, so that no two shards give the same one.
    fn new(hasher: RandomState, first: u64, stride: u64) -> Self {
        Self {
            slots: HashMap::with_hasher(hasher),
            order: BTreeSet::new(),
            expiries: BTreeSet::new(),
            revision: first,
            stride,
        }
    }

    /// What is stored, expired or not.
    pub(super) fn stored(&self, key: &str) -> Option<&Slot> {
        self.slots.get(key)
    }

    /// The entry, if it is there at a time.
    pub(super) fn live(&self, key: &str, now: impl FnOnce() -> Timestamp) -> Option<&Slot> {
        self.slots.get(key).filter(|slot| slot.is_live(now))
    }

    /// Writes an entry and returns its revision.
    pub(super) fn put(&mut self, key: &str, value: Bytes, expires: Option<Timestamp>) -> u64 {
        self.revision = self.revision.wrapping_add(self.stride);
        let revision = self.revision;
        if let Some(slot) = self.slots.get_mut(key) {
            let before = slot.expires;
            *slot = Slot { value, revision, expires };
            self.reorder(key, before, expires);
        } else {
            let name: Arc<str> = Arc::from(key);
            self.order.insert(Arc::clone(&name));
            if let Some(at) = expires {
                self.expiries.insert((at, Arc::clone(&name)));
            }
            self.slots.insert(name, Slot { value, revision, expires });
        }
        revision
    }

    /// Gives a stored entry another expiry; its value and revision stay.
    pub(super) fn expire_at(&mut self, key: &str, expires: Option<Timestamp>) {
        if let Some(slot) = self.slots.get_mut(key) {
            let before = core::mem::replace(&mut slot.expires, expires);
            self.reorder(key, before, expires);
        }
    }

    /// Removes what is stored, expired or not, and returns it.
    pub(super) fn remove(&mut self, key: &str) -> Option<Slot> {
        let (name, slot) = self.slots.remove_entry(key)?;
        self.order.remove(key);
        if let Some(at) = slot.expires {
            self.expiries.remove(&(at, name));
        }
        Some(slot)
    }

    /// Removes the entry that expired first, if its time has come.
    pub(super) fn remove_due(&mut self, now: Timestamp) -> Option<(Arc<str>, Slot)> {
        if self.expiries.first()?.0 > now {
            return None;
        }
        let (_, key) = self.expiries.pop_first()?;
        self.order.remove(&key);
        let slot = self.slots.remove(&key)?;
        Some((key, slot))
    }

    /// Whether anything in here expires at all.
    pub(super) fn has_expiries(&self) -> bool {
        !self.expiries.is_empty()
    }

    /// The keys under `prefix` in their order, from behind `after` on.
    pub(super) fn keys<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Slot)> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        self.order
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(move |key| key.starts_with(prefix))
            .filter_map(|key| self.slots.get(key).map(|slot| (key, slot)))
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.slots = HashMap::with_hasher(self.slots.hasher().clone());
        self.order = BTreeSet::new();
        self.expiries = BTreeSet::new();
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Moves a stored entry from one place among the expiries to another.
    fn reorder(&mut self, key: &str, before: Option<Timestamp>, after: Option<Timestamp>) {
        if before == after {
            return;
        }
        let Some((name, _)) = self.slots.get_key_value(key) else { return };
        if let Some(at) = before {
            self.expiries.remove(&(at, Arc::clone(name)));
        }
        if let Some(at) = after {
            self.expiries.insert((at, Arc::clone(name)));
        }
    }
}

/// A shard behind its lock, apart from its neighbours in the processor's cache.
#[repr(align(128))]
pub(super) struct Cell {
    shard: RwLock<Shard>,
    /// When the first entry expires, in milliseconds; to be read without the lock.
    soonest: AtomicU64,
}

impl Cell {
    pub(super) fn new(hasher: RandomState, first: u64, stride: u64) -> Self {
        Self {
            shard: RwLock::new(Shard::new(hasher, first, stride)),
            soonest: AtomicU64::new(u64::MAX),
        }
    }

    // Nothing in a critical section leaves a shard half changed, so a poisoned lock is as good as
    // any other.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Shard> {
        self.shard.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> Writing<'_> {
        let shard = self.shard.write().unwrap_or_else(PoisonError::into_inner);
        Writing { shard, soonest: &self.soonest }
    }

    /// When the first entry expires; a hint, exact only while nobody writes.
    pub(super) fn soonest(&self) -> Option<Timestamp> {
        let millis = self.soonest.load(Ordering::Relaxed);
        (millis != u64::MAX).then(|| Timestamp::from_millis(millis))
    }
}

/// A shard that is locked for writing; keeps [`Cell::soonest`] true when it is released.
pub(super) struct Writing<'a> {
    shard: RwLockWriteGuard<'a, Shard>,
    soonest: &'a AtomicU64,
}

impl Deref for Writing<'_> {
    type Target = Shard;

    fn deref(&self) -> &Shard {
        &self.shard
    }
}

impl DerefMut for Writing<'_> {
    fn deref_mut(&mut self) -> &mut Shard {
        &mut self.shard
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let first = self.shard.expiries.first().map_or(u64::MAX, |(at, _)| at.as_millis());
        self.soonest.store(first, Ordering::Relaxed);
    }
}
