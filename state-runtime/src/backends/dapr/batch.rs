//! Several writes as one transaction of the component.
//!
//! A transaction tells no more than that one of its guards does not hold. So the entries that have a
//! condition are read first: a condition that does not hold then is a conflict, which names its
//! operation. One that holds becomes a guard on exactly what was read. If a guard fails, somebody
//! was in between, nothing was written, and all of it is done again.

use std::collections::HashMap;

use bytes::Bytes;

use super::{
    ATTEMPTS,
    api::{Committed, Found, Guard, Operation},
    connection::Connection,
    contended, revision,
    write::{expiry, save},
};
use crate::backend::{
    BackendError, BatchOp, Capability, Clock, Condition, ErrorKind, Result, Revision, SystemClock,
    Timestamp, TtlChange, rules::check_batch,
};

/// What was read before a transaction, by key.
type Known = HashMap<String, Found>;

impl Connection {
    pub(super) async fn apply(&self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        self.need(Capability::Batch)?;
        check_batch(&batch)?;
        for op in &batch {
            if let BatchOp::Set { options, .. } = op {
                self.check_set(options)?;
            }
        }
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let depends: Vec<_> = batch.iter().filter(|op| depends(op)).map(key).collect();
        for _ in 0..ATTEMPTS {
            let known = self.api.get_many(&depends).await?;
            let now = SystemClock.now();
            let mut operations = Vec::with_capacity(batch.len());
            let mut expiries = Vec::with_capacity(batch.len());
            for (index, op) in batch.iter().enumerate() {
                expiries.push(self.plan(op, index, &known, now, &mut operations)?);
            }
            match self.api.transact(&operations).await? {
                Committed::Yes => return Ok(self.revisions(&batch, &expiries).await),
                Committed::No if depends.is_empty() => return Err(refused_without_a_guard()),
                Committed::No => {}
            }
        }
        Err(contended())
    }

    /// Adds what one operation of the batch takes. Returns the expiry of what it writes.
    fn plan<'a>(
        &self,
        op: &'a BatchOp,
        index: usize,
        known: &'a Known,
        now: Timestamp,
        operations: &mut Vec<Operation<'a>>,
    ) -> Result<Option<Timestamp>> {
        let found = known.get(key(op));
        let alive = found.filter(|found| found.live(now).is_some());
        if !holds(condition(op), alive)? {
            return Err(BackendError::conflict(index));
        }
        match op {
            BatchOp::Set { key, value, options } => {
                let current = alive.and_then(|found| found.stored.expires);
                let expires = expiry(options.ttl, current);
                let guard = match found {
                    _ if !depends(op) => Guard::Any,
                    Some(found) => Guard::Etag(found.etag()?),
                    None => Guard::Absent(self.by_creation()?),
                };
                operations.push(Operation::Save(save(key, value, expires, guard)));
                Ok(expires)
            }
            BatchOp::Remove { key, .. } => {
                let etag = match found {
                    Some(found) => Some(found.etag()?),
                    None => None,
                };
                // An absence can only be guarded by filling it: what is put there for a moment is
                // removed by the next operation.
                if depends(op) && found.is_none() {
                    let guard = Guard::Absent(self.by_creation()?);
                    operations.push(Operation::Save(save(key, b"", None, guard)));
                }
                operations.push(Operation::Delete { key, etag });
                Ok(None)
            }
        }
    }

    /// The revisions that were asked for. The batch is written, so none of this can fail.
    async fn revisions(
        &self,
        batch: &[BatchOp],
        expiries: &[Option<Timestamp>],
    ) -> Vec<Option<Revision>> {
        let keys: Vec<_> = batch.iter().filter(|op| wanted(op).is_some()).map(key).collect();
        let known = self.api.get_many(&keys).await.unwrap_or_default();
        let each = batch.iter().zip(expiries);
        each.map(|(op, &expires)| {
            wanted(op).map(|value| self.revision_of(known.get(key(op)), value, expires))
        })
        .collect()
    }
}

fn key(op: &BatchOp) -> &str {
    op.key().as_str()
}

fn condition(op: &BatchOp) -> &Condition {
    match op {
        BatchOp::Set { options, .. } => &options.condition,
        BatchOp::Remove { options, .. } => &options.condition,
    }
}

/// Whether what an operation does depends on what is there.
fn depends(op: &BatchOp) -> bool {
    let keeps = matches!(op, BatchOp::Set { options, .. } if options.ttl == TtlChange::Keep);
    keeps || *condition(op) != Condition::Always
}

/// The value whose revision is asked for.
fn wanted(op: &BatchOp) -> Option<&Bytes> {
    match op {
        BatchOp::Set { value, options, .. } if options.want_revision => Some(value),
        _ => None,
    }
}

fn holds(condition: &Condition, alive: Option<&Found>) -> Result<bool> {
    Ok(match (condition, alive) {
        (Condition::Always, _) | (Condition::IfAbsent, None) => true,
        (Condition::IfAbsent, Some(_)) | (Condition::IfRevision(_), None) => false,
        (Condition::IfRevision(expected), Some(found)) => {
            *expected == revision::of(found.etag()?, found.stored.expires)
        }
    })
}

/// A component that knows transactions refused one for a guard that it does not have.
fn refused_without_a_guard() -> BackendError {
    BackendError::new(ErrorKind::Other, "the component refused a transaction without conditions")
}
