//! What the handles of one memory backend share: shards, bounds, watchers and time.

use core::time::Duration;
use std::{
    collections::BTreeMap,
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use foldhash::fast::RandomState;

use super::{
    bounds::{Bounds, Size},
    shard::{Cell, Shard, Slot, Writing},
};
use crate::backend::{
    BackendError, Clock, Entry, Expiry, Result, Revision, Timestamp, Want, hub::Hub,
    rules::check_ttl,
};

/// How many expired entries a write removes from its shard on the way.
const SWEEP_PER_WRITE: usize = 4;
/// How many expired entries are removed under one lock when all shards are swept.
const SWEEP_PER_LOCK: usize = 128;

pub(super) struct Engine {
    cells: Box<[Cell]>,
    hasher: RandomState,
    epoch: u64,
    pub(super) bounds: Option<Bounds>,
    pub(super) clock: Box<dyn Clock>,
    pub(super) hub: Hub,
    closed: AtomicBool,
}

impl Engine {
    pub(super) fn new(bounds: Option<Bounds>, clock: Box<dyn Clock>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = (threads * 4).next_power_of_two().clamp(8, 128) as u64;
        let hasher = RandomState::default();
        Self {
            cells: (0..shards).map(|first| Cell::new(hasher.clone(), first, shards)).collect(),
            hasher,
            // The standard library seeds its hasher from the operating system's random numbers.
            epoch: std::hash::RandomState::new().hash_one(()),
            bounds,
            clock,
            hub: Hub::default(),
            closed: AtomicBool::new(false),
        }
    }

    pub(super) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Which cell an entry lives in.
    pub(super) fn place(&self, key: &str) -> usize {
        // The map inside a shard uses the lowest and the highest bits of the same hash.
        let hash = self.hasher.hash_one(key) >> 32;
        // There is a power of two of cells, so the mask keeps the place within them.
        usize::try_from(hash).unwrap_or_default() & (self.cells.len() - 1)
    }

    pub(super) fn cell(&self, key: &str) -> &Cell {
        &self.cells[self.place(key)]
    }

    /// Fails once the backend is closed. To be asked under a shard's lock: closing sets the mark
    /// and then takes every lock to clear the shard.
    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Relaxed) { Err(BackendError::closed()) } else { Ok(()) }
    }

    /// The time, where anything in `shard` expires; reading the clock costs more than a lookup.
    fn now_for(&self, shard: &Shard) -> Timestamp {
        if shard.has_expiries() { self.clock.now() } else { Timestamp::default() }
    }

    /// What a caller is told of a stored entry.
    pub(super) fn entry(&self, slot: &Slot, want: Want) -> Entry {
        Entry {
            value: slot.value.clone(),
            revision: want.revision.then(|| self.revision(slot.revision)),
            expiry: if want.expiry { expiry(slot) } else { Expiry::Unknown },
        }
    }

    pub(super) fn revision(&self, number: u64) -> Revision {
        Revision::from(u128::from(self.epoch) << 64 | u128::from(number))
    }

    /// Locks the shard of `key`, changes it, and tells watchers unless it was refused.
    pub(super) fn write<T>(
        &self,
        key: &str,
        change: impl FnOnce(&mut Shard, Timestamp) -> Result<T>,
    ) -> Result<T> {
        let mut shard = self.cell(key).write();
        self.check_open()?;
        let now = self.now_for(&shard);
        let swept = self.sweep_shard(&mut shard, now, SWEEP_PER_WRITE);
        let result = change(&mut shard, now);
        drop(shard);
        let changed = result.is_ok().then_some(key);
        self.hub.publish(swept.iter().map(AsRef::as_ref).chain(changed));
        result
    }

    /// Locks the shards of all `keys`, changes them, and tells watchers unless it was refused.
    pub(super) fn write_all<T>(
        &self,
        keys: &[&str],
        change: impl FnOnce(&mut Locked<'_>, Timestamp) -> Result<T>,
    ) -> Result<T> {
        let mut locked = Locked { engine: self, shards: BTreeMap::new() };
        let mut places: Vec<_> = keys.iter().map(|key| self.place(key)).collect();
        // Everybody who holds several locks takes them in this order.
        places.sort_unstable();
        for place in places {
            locked.shards.entry(place).or_insert_with(|| self.cells[place].write());
        }
        self.check_open()?;
        let now = self.clock.now();
        let mut swept = Vec::new();
        for shard in locked.shards.values_mut() {
            swept.extend(self.sweep_shard(shard, now, SWEEP_PER_WRITE));
        }
        let result = change(&mut locked, now);
        drop(locked);
        let changed = result.is_ok().then_some(keys).into_iter().flatten().copied();
        self.hub.publish(swept.iter().map(AsRef::as_ref).chain(changed));
        result
    }

    /// Removes expired entries where a write of `more` would otherwise find no room.
    pub(super) fn make_room(&self, more: Size) {
        if self.bounds.as_ref().is_some_and(|bounds| !bounds.has_room(more)) {
            while self.sweep() {}
        }
    }

    /// Removes some expired entries of every shard; whether there may be more.
    pub(super) fn sweep(&self) -> bool {
        let now = self.clock.now();
        let mut more = false;
        for cell in &self.cells {
            if cell.soonest().is_some_and(|at| at <= now) {
                let swept = self.sweep_shard(&mut cell.write(), now, SWEEP_PER_LOCK);
                more |= swept.len() == SWEEP_PER_LOCK;
                self.hub.publish(swept.iter().map(AsRef::as_ref));
            }
        }
        more
    }

    /// How long it is until the next entry expires, if any does.
    pub(super) fn until_next_expiry(&self) -> Option<Duration> {
        let soonest = self.cells.iter().filter_map(Cell::soonest).min()?;
        Some(soonest.since(self.clock.now()))
    }

    /// Ends everything and drops every entry.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        for cell in &self.cells {
            cell.write().clear();
        }
        self.hub.close();
    }

    fn sweep_shard(&self, shard: &mut Shard, now: Timestamp, limit: usize) -> Vec<Arc<str>> {
        let mut swept = Vec::new();
        while swept.len() < limit
            && let Some((key, slot)) = shard.remove_due(now)
        {
            if let Some(bounds) = &self.bounds {
                bounds.release(Size::of(&key, &slot.value));
            }
            swept.push(key);
        }
        swept
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.hub.close();
    }
}

/// Several shards, locked for writing.
pub(super) struct Locked<'a> {
    engine: &'a Engine,
    shards: BTreeMap<usize, Writing<'a>>,
}

impl Locked<'_> {
    /// The shard of a key.
    pub(super) fn shard(&mut self, key: &str) -> &mut Shard {
        let place = self.engine.place(key);
        // All that are asked for were locked before, in order.
        self.shards.entry(place).or_insert_with(|| self.engine.cells[place].write())
    }
}

pub(super) fn expiry(slot: &Slot) -> Expiry {
    slot.expires.map_or(Expiry::Never, Expiry::At)
}

/// When something that lives for `ttl` from now on expires.
pub(super) fn deadline(now: Timestamp, ttl: Duration) -> Result<Timestamp> {
    check_ttl(ttl)?;
    Ok(now.after(ttl))
}
