//! Deciding what a group of writes does, before any of it is written.
//!
//! redb cannot take back one operation of a transaction. So the operations of a group run here
//! first, in order, on top of the committed state: each sees those before it, and one whose
//! condition fails leaves nothing behind. What remains is at most one change an entry, sorted by
//! key, which is also the cheapest form to write.

use core::time::Duration;
use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    engine::Change,
    record::{Header, Record},
    snapshot::Snapshot,
};
use crate::{
    backend::{BackendError, Condition, Result, Revision, Timestamp, TtlChange},
    key::Key,
};

/// The changes of one group, as far as they are decided.
pub(super) struct Plan<'s> {
    committed: &'s Snapshot,
    now: Timestamp,
    next_revision: u64,
    staged: BTreeMap<Key, Change>,
    order: Vec<Key>,
    must_commit: bool,
}

/// What a plan came to.
pub(super) struct Decided {
    /// One change an entry, sorted by key.
    pub(super) changes: BTreeMap<Key, Change>,
    /// The changed keys in the order of the operations.
    pub(super) order: Vec<Key>,
    /// The first revision that was not given away.
    pub(super) next_revision: u64,
    /// Whether there has to be a commit even without changes.
    pub(super) must_commit: bool,
}

impl<'s> Plan<'s> {
    pub(super) fn new(committed: &'s Snapshot, now: Timestamp, next_revision: u64) -> Self {
        let (staged, order) = (BTreeMap::new(), Vec::new());
        Self { committed, now, next_revision, staged, order, must_commit: false }
    }

    pub(super) fn decide(self) -> Decided {
        let Self { staged: changes, order, next_revision, must_commit, .. } = self;
        Decided { changes, order, next_revision, must_commit }
    }

    /// The entry as the operations before left it.
    pub(super) fn get(&self, key: &Key) -> Result<Option<Record>> {
        let record = match self.staged.get(key.as_str()) {
            Some(Change::Put(record)) => Some(record.clone()),
            Some(Change::Remove) => None,
            None => self.committed.get(key.as_str())?,
        };
        Ok(record.filter(|record| record.header.is_live(self.now)))
    }

    /// The header of the entry as the operations before left it.
    pub(super) fn header(&self, key: &Key) -> Result<Option<Header>> {
        let header = match self.staged.get(key.as_str()) {
            Some(Change::Put(record)) => Some(record.header),
            Some(Change::Remove) => None,
            None => self.committed.header(key.as_str())?,
        };
        Ok(header.filter(|header| header.is_live(self.now)))
    }

    /// Whether `condition` holds; `index` is the operation's number in its batch.
    pub(super) fn check(&self, key: &Key, condition: &Condition, index: usize) -> Result<()> {
        let holds = match condition {
            Condition::Always => true,
            Condition::IfAbsent => self.header(key)?.is_none(),
            Condition::IfRevision(expected) => {
                let found = self.header(key)?.map(|header| Revision::from(header.revision));
                found.as_ref() == Some(expected)
            }
        };
        if holds { Ok(()) } else { Err(BackendError::conflict(index)) }
    }

    /// The expiry that a write leaves.
    pub(super) fn expiry(&self, key: &Key, ttl: TtlChange) -> Result<Option<Timestamp>> {
        Ok(match ttl {
            TtlChange::Clear => None,
            TtlChange::After(ttl) => Some(self.deadline(ttl)),
            TtlChange::Keep => self.header(key)?.and_then(|header| header.expiry),
        })
    }

    /// The time of the group.
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    /// When an entry expires that lives for `ttl` from now on.
    pub(super) fn deadline(&self, ttl: Duration) -> Timestamp {
        self.now.after(ttl)
    }

    /// Writes an entry, at a revision of its own.
    pub(super) fn put(&mut self, key: Key, value: Bytes, expiry: Option<Timestamp>) -> Revision {
        let revision = self.next_revision;
        self.next_revision += 1;
        self.stage(key, Change::Put(Record { header: Header { revision, expiry }, value }));
        Revision::from(revision)
    }

    /// Gives an entry a new expiry. Its bytes stay, and so does its revision.
    pub(super) fn retime(&mut self, key: Key, mut record: Record, expiry: Option<Timestamp>) {
        record.header.expiry = expiry;
        self.stage(key, Change::Put(record));
    }

    /// Whether anything is stored under `key`, expired or not.
    pub(super) fn is_stored(&self, key: &Key) -> Result<bool> {
        match self.staged.get(key.as_str()) {
            Some(change) => Ok(matches!(change, Change::Put(_))),
            None => Ok(self.committed.header(key.as_str())?.is_some()),
        }
    }

    /// Removes an entry, expired or not.
    pub(super) fn remove(&mut self, key: Key) {
        self.stage(key, Change::Remove);
    }

    /// Removes an entry that has expired, unless an operation of the group changed it.
    pub(super) fn sweep(&mut self, key: Key) -> Result<()> {
        if !self.staged.contains_key(key.as_str()) && self.header(&key)?.is_none() {
            self.remove(key);
        }
        Ok(())
    }

    /// Asks for a commit even where nothing changes.
    pub(super) const fn must_commit(&mut self) {
        self.must_commit = true;
    }

    fn stage(&mut self, key: Key, change: Change) {
        self.order.push(key.clone());
        self.staged.insert(key, change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::file::{
        engine::{Engine, Marks, Source},
        storage::in_memory,
    };

    #[test]
    fn a_sweep_removes_what_has_expired_and_no_operation_wrote() -> Result<()> {
        let keys = ["expired", "live", "removed", "written"];
        let at = |key| Timestamp::from_millis(if key == "live" { 1_000 } else { 10 });
        let stored = keys.map(|key| {
            let header = Header { revision: 1, expiry: Some(at(key)) };
            (key, Change::Put(Record { header, value: Bytes::new() }))
        });
        let mut engine = Engine::open(Source::Storage(in_memory()), 1 << 20, false)?;
        engine.commit(stored.iter().map(|(key, change)| (*key, change)), Marks::default())?;

        let mut plan = Plan::new(engine.snapshot(), Timestamp::from_millis(10), 2);
        plan.put(Key::from_stored("written"), Bytes::new(), None);
        plan.remove(Key::from_stored("removed"));
        for key in keys {
            plan.sweep(Key::from_stored(key))?;
        }
        let decided = plan.decide();
        let is_put = |key: &str| decided.changes.get(key).map(|it| matches!(it, Change::Put(_)));
        assert_eq!(keys.map(is_put), [Some(false), None, Some(false), Some(true)]);
        let order: Vec<_> = decided.order.iter().map(Key::as_str).collect();
        assert_eq!(order, ["written", "removed", "expired"], "each is told once");
        Ok(())
    }
}
