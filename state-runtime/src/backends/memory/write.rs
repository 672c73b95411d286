//! Writing: single entries, integers, and batches.

use bytes::Bytes;

use super::{
    bounds::Size,
    engine::{Engine, deadline},
    shard::{Shard, Slot},
};
use crate::{
    backend::{
        AddOptions, BackendError, BatchOp, Condition, RemoveOptions, Result, Revision, SetOptions,
        ThrottleOptions, Throttled, Timestamp, TtlChange, integer::sum, rules::check_batch,
        throttle::take,
    },
    key::Key,
};

impl Engine {
    pub(super) fn set(
        &self,
        key: &str,
        value: Bytes,
        options: &SetOptions,
    ) -> Result<Option<Revision>> {
        let size = Size::of(key, &value);
        self.make_room(size);
        let number = self.write(key, |shard, now| {
            // The common write asks for nothing that depends on what is there: one lookup less.
            let blind = options.condition == Condition::Always && options.ttl != TtlChange::Keep;
            let live = if blind { None } else { shard.live(key, || now) };
            self.check(live, &options.condition, 0)?;
            let expires_at = expires(live, options.ttl, || self.clock.now())?;
            self.account(|| stored_size(shard, key), size)?;
            Ok(shard.put(key, value, expires_at))
        })?;
        Ok(options.want_revision.then(|| self.revision(number)))
    }

    pub(super) fn remove(&self, key: &str, options: &RemoveOptions) -> Result<()> {
        self.write(key, |shard, now| {
            self.check(shard.live(key, || now), &options.condition, 0)?;
            self.account(|| stored_size(shard, key), Size::default())?;
            shard.remove(key);
            Ok(())
        })
    }

    pub(super) fn touch(&self, key: &str, ttl: TtlChange) -> Result<bool> {
        self.write(key, |shard, now| {
            let live = shard.live(key, || now);
            let found = live.is_some();
            let expires_at = expires(live, ttl, || self.clock.now())?;
            if found {
                shard.expire_at(key, expires_at);
            }
            Ok(found)
        })
    }

    pub(super) fn add(&self, key: &str, options: &AddOptions) -> Result<i128> {
        // The longest decimal integer has 40 characters.
        self.make_room(Size::of(key, &[0; 40]));
        self.write(key, |shard, now| {
            let live = shard.live(key, || now);
            let sum = sum(live.map(|slot| &*slot.value), options)?;
            let ttl = match (live, options.ttl) {
                (Some(_), _) => TtlChange::Keep,
                (None, Some(ttl)) => TtlChange::After(ttl),
                (None, None) => TtlChange::Clear,
            };
            let expires_at = expires(live, ttl, || self.clock.now())?;
            let value = Bytes::from(sum.to_string());
            self.account(|| stored_size(shard, key), Size::of(key, &value))?;
            shard.put(key, value, expires_at);
            Ok(sum)
        })
    }

    pub(super) fn throttle(&self, key: &str, options: &ThrottleOptions) -> Result<Throttled> {
        // The longest window has two numbers of 20 digits.
        self.make_room(Size::of(key, &[0; 64]));
        self.write(key, |shard, now| {
            let live = shard.live(key, || now);
            let (answer, taken) = take(live.map(|slot| &*slot.value), options, self.clock.now())?;
            if let Some(taken) = taken {
                let expires_at = expires(live, TtlChange::After(taken.ttl), || self.clock.now())?;
                self.account(|| stored_size(shard, key), Size::of(key, &taken.value))?;
                shard.put(key, taken.value, expires_at);
            }
            Ok(answer)
        })
    }

    /// Every check of every operation comes before the first write, under the locks of all shards.
    pub(super) fn apply(&self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        check_batch(&batch)?;
        let keys: Vec<Key> = batch.iter().map(|op| op.key().clone()).collect();
        let keys: Vec<&str> = keys.iter().map(Key::as_str).collect();
        let new = batch.iter().map(new_size).fold(Size::default(), Size::plus);
        self.make_room(new);
        self.write_all(&keys, |locked, now| {
            let mut old = Size::default();
            let mut expiries = Vec::with_capacity(batch.len());
            for (index, op) in batch.iter().enumerate() {
                let key = op.key().as_str();
                let shard = locked.shard(key);
                let live = shard.live(key, || now);
                let (condition, ttl) = match op {
                    BatchOp::Set { options, .. } => (&options.condition, options.ttl),
                    BatchOp::Remove { options, .. } => (&options.condition, TtlChange::Clear),
                };
                self.check(live, condition, index)?;
                expiries.push(expires(live, ttl, || now)?);
                old = old.plus(stored_size(shard, key));
            }
            self.account(|| old, new)?;
            let write = |(op, expires_at)| match op {
                BatchOp::Set { key, value, options } => {
                    let number = locked.shard(key.as_str()).put(key.as_str(), value, expires_at);
                    options.want_revision.then(|| self.revision(number))
                }
                BatchOp::Remove { key, .. } => {
                    locked.shard(key.as_str()).remove(key.as_str());
                    None
                }
            };
            Ok(batch.into_iter().zip(expiries).map(write).collect())
        })
    }

    fn check(&self, live: Option<&Slot>, condition: &Condition, index: usize) -> Result<()> {
        let holds = match condition {
            Condition::Always => true,
            Condition::IfAbsent => live.is_none(),
            Condition::IfRevision(revision) => {
                live.is_some_and(|slot| self.revision(slot.revision) == *revision)
            }
        };
        if holds { Ok(()) } else { Err(BackendError::conflict(index)) }
    }

    fn account(&self, old: impl FnOnce() -> Size, new: Size) -> Result<()> {
        self.bounds.as_ref().map_or(Ok(()), |bounds| bounds.replace(old(), new))
    }
}

/// When an entry expires after a write.
fn expires(
    live: Option<&Slot>,
    ttl: TtlChange,
    now: impl FnOnce() -> Timestamp,
) -> Result<Option<Timestamp>> {
    match ttl {
        TtlChange::Clear => Ok(None),
        TtlChange::Keep => Ok(live.and_then(|slot| slot.expires)),
        TtlChange::After(ttl) => deadline(now(), ttl).map(Some),
    }
}

/// What is taken up under a key just now, expired or not.
fn stored_size(shard: &Shard, key: &str) -> Size {
    shard.stored(key).map_or_else(Size::default, |slot| Size::of(key, &slot.value))
}

fn new_size(op: &BatchOp) -> Size {
    match op {
        BatchOp::Set { key, value, .. } => Size::of(key.as_str(), value),
        BatchOp::Remove { .. } => Size::default(),
    }
}
